"""Where a model could go: the GPUs that this program may use, and how much of their memory is free."""

import os
from collections.abc import Mapping, Sequence
from typing import NamedTuple

from .ascend import npus
from .machine import machine_memory
from .nvidia import NvidiaSensor
from .nvml import Nvml
from .processes import Who
from .snapshot import Gpu, Machine


class FreeGpu(NamedTuple):
    """A GPU, a MIG device, or an NPU, that could hold a model."""

    device: str
    """What CUDA_VISIBLE_DEVICES is set to for a process that shall see this one alone. Where it is a number, CUDA
    counts as meant with CUDA_DEVICE_ORDER=PCI_BUS_ID. An NPU's is a number for ASCEND_RT_VISIBLE_DEVICES."""
    name: str
    free_bytes: int
    total_bytes: int
    number: str | None = None
    """The same as a number, for programs that take no UUID; None where one of the GPUs is split, and so counts
    otherwise."""
    is_part: bool = False
    """A MIG device: a process can use one of these, and nothing beside it."""


def free_gpus(nvml: Nvml | None = None, environ: Mapping[str, str] = os.environ) -> list[FreeGpu]:
    """The GPUs that hold models, as CUDA would count them; none without a driver. Blocks for some ms.

    A GPU that is split is left out, its MIG devices are in. A GPU whose memory can't be read is left out.

    Args:
        nvml: stands in for `pynvml`.
        environ: if it has CUDA_VISIBLE_DEVICES, only those GPUs are listed, in that order.
    """
    used, total = machine_memory()
    sensor = NvidiaSensor(nvml, who=lambda pid: Who())
    try:
        gpus = sensor.read(0, Machine(memory_used=used, memory_total=total)).gpus
    finally:
        sensor.close()
    split = {gpu.parent for gpu in gpus if gpu.mig}
    usable = [gpu for gpu in gpus if gpu.mig or gpu.index not in split]
    return [
        FreeGpu(
            gpu.uuid or gpu.label,
            gpu.short_name or gpu.label,
            gpu.memory_free,
            gpu.memory_total,
            None if split else gpu.label,
            gpu.mig,
        )
        for gpu in _allowed(usable, environ.get("CUDA_VISIBLE_DEVICES"))
        if gpu.memory_free is not None and gpu.memory_total is not None
    ]


def free_npus(environ: Mapping[str, str] = os.environ) -> list[FreeGpu]:
    """The Ascend NPUs that hold models; none without npu-smi. Blocks for some tenths of a second where it is.

    Args:
        environ: if it has ASCEND_RT_VISIBLE_DEVICES, only those NPUs are listed, in that order.
    """
    listing = npus(environ)
    chips = {str(chip.index): chip for chip in listing.chips} if listing is not None else {}
    visible = environ.get("ASCEND_RT_VISIBLE_DEVICES")
    names = list(chips) if visible is None else [name.strip() for name in visible.split(",")]
    return [
        FreeGpu(name, chip.short_name or chip.label, chip.memory_free, chip.memory_total)
        for name in names
        if (chip := chips.get(name)) is not None
        if chip.memory_free is not None and chip.memory_total is not None
    ]


def _allowed(gpus: Sequence[Gpu], visible: str | None) -> list[Gpu]:
    """Those that CUDA_VISIBLE_DEVICES names, by number or by the start of a UUID.

    As in CUDA, the list ends at the first name that fits nothing. Numbers are taken in PCI bus order, which is CUDA's
    own where all GPUs are alike, or with CUDA_DEVICE_ORDER=PCI_BUS_ID.
    """
    if visible is None:
        return list(gpus)
    allowed: list[Gpu] = []
    for name in map(str.strip, visible.split(",")):
        if name.isdigit():
            named = [gpu for gpu in gpus if not gpu.mig and gpu.index == int(name)] or [
                gpu for gpu in gpus if gpu.parent == int(name)
            ][:1]
        else:
            named = [gpu for gpu in gpus if name and gpu.uuid is not None and gpu.uuid.startswith(name)]
        if len(named) != 1:
            break
        allowed += named
    return allowed
