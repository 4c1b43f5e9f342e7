"""One NVIDIA GPU, or one MIG device of it: each value asked for as often as it is worth, each allowed to be missing."""

from collections.abc import Callable, Sequence

from ...workbench.visible import visible_line
from .nvml import Handle, MemoryInfo, Nvml, ProcessInfo
from .processes import Who
from .reading import ONCE, Reading
from .snapshot import Gpu, GpuProcess, Machine

PROCESSES_S = 2.0
SLOW_S = 5.0
"""Temperature, clock, throttling."""

# Bits of nvmlDeviceGetCurrentClocksEventReasons (nvml.h). An idle GPU, clocks that someone set, and boards that keep
# in step are not held down.
THROTTLE = {
    0x04: "sensors.throttle_power",
    0x20: "sensors.throttle_heat",
    0x40: "sensors.throttle_heat",
    0x80: "sensors.throttle_brake",
}
HW_SLOWDOWN = 0x08
"""Set by heat and by the power brake too, and then says nothing more."""


class Device:
    """Reads one device.

    Args:
        index: as the driver counts; for a MIG device, its place within its GPU.
        who: looks a process up by its number.
        parent: the index of the GPU that a MIG device is a part of.
    """

    def __init__(
        self, nvml: Nvml, handle: Handle, index: int, who: Callable[[int], Who], parent: int | None = None
    ) -> None:
        self.index = index
        self.parent = parent
        self._who = who
        self._name = Reading(nvml, ONCE, lambda: visible_line(nvml.nvmlDeviceGetName(handle)))
        self._uuid = Reading(nvml, ONCE, lambda: visible_line(nvml.nvmlDeviceGetUUID(handle)))
        self._utilization = Reading(nvml, 0, lambda: nvml.nvmlDeviceGetUtilizationRates(handle).gpu)
        self._memory: Reading[MemoryInfo] = Reading(
            nvml,
            0,
            lambda: nvml.nvmlDeviceGetMemoryInfo(handle, nvml.nvmlMemory_v2),
            lambda: nvml.nvmlDeviceGetMemoryInfo(handle),
        )
        self._power = Reading(nvml, 0, lambda: nvml.nvmlDeviceGetPowerUsage(handle))
        self._power_limit = Reading(nvml, ONCE, lambda: nvml.nvmlDeviceGetEnforcedPowerLimit(handle))
        self._temperature = Reading(
            nvml,
            SLOW_S,
            lambda: nvml.nvmlDeviceGetTemperature(handle, nvml.NVML_TEMPERATURE_GPU),
            lambda: nvml.nvmlDeviceGetTemperatureV(handle, nvml.NVML_TEMPERATURE_GPU),
        )
        self._clock = Reading(nvml, SLOW_S, lambda: nvml.nvmlDeviceGetClockInfo(handle, nvml.NVML_CLOCK_SM))
        self._throttle = Reading(
            nvml,
            SLOW_S,
            lambda: nvml.nvmlDeviceGetCurrentClocksEventReasons(handle),
            lambda: nvml.nvmlDeviceGetCurrentClocksThrottleReasons(handle),
        )
        # Made into names in the same step: those are then looked up no oftener than the driver is asked.
        self._processes = Reading(
            nvml, PROCESSES_S, lambda: self._named(nvml.nvmlDeviceGetComputeRunningProcesses(handle))
        )

    def identity(self, now: float) -> Gpu:
        """What stays known when nothing else can be read."""
        return Gpu(
            index=self.index,
            uuid=self._uuid.at(now),
            name=self._name.at(now),
            mig=self.parent is not None,
            parent=self.parent,
        )

    def read(self, now: float, machine: Machine, split: bool = False) -> Gpu:
        """The values of this moment.

        Args:
            now: seconds on a monotonic clock.
            machine: whose memory a GPU without one of its own shares.
            split: the GPU has MIG devices, and its processes stand there.

        Raises:
            NVMLError: the device is gone.
        """
        gpu = self.identity(now)
        used, free, total, unified = self._memory_at(now, machine, split)
        utilization = self._utilization.at(now)
        reasons = self._throttle.at(now)
        return Gpu(
            index=gpu.index,
            uuid=gpu.uuid,
            name=gpu.name,
            mig=gpu.mig,
            parent=gpu.parent,
            # Where it can't be had, some drivers answer with nonsense rather than with an error.
            utilization=utilization if utilization is not None and 0 <= utilization <= 100 else None,
            memory_used=used,
            memory_free=free,
            memory_total=total,
            unified=unified,
            temperature_c=self._temperature.at(now),
            power_w=_watts(self._power.at(now)),
            power_limit_w=_watts(self._power_limit.at(now)),
            clock_mhz=self._clock.at(now),
            throttle=None if reasons is None else throttle_words(reasons),
            processes=() if split else _plausible(self._processes.at(now), total),
        )

    def _memory_at(self, now: float, machine: Machine, split: bool) -> tuple[int | None, int | None, int | None, bool]:
        """Used, free and total bytes, and whether they are the machine's."""
        memory = self._memory.at(now)
        if memory is not None and memory.total > 0:
            return min(memory.used, memory.total), memory.free, memory.total, False
        whole = self.parent is None and not split
        if not whole or (memory is None and not self._memory.unsupported):
            return None, None, None, False
        used, total = machine.memory_used, machine.memory_total
        return used, None if used is None or total is None else total - used, total, True

    def _named(self, infos: Sequence[ProcessInfo]) -> tuple[GpuProcess, ...]:
        def named(info: ProcessInfo) -> GpuProcess:
            who = self._who(info.pid)
            return GpuProcess(info.pid, who.user, who.name, info.usedGpuMemory, who.own)

        return tuple(sorted(map(named, infos), key=lambda process: -(process.memory_bytes or 0)))


def throttle_words(reasons: int) -> tuple[str, ...]:
    """What holds the clock down, as keys of the word catalogue, from NVML's bits."""
    words = dict.fromkeys(word for bit, word in THROTTLE.items() if reasons & bit)
    if not words and reasons & HW_SLOWDOWN:
        return ("sensors.throttle_hardware",)
    return tuple(words)


def _watts(milliwatts: int | None) -> float | None:
    return None if milliwatts is None else milliwatts / 1000


def _plausible(processes: tuple[GpuProcess, ...] | None, total: int | None) -> tuple[GpuProcess, ...] | None:
    """The processes, without a memory larger than the GPU's, which some drivers report in a container."""
    if processes is None or total is None:
        return processes
    return tuple(
        GpuProcess(p.pid, p.user, p.name, None, p.own) if (p.memory_bytes or 0) > total else p for p in processes
    )
