"""How long nothing has come, whatever keeps the connection alive meanwhile."""

import time

from ...workbench.seam import Event, Failed, Progress, Started, Text, Thinking
from ..providers import Provider
from .failures import Refusal


class Silence:
    """Watches over one answer: comments and empty chunks that keep its connection open count for nothing."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._sent = False
        self._begun = False
        self._last = time.monotonic()

    def heard(self, event: Event) -> None:
        """Something came."""
        self._last = time.monotonic()
        if isinstance(event, Progress) and event.stage == "retrying":
            # A wait that was asked for.
            self._sent = False
        self._sent = self._sent or isinstance(event, Started)
        self._begun = self._begun or isinstance(event, Text | Thinking)

    def is_too_long(self) -> bool:
        """Whether the answer counts as broken off by now."""
        return self._sent and time.monotonic() - self._last > self._limit

    def failed(self) -> Failed:
        """What to say then."""
        seconds = f"{self._limit:g}"
        if self._begun:
            return Refusal("remote.stalled", "stalled", title=self._provider.shown, seconds=seconds).failed()
        return Refusal("remote.no_first", "stalled", title=self._provider.shown, seconds=seconds).failed()

    @property
    def _limit(self) -> float:
        return self._provider.stall_seconds if self._begun else self._provider.first_seconds
