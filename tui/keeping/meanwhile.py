"""Something that is done again and again while the screen's own thread waits for another program."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager


@contextmanager
def doing(work: Callable[[], None], every: float) -> Iterator[None]:
    """Has the work done in a thread every so many seconds; it is done with once this ends."""
    ended = threading.Event()

    def repeat() -> None:
        while not ended.wait(every):
            work()

    thread = threading.Thread(target=repeat, name="meanwhile", daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
