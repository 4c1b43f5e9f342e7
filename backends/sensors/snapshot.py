"""What the sensors saw at one moment, as values that any thread may keep.

Every reading may be None: this machine, driver or container doesn't say.
"""

import re
from typing import Literal

import msgspec


class GpuProcess(msgspec.Struct, frozen=True):
    """A process that computes on a GPU."""

    pid: int
    """As the driver gives it: inside a container it may be the host's number."""
    user: str | None = None
    name: str | None = None
    """None for a process that can't be seen from here, as the host's from inside a container."""
    memory_bytes: int | None = None
    own: bool = False
    """Whether it runs as the same user as Qiao."""


class Gpu(msgspec.Struct, frozen=True, kw_only=True):
    """A GPU, or one MIG device of a GPU; or an NPU's chip. A GPU that is split stands before its MIG devices."""

    index: int
    """As the driver counts: in PCI bus order; for a MIG device, its place within its GPU."""
    kind: Literal["gpu", "npu"] = "gpu"
    uuid: str | None = None
    """`GPU-…` or `MIG-…`; CUDA_VISIBLE_DEVICES takes it as it is. An NPU's is made of its bus address."""
    name: str | None = None
    mig: bool = False
    parent: int | None = None
    """The index of the GPU that a MIG device is a part of."""
    utilization: int | None = None
    """Percent of the driver's sample window in which a kernel ran. A GPU that is split into MIG devices has none."""
    memory_used: int | None = None
    """Bytes. Without what the driver reserves for itself, where it tells them apart, as nvidia-smi shows it."""
    memory_free: int | None = None
    """Bytes. Less than total minus used where the driver reserves some."""
    memory_total: int | None = None
    """Bytes."""
    unified: bool = False
    """The memory is the machine's own, shared with the processor (GB10, Jetson)."""
    temperature_c: int | None = None
    power_w: float | None = None
    power_limit_w: float | None = None
    clock_mhz: int | None = None
    """Of the streaming multiprocessors."""
    throttle: tuple[str, ...] | None = None
    """What holds the clock down, as keys of the word catalogue; empty when nothing does."""
    processes: tuple[GpuProcess, ...] | None = None
    """The largest first. Those of a split GPU stand at its MIG devices."""

    @property
    def label(self) -> str:
        """`0`; a MIG device: `0:1`, the GPU and its place there."""
        return str(self.index) if self.parent is None else f"{self.parent}:{self.index}"

    @property
    def key(self) -> str:
        """Tells GPUs apart from one snapshot to the next."""
        return self.uuid or self.label

    @property
    def short_name(self) -> str | None:
        """For a narrow pane: `A100 80G`, `RTX 4090`, `1g.10gb`."""
        return None if self.name is None else short_gpu_name(self.name)

    @property
    def memory_fraction(self) -> float | None:
        """Used of total, 0 to 1."""
        return None if self.memory_used is None or not self.memory_total else self.memory_used / self.memory_total


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """The processor and the memory; in a container with a memory limit, the memory is the container's."""

    cpu_percent: float | None = None
    """Of all cores together, 0 to 100, since the reading before; None at the first."""
    cores: int | None = None
    """Logical ones."""
    load: float | None = None
    """Of the last minute."""
    memory_used: int | None = None
    """Bytes that can't be had by asking: total minus available."""
    memory_total: int | None = None
    """Bytes."""
    own_memory: int | None = None
    """Bytes that this process holds (resident)."""

    @property
    def memory_fraction(self) -> float | None:
        """Used of total, 0 to 1."""
        return None if self.memory_used is None or not self.memory_total else self.memory_used / self.memory_total


class Snapshot(msgspec.Struct, frozen=True, kw_only=True):
    """All that the sensors saw at one moment."""

    time: float
    """Seconds since the epoch."""
    machine: Machine = Machine()
    gpus: tuple[Gpu, ...] = ()
    problem: str | None = None
    """One plain line in the person's language: why there is no GPU here, or which sensor fails."""

    @property
    def busiest(self) -> Gpu | None:
        """The GPU with the highest utilisation, for one figure in a footer."""
        known = [gpu for gpu in self.gpus if gpu.utilization is not None]
        return max(known, key=lambda gpu: gpu.utilization or 0, default=None)


_SIZE = re.compile(r"\b(\d+)\s?GB\b", re.IGNORECASE)
_NOISE = re.compile(
    r"\b(NVIDIA|Tesla|Quadro|GeForce|Generation|Laptop GPU|SXM\d?|PCIe|HBM\d\w*|GDDR\d\w*)\b", re.IGNORECASE
)


def short_gpu_name(name: str) -> str:
    """A GPU's name without maker, bus and memory kind: `NVIDIA A100-SXM4-80GB` becomes `A100 80G`.

    A MIG device's becomes its profile: `NVIDIA A100-SXM4-80GB MIG 3g.40gb` becomes `3g.40gb`.
    """
    _, mig, profile = name.partition(" MIG ")
    if mig and profile.strip():
        return profile.strip()
    words = _SIZE.sub(r"\1G", _NOISE.sub(" ", name)).replace("-", " ").split()
    return " ".join(words) or name
