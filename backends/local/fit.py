"""Whether a model fits into the memory that is free here: in transformers, and under vLLM. Nothing is loaded for it.

All are estimates from the files alone. What they are made of was measured: a transformers model takes its weights and
some tenth more, the KV cache of its conversation, and about 1 GiB for CUDA's context, libraries and activations.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

from ...workbench.seam import Model
from ...workbench.words import say
from .checkpoint import Checkpoint, inspect
from .placement import WORKING_BYTES, Gpu, place
from .precision import Quantize, choose_precision, cpu_flags, loaded_bytes
from .room import Room

MARGIN = 1.1
"""Weights take this much more than their bytes: buffers, and fragments of freed memory."""

CPU_WORKING_BYTES = 2**29
"""The same without a GPU: torch itself and the activations of one prompt."""

KV_CONTEXT = 8192
"""A model is placed so that a conversation of this many tokens fits beside its weights."""


class Fit(NamedTuple):
    """What answering takes in transformers, and whether it is there."""

    place: Literal["gpu", "several", "cpu"]
    """Where it would go: one GPU, several together, or the machine's memory."""
    gpu: str
    """The emptiest GPU's name; empty where there is none."""
    weights_bytes: int
    kv_bytes: int
    other_bytes: int
    free_bytes: int
    """Where it would go; if it fits no GPU, on the emptiest one."""
    fits: bool
    context: int
    """Tokens that the KV cache is counted for."""

    @property
    def needed_bytes(self) -> int:
        return self.weights_bytes + self.kv_bytes + self.other_bytes

    def __str__(self) -> str:
        key = self.place if self.fits or not self.gpu else "no_gpu"
        needed, free = gibibytes(self.needed_bytes), gibibytes(self.free_bytes)
        return say(f"fit.{key}", needed=needed, free=free, gpu=self.gpu)


def gibibytes(count: int) -> str:
    """A number of bytes of memory for a person to read, as `1.5 GiB`."""
    return f"{count / 2**30:.1f} GiB"


def tokens_counted(checkpoint: Checkpoint) -> int:
    """So long a conversation is counted in, unless a length is asked for: a usual one, or all that the model takes."""
    return min(checkpoint.context_length or KV_CONTEXT, KV_CONTEXT)


def gpu_bytes(checkpoint: Checkpoint, tokens: int | None = None, quantize: Quantize | None = None) -> int:
    """Memory that the model takes on a GPU in transformers: 1.1 * weights + KV cache + 1 GiB."""
    weights = loaded_bytes(checkpoint, "bfloat16" if checkpoint.path.is_file() else "auto", quantize) or 0
    kv = checkpoint.kv.bytes(tokens_counted(checkpoint) if tokens is None else tokens)
    return int(MARGIN * weights) + kv + WORKING_BYTES


def fit(checkpoint: Checkpoint, room: Room, tokens: int | None = None, quantize: Quantize | None = None) -> Fit | None:
    """Whether transformers could answer with it now; None if its size isn't known.

    Args:
        tokens: of the conversation; None: `tokens_counted`.
    """
    if loaded_bytes(checkpoint) is None:
        return None
    context = tokens_counted(checkpoint) if tokens is None else tokens
    emptiest = room.emptiest
    if emptiest is not None:
        needed = gpu_bytes(checkpoint, context, quantize)
        placed = place([Gpu(gpu.device, gpu.free_bytes, is_part=gpu.is_part) for gpu in room.gpus], needed)
        several = placed.device == "several"
        chosen = [gpu for gpu in room.gpus if gpu.device in placed.gpus] if several else [emptiest]
        other = WORKING_BYTES * len(chosen)
        kv = checkpoint.kv.bytes(context)
        weights = needed - kv - WORKING_BYTES
        free = sum(gpu.free_bytes for gpu in chosen)
        where = "several" if several else "gpu"
        return Fit(where, emptiest.name, weights, kv, other, free, placed.device != "cpu", context)
    precision = choose_precision(checkpoint, True, cpu_flags(), room.memory_free)
    weights = loaded_bytes(checkpoint, precision, quantize) or 0
    # On a CPU the cache is of the weights' own precision.
    kv = checkpoint.kv.bytes(context, 4 if precision == "float32" or checkpoint.dtype == "F32" else 2)
    needed = weights + kv + CPU_WORKING_BYTES
    fits = needed <= room.memory_free
    return Fit("cpu", "", weights, kv, CPU_WORKING_BYTES, room.memory_free, fits, context)


def with_fit(model: Model, room: Callable[[], Room], quantize: Quantize | None = None) -> Model:
    """The model with `needed_bytes` and `fits` filled in, if it lies on this machine and can be used."""
    if model.path is None or model.problem is not None:
        return model
    found = fit(inspect(Path(model.path)), room(), quantize=quantize)
    if found is None:
        return model
    return msgspec.structs.replace(model, needed_bytes=found.needed_bytes, fits=found.fits)
