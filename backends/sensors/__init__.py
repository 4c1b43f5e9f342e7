"""The sensors of the machine: NVIDIA GPUs, processor, memory. Sampled in a thread, handed out as immutable snapshots.

A screen needs `sampler.Sampler` and `snapshot`; an engine that looks for room for a model, `placement.free_gpus`.
"""
