"""One value of one device, asked for no oftener than it is worth, and no more once the driver has said no."""

import math
from collections.abc import Callable
from typing import Generic, TypeVar

from .nvml import Nvml, code

T = TypeVar("T")

ONCE = math.inf
RETRY_S = 5.0
"""After an error that may pass."""


class Reading(Generic[T]):
    """A value that is read again when `period_s` seconds have gone by since it was.

    Args:
        period_s: 0 reads every time, `ONCE` only until it was had.
        ways: how to ask, the best first; a way that this driver, device or nvidia-ml-py hasn't is given up for the
            next one. With none left the value is None for good.
    """

    def __init__(self, nvml: Nvml, period_s: float, *ways: Callable[[], T]) -> None:
        self._nvml = nvml
        self._period_s = period_s
        self._ways = list(ways)
        self._due = -math.inf
        self._value: T | None = None
        self.unsupported = False
        """Whether the device itself lacks it: the last way was answered with NOT_SUPPORTED."""
        self._for_good = {
            nvml.NVML_ERROR_NOT_SUPPORTED,
            nvml.NVML_ERROR_INVALID_ARGUMENT,  # how some drivers say it of a MIG device
            nvml.NVML_ERROR_NO_PERMISSION,
            nvml.NVML_ERROR_FUNCTION_NOT_FOUND,
            nvml.NVML_ERROR_ARGUMENT_VERSION_MISMATCH,
            nvml.NVML_ERROR_DEPRECATED,
        }
        self._device_gone = {
            nvml.NVML_ERROR_UNINITIALIZED,
            nvml.NVML_ERROR_GPU_IS_LOST,
            nvml.NVML_ERROR_RESET_REQUIRED,
        }

    def at(self, now: float) -> T | None:
        """The value, read again if it is due.

        Args:
            now: seconds on a monotonic clock.

        Raises:
            NVMLError: the whole device is gone, not just this value.
        """
        if now < self._due:
            return self._value
        self._value = None
        while self._ways:
            try:
                self._value = self._ways[0]()
            except (AttributeError, self._nvml.NVMLLibraryMismatchError):
                # nvidia-ml-py, or the driver under it, is of another age and lacks the function.
                del self._ways[0]
            except self._nvml.NVMLError as error:
                number = code(error)
                if number in self._device_gone:
                    raise
                if number not in self._for_good:
                    self._due = now + max(RETRY_S, 0 if self._period_s == ONCE else self._period_s)
                    return None
                self.unsupported = number == self._nvml.NVML_ERROR_NOT_SUPPORTED
                del self._ways[0]
            else:
                self._due = now + self._period_s
                return self._value
        self._due = math.inf
        return None
