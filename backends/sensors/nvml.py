"""The border to NVML, NVIDIA's management library: what is used of nvidia-ml-py, and why it may not be had.

Function names, units and error codes are those of nvidia-ml-py (`import pynvml`), a thin layer over the C library
`libnvidia-ml.so.1` that comes with the driver.
"""

from collections.abc import Sequence
from typing import Protocol, cast

from ...workbench.visible import visible_line
from ...workbench.words import say

Handle = object
"""A device, as NVML hands it out."""


class UtilizationRates(Protocol):
    gpu: int
    """Percent of the sample window in which a kernel ran."""


class MemoryInfo(Protocol):
    """Bytes."""

    total: int
    used: int
    free: int


class ProcessInfo(Protocol):
    pid: int
    usedGpuMemory: int | None
    """Bytes."""


class Nvml(Protocol):
    """The part of the module `pynvml` that the sensors use."""

    NVMLError: type[Exception]
    NVMLLibraryMismatchError: type[Exception]
    NVML_ERROR_UNINITIALIZED: int
    NVML_ERROR_INVALID_ARGUMENT: int
    NVML_ERROR_NOT_SUPPORTED: int
    NVML_ERROR_NO_PERMISSION: int
    NVML_ERROR_DRIVER_NOT_LOADED: int
    NVML_ERROR_LIBRARY_NOT_FOUND: int
    NVML_ERROR_FUNCTION_NOT_FOUND: int
    NVML_ERROR_GPU_IS_LOST: int
    NVML_ERROR_RESET_REQUIRED: int
    NVML_ERROR_LIB_RM_VERSION_MISMATCH: int
    NVML_ERROR_ARGUMENT_VERSION_MISMATCH: int
    NVML_ERROR_DEPRECATED: int
    NVML_TEMPERATURE_GPU: int
    NVML_CLOCK_SM: int
    NVML_DEVICE_MIG_ENABLE: int
    nvmlMemory_v2: int

    def nvmlInit(self) -> None: ...
    def nvmlShutdown(self) -> None: ...
    def nvmlSystemGetDriverVersion(self) -> str: ...
    def nvmlSystemGetCudaDriverVersion_v2(self) -> int: ...
    def nvmlDeviceGetCount(self) -> int: ...
    def nvmlDeviceGetHandleByIndex(self, index: int) -> Handle: ...
    def nvmlDeviceGetName(self, handle: Handle) -> str: ...
    def nvmlDeviceGetUUID(self, handle: Handle) -> str: ...
    def nvmlDeviceGetUtilizationRates(self, handle: Handle) -> UtilizationRates: ...
    def nvmlDeviceGetMemoryInfo(self, handle: Handle, version: int | None = None) -> MemoryInfo: ...
    def nvmlDeviceGetTemperature(self, handle: Handle, sensor: int) -> int: ...
    def nvmlDeviceGetTemperatureV(self, handle: Handle, sensor: int) -> int: ...
    def nvmlDeviceGetPowerUsage(self, handle: Handle) -> int: ...
    def nvmlDeviceGetEnforcedPowerLimit(self, handle: Handle) -> int: ...
    def nvmlDeviceGetClockInfo(self, handle: Handle, type: int) -> int: ...
    def nvmlDeviceGetCurrentClocksEventReasons(self, handle: Handle) -> int: ...
    def nvmlDeviceGetCurrentClocksThrottleReasons(self, handle: Handle) -> int: ...
    def nvmlDeviceGetComputeRunningProcesses(self, handle: Handle) -> Sequence[ProcessInfo]: ...
    def nvmlDeviceGetMigMode(self, handle: Handle) -> Sequence[int]: ...
    def nvmlDeviceGetMaxMigDeviceCount(self, handle: Handle) -> int: ...
    def nvmlDeviceGetMigDeviceHandleByIndex(self, device: Handle, index: int) -> Handle: ...


def load() -> Nvml:
    """The module `pynvml`: 30 ms and 5 MB, so it is called late, in the sampling thread.

    Raises:
        ImportError: nvidia-ml-py isn't installed.
    """
    import pynvml  # pyright: ignore[reportMissingTypeStubs]

    return cast(Nvml, pynvml)


def code(error: BaseException) -> int | None:
    """The NVML error code that an exception carries, if it is one of NVML's."""
    value = getattr(error, "value", None)
    return value if isinstance(value, int) else None


def why_not(nvml: Nvml, error: Exception) -> str:
    """One plain line for an error at the opening of NVML: what is missing, and what helps."""
    known = {
        nvml.NVML_ERROR_LIBRARY_NOT_FOUND: "no_driver",
        nvml.NVML_ERROR_DRIVER_NOT_LOADED: "driver_not_loaded",
        nvml.NVML_ERROR_LIB_RM_VERSION_MISMATCH: "driver_mismatch",
        nvml.NVML_ERROR_NO_PERMISSION: "no_permission",
    }
    entry = known.get(code(error) or 0)
    return say(f"sensors.{entry}") if entry else say("sensors.nvml_failed", message=visible_line(str(error)))
