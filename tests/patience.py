"""How long tests wait. They run on machines that are busy with other things as well: speed is for `benchmarks/`."""

PATIENCE_S = 120.0
"""What takes longer than this doesn't come."""
PROMPTLY_S = 8.0
"""What takes longer than this has waited for something that it must not wait for."""
