"""The sensors of the machine: NVIDIA GPUs, Ascend NPUs, processor, memory. A thread samples them into snapshots.

A screen needs `sampler.Sampler` and `snapshot`; an engine that looks for room for a model, `placement.free_gpus`.
"""
