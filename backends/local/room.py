"""How much memory is free here for a model: on the GPUs, and in the machine."""

import importlib.util
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from ..sensors.placement import FreeGpu

FRESH_SECONDS = 2.0
"""Lists of models are asked for again and again; asking every GPU takes some ms each time."""


class Room(NamedTuple):
    """What is free at one moment."""

    gpus: "tuple[FreeGpu, ...]"
    memory_free: int
    """Bytes of the machine's memory, or of the container's."""
    memory_total: int

    @property
    def emptiest(self) -> "FreeGpu | None":
        """The GPU with most free memory."""
        return max(self.gpus, key=lambda gpu: gpu.free_bytes, default=None)


def measured() -> Room:
    """What is free now. Blocks for some ms."""
    from ..sensors.machine import machine_memory
    from ..sensors.placement import free_gpus, free_npus

    used, total = machine_memory()
    found = free_gpus()
    # As the engine chooses: torch itself knows no NPU.
    if not found and importlib.util.find_spec("torch_npu") is not None:
        found = free_npus()
    return Room(tuple(found), total - used, total)


class RecentRoom:
    """What was free at most some seconds ago. May be asked from any thread.

    Args:
        measure: stands in for `measured`.
    """

    def __init__(self, measure: Callable[[], Room] = measured) -> None:
        self._measure = measure
        self._lock = threading.Lock()
        self._last: tuple[float, Room] | None = None

    def __call__(self) -> Room:
        with self._lock:
            if self._last is None or time.monotonic() - self._last[0] > FRESH_SECONDS:
                self._last = (time.monotonic(), self._measure())
            return self._last[1]
