"""How much memory a managed server is given, and how long its context is, where the person doesn't say.

vLLM takes `--gpu-memory-utilization` of a GPU's *total* memory, 0.92 by default, whatever the model needs, and refuses
to start where so much isn't free: on a shared machine both surprise.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ..local.checkpoint import Checkpoint, inspect
from .flags import value

if TYPE_CHECKING:
    from ..sensors.placement import FreeGpu

GIB = 2**30
OVERHEAD_BYTES = 3 * GIB
"""Beside weights and KV cache: activations while the cache is sized, CUDA graphs, the CUDA context."""
MOST = 0.92
"""vLLM's own default."""
REQUESTS = 16
"""So many at once should find room in the KV cache, if there is that much."""
REQUEST_TOKENS = 8192
"""What one of them is reckoned to take, where the model's context is longer."""
STEP = 256

_MEMORY_FLAGS = (
    "--gpu-memory-utilization",
    "--device-memory-utilization",
    "--kv-cache-memory-bytes",
)
_SPLIT_FLAGS = (("--tensor-parallel-size", "-tp"), ("--pipeline-parallel-size", "-pp"))
_COPY_FLAGS = ("--data-parallel-size", "-dp")


class Sizing(msgspec.Struct, frozen=True):
    """What is suggested: flags and environment."""

    flags: tuple[str, ...] = ()
    environment: dict[str, str] = {}


class Needs(msgspec.Struct, frozen=True):
    """What a model takes."""

    weights: int
    """Bytes."""
    token: int
    """Bytes in the KV cache; 0: not known."""
    context: int | None
    """Tokens, as trained."""


def needs_of(checkpoint: Checkpoint) -> Needs:
    """What a model takes, from its files."""
    return Needs(checkpoint.size_bytes or 0, checkpoint.kv.bytes(1), checkpoint.context_length)


def size(path: Path, flags: Sequence[str], visible_devices: str | None) -> Sizing:
    """What to add to the person's own flags for a model in this folder.

    Args:
        visible_devices: CUDA_VISIBLE_DEVICES, if the person has set it: then the choice of a GPU is theirs.
    """
    from ..sensors.machine import machine_memory
    from ..sensors.placement import free_gpus, free_npus

    needs = needs_of(inspect(path))
    gpus = free_gpus()
    if not gpus and free_npus():
        # Of Ascend's own vLLM too little is known here: it chooses by itself.
        return Sizing()
    if not gpus:
        used, total = machine_memory()
        return on_processor(needs, flags, (total or 0) - (used or 0))
    split = math.prod(_number(value(flags, *names)) for names in _SPLIT_FLAGS)
    copies = _number(value(flags, *_COPY_FLAGS))
    return on_gpus(needs, flags, gpus, split, copies, chosen=visible_devices is not None)


def on_gpus(
    needs: Needs, flags: Sequence[str], gpus: "Sequence[FreeGpu]", split: int, copies: int = 1, *, chosen: bool
) -> Sizing:
    """For GPUs: the emptiest, so much of its memory as is free and of use, and the length that then fits.

    Args:
        gpus: those that are visible, in their order.
        split: over so many GPUs the model is spread. If over several, vLLM takes the first of all that are visible.
        copies: so many whole ones there are, on GPUs of their own.
        chosen: the person has said which are visible; vLLM takes the first of these too.
    """
    environment: dict[str, str] = {}
    used = gpus[: split * copies]
    if not chosen and split * copies == 1:
        emptiest = max(gpus, key=lambda gpu: gpu.free_bytes)
        used = [emptiest]
        # Many versions of vLLM take nothing but numbers there: "invalid literal for int(): 'GPU-…'".
        environment = {"CUDA_VISIBLE_DEVICES": emptiest.number or emptiest.device, "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
    free = min(gpu.free_bytes for gpu in used) * 0.97
    total = max(gpu.total_bytes for gpu in used)
    weights = needs.weights / split
    room = (min(free, MOST * total) - weights - OVERHEAD_BYTES) * split
    length = fitting_length(needs, room)
    own: list[str] = []
    if value(flags, *_MEMORY_FLAGS) is None:
        cache = needs.token * min(length or needs.context or REQUEST_TOKENS, REQUEST_TOKENS) * REQUESTS
        wanted = weights + OVERHEAD_BYTES + max(cache, needs.token * (length or 0)) / split
        share = wanted / total if needs.token else MOST
        fraction = min(math.ceil(share * 100) / 100, math.floor(free / total * 100) / 100, MOST)
        own += ["--gpu-memory-utilization", f"{max(fraction, 0.01):.2f}"]
    if length is not None and value(flags, "--max-model-len") is None:
        own += ["--max-model-len", str(length)]
    return Sizing(tuple(own), environment)


def on_processor(needs: Needs, flags: Sequence[str], free: int) -> Sizing:
    """Without a GPU: a KV cache of what is useful, at most a third of the memory that is free."""
    if value(flags, *_MEMORY_FLAGS) is not None:
        return Sizing()
    room = max((free - needs.weights) / 3, GIB)
    length = fitting_length(needs, room)
    useful = needs.token * min(length or needs.context or REQUEST_TOKENS, REQUEST_TOKENS) * REQUESTS
    gigabytes = max(math.floor(min(room, max(useful, GIB)) / GIB), 1)
    own = ["--max-model-len", str(length)] if length is not None and value(flags, "--max-model-len") is None else []
    return Sizing(tuple(own), {"VLLM_CPU_KVCACHE_SPACE": str(gigabytes)})


def fitting_length(needs: Needs, room: float) -> int | None:
    """The longest context whose KV cache fits into so many bytes, where the model's own doesn't; None: it does."""
    if not needs.token or not needs.context:
        return None
    fits = int(room / needs.token)
    if fits >= needs.context:
        return None
    return max(fits // STEP * STEP, STEP)


def _number(text: str | None) -> int:
    return max(int(text), 1) if text is not None and text.isdigit() else 1
