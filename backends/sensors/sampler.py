"""The sampling thread: looks at the sensors at regular intervals and hands out immutable snapshots."""

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from ...workbench.visible import visible_line
from ...workbench.words import say
from .history import History, Recorder
from .snapshot import Machine, Snapshot

if TYPE_CHECKING:
    from .nvidia import Seen

SHORTEST_S = 0.1
STOP_S = 0.15
"""How long `stop` waits for a look that is under way; a driver that hangs must not hold up the end."""

_log = logging.getLogger(__name__)


class ReadsMachine(Protocol):
    def read(self) -> Machine: ...


class ReadsGpus(Protocol):
    def read(self, now: float, machine: Machine) -> "Seen": ...
    def close(self) -> None: ...


class Sampler:
    """Looks at the machine and its GPUs every `interval` seconds, in a thread of its own.

    Nothing here raises. A sensor that does is left out from then on, and the snapshots say so.

    Args:
        interval: seconds from one look to the next.
        machine, gpus: the sensors; the real ones, made in the sampling thread, when None.
    """

    def __init__(
        self, interval: float = 1.0, *, machine: ReadsMachine | None = None, gpus: ReadsGpus | None = None
    ) -> None:
        self._interval = max(interval, SHORTEST_S)
        self._machine = machine
        self._gpus = gpus
        self._recorder = Recorder()
        self._latest: Snapshot | None = None
        self._subscribers: list[Callable[[Snapshot], object]] = []
        self._lock = threading.Lock()
        self._run: _Run | None = None

    @property
    def latest(self) -> Snapshot | None:
        """The newest snapshot; None before the first."""
        return self._latest

    def history(self) -> History:
        """The last 120 samples of what is drawn as sparklines."""
        return self._recorder.history()

    @property
    def interval(self) -> float:
        """Seconds from one look to the next, at least 0.1. May be set at any time and counts at once: few seconds
        while somebody looks, many while nobody does."""
        return self._interval

    @interval.setter
    def interval(self, seconds: float) -> None:
        self._interval = max(seconds, SHORTEST_S)
        if self._run is not None:
            self._run.wake.set()

    def subscribe(self, callback: Callable[[Snapshot], object]) -> Callable[[], None]:
        """Has every new snapshot handed to `callback`, in the sampling thread. One that raises is left out.

        Returns:
            A function that ends it.
        """
        with self._lock:
            self._subscribers.append(callback)

        def unsubscribe() -> None:
            with self._lock, contextlib.suppress(ValueError):
                self._subscribers.remove(callback)

        return unsubscribe

    def start(self) -> None:
        """Begins to sample, at once; nothing happens if it does already."""
        with self._lock:
            if self._run is None:
                run = self._run = _Run()
                run.thread = threading.Thread(target=self._sample, args=(run,), name="qiao-sensors", daemon=True)
                run.thread.start()

    def stop(self) -> None:
        """Ends sampling; returns within 200 ms. It can be started again."""
        with self._lock:
            run, self._run = self._run, None
        if run is None or run.thread is None:
            return
        run.stopping = True
        run.wake.set()
        if run.thread is not threading.current_thread():
            run.thread.join(STOP_S)

    def _sample(self, run: "_Run") -> None:
        sensors = _Sensors(self._machine, self._gpus)
        while not run.stopping:
            begun = time.monotonic()
            snapshot = sensors.look(begun)
            if run.stopping:
                break
            self._recorder.add(snapshot)
            self._latest = snapshot
            self._hand_out(snapshot)
            while not run.stopping and (left := begun + self._interval - time.monotonic()) > 0:
                run.wake.wait(left)
                run.wake.clear()
        sensors.close()

    def _hand_out(self, snapshot: Snapshot) -> None:
        with self._lock:
            subscribers = list(self._subscribers)
        for callback in subscribers:
            try:
                callback(snapshot)
            except Exception:  # noqa: BLE001 - a pane that breaks must not end the sampling for the others
                _log.exception("A subscriber to the sensors failed, and is left out from now on.")
                with self._lock, contextlib.suppress(ValueError):
                    self._subscribers.remove(callback)


class _Run:
    """One life of the thread. A new start gets its own, so that it can't wake one that still hangs in a driver."""

    def __init__(self) -> None:
        self.stopping = False
        self.wake = threading.Event()
        self.thread: threading.Thread | None = None


class _Sensors:
    """The sensors that still work."""

    def __init__(self, machine: ReadsMachine | None, gpus: ReadsGpus | None) -> None:
        self._machine = machine
        self._gpus = gpus
        self._dropped: dict[str, str] = {}
        """What is said of each one that doesn't."""

    def look(self, now: float) -> Snapshot:
        """One snapshot, of what can be had."""
        machine = Machine()
        if "machine" not in self._dropped:
            try:
                machine = self._machine_sensor().read()
            except Exception as error:  # noqa: BLE001 - whatever a sensor throws, the others go on
                self._drop("machine", error)
        gpus, problem = (), None
        if "gpus" not in self._dropped:
            try:
                gpus, problem = self._gpu_sensor().read(now, machine)
            except Exception as error:  # noqa: BLE001 - as above
                self._drop("gpus", error)
        problems = [*self._dropped.values(), *([problem] if problem else [])]
        return Snapshot(time=time.time(), machine=machine, gpus=gpus, problem=" ".join(problems) or None)

    def close(self) -> None:
        """Gives NVML back."""
        if self._gpus is not None:
            try:
                self._gpus.close()
            except Exception:  # noqa: BLE001 - nothing is left to be done for it
                _log.exception("The GPU sensor could not be closed.")

    def _machine_sensor(self) -> ReadsMachine:
        if self._machine is None:
            from .machine import MachineSensor  # psutil takes 15 ms: not before the first paint

            self._machine = MachineSensor()
        return self._machine

    def _gpu_sensor(self) -> ReadsGpus:
        if self._gpus is None:
            from .accelerators import Accelerators

            self._gpus = Accelerators()
        return self._gpus

    def _drop(self, sensor: str, error: Exception) -> None:
        _log.error("The sensor of the %s failed.", sensor, exc_info=error)
        text = visible_line(str(error)) or type(error).__name__
        self._dropped[sensor] = say(f"sensors.dropped_{sensor}", message=text)
