"""The last two minutes or so of every reading that is drawn as a sparkline."""

import threading
from collections import deque

import msgspec

from .snapshot import Snapshot

LENGTH = 120
"""Samples kept."""


class Track(msgspec.Struct, frozen=True):
    """The history of one GPU, or of the machine. Oldest first; None where a sample lacked the value."""

    utilization: tuple[float | None, ...] = ()
    """Percent; of the machine, its processor's."""
    memory: tuple[int | None, ...] = ()
    """Bytes used."""


class History(msgspec.Struct, frozen=True):
    """All tracks, as they stood when they were asked for."""

    machine: Track = Track()
    gpus: dict[str, Track] = {}
    """By `Gpu.key`."""


class _Tape:
    def __init__(self, length: int) -> None:
        self._utilization: deque[float | None] = deque(maxlen=length)
        self._memory: deque[int | None] = deque(maxlen=length)

    def add(self, utilization: float | None, memory: int | None) -> None:
        self._utilization.append(utilization)
        self._memory.append(memory)

    def track(self) -> Track:
        return Track(tuple(self._utilization), tuple(self._memory))


class Recorder:
    """Keeps the last samples. Filled by the sampling thread, asked by any."""

    def __init__(self, length: int = LENGTH) -> None:
        self._length = length
        self._lock = threading.Lock()
        self._machine = _Tape(length)
        self._gpus: dict[str, _Tape] = {}

    def add(self, snapshot: Snapshot) -> None:
        """One more sample. The history of a GPU that is gone goes too."""
        with self._lock:
            self._machine.add(snapshot.machine.cpu_percent, snapshot.machine.memory_used)
            tapes = {gpu.key: self._gpus.get(gpu.key) or _Tape(self._length) for gpu in snapshot.gpus}
            for gpu in snapshot.gpus:
                tapes[gpu.key].add(gpu.utilization, gpu.memory_used)
            self._gpus = tapes

    def history(self) -> History:
        """The samples so far."""
        with self._lock:
            return History(self._machine.track(), {key: tape.track() for key, tape in self._gpus.items()})
