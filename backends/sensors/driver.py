"""The NVIDIA driver: its version, and the newest CUDA that it runs."""

import contextlib
from typing import NamedTuple

from . import nvml as border
from .nvml import Nvml


class Driver(NamedTuple):
    """A driver that answers."""

    version: str
    """As nvidia-smi shows it: `570.124.06`."""
    cuda: str | None
    """The newest CUDA that it runs: `12.8`."""


def nvidia_driver(nvml: Nvml | None = None) -> Driver | None:
    """The driver, if one is loaded and has a GPU; None otherwise. Blocks for some ms.

    Args:
        nvml: stands in for `pynvml`.
    """
    try:
        nvml = nvml or border.load()
    except ImportError:
        return None
    try:
        nvml.nvmlInit()
    except nvml.NVMLError:
        return None
    try:
        if not nvml.nvmlDeviceGetCount():
            return None
        cuda = None
        with contextlib.suppress(AttributeError, nvml.NVMLError):
            # 1000 × major + 10 × minor (nvml.h).
            number = nvml.nvmlSystemGetCudaDriverVersion_v2()
            cuda = f"{number // 1000}.{number % 1000 // 10}"
        return Driver(nvml.nvmlSystemGetDriverVersion(), cuda)
    except nvml.NVMLError:
        return None
    finally:
        with contextlib.suppress(nvml.NVMLError):
            nvml.nvmlShutdown()
