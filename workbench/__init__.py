"""The documents and the work on them, and the seam to what answers. Knows no screen, no engine, no command."""
