"""What is under way beside answers: a provider being asked, a model being fetched, a server being started."""

import threading
from collections.abc import Callable, Hashable, Iterable

from ..workbench.errors import QiaoError
from ..workbench.seam import Progress

Work = Callable[[threading.Event], Iterable[Progress] | None]
"""Is done in a thread of its own; blocks, ends soon once the event is set, and raises `QiaoError` for a person."""

Ended = Callable[[QiaoError | None], object]
"""Is told, on the screen, how something ended that wasn't stopped."""


class Job:
    """One of them. The thread writes, the screen reads at any time."""

    def __init__(self, key: Hashable, work: Work, ended: Ended | None) -> None:
        self.key = key
        """The row of the picker that shows it."""
        self.ended = ended
        self.stop = threading.Event()
        self.progress: Progress | None = None
        self.error: QiaoError | None = None
        self._work = work

    def run(self) -> None:
        """Does the work; what goes wrong is kept in `error`."""
        try:
            for progress in self._work(self.stop) or ():
                self.progress = progress
        except QiaoError as error:
            self.error = error
        except Exception as error:  # noqa: BLE001 - a mistake in a backend is told, and ends nothing else
            self.error = QiaoError("asking.failed", message=f"{type(error).__name__}: {error}")


class Jobs:
    """Those that are under way, one a row."""

    def __init__(self, ended: Callable[[Job], None]) -> None:
        """`ended` is called in the job's thread."""
        self._ended = ended
        self._running: dict[Hashable, Job] = {}

    @property
    def running(self) -> list[Job]:
        return list(self._running.values())

    def of(self, key: Hashable) -> Job | None:
        return self._running.get(key)

    def start(self, key: Hashable, work: Work, ended: Ended | None = None) -> Job | None:
        """Begins, unless something is under way for this row already."""
        if key in self._running:
            return None
        job = self._running[key] = Job(key, work, ended)

        def run() -> None:
            job.run()
            self._running.pop(key, None)
            self._ended(job)

        # A daemon: what is slow to stop must not hold up leaving.
        threading.Thread(target=run, name="job", daemon=True).start()
        return job

    def stop(self, key: Hashable) -> bool:
        """Stops what is under way for this row. Returns whether there was anything."""
        job = self._running.get(key)
        if job is not None:
            job.stop.set()
        return job is not None

    def stop_all(self) -> None:
        for job in self.running:
            job.stop.set()
