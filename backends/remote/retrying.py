"""How long to wait before a request is sent again: as the server wishes, else twice as long each time."""

import random
import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime

MOST_TRIES = 5
FIRST_SECONDS = 1.0
LONGEST_SECONDS = 120.0
"""A server that wants more isn't waited for: the person is told, and decides."""


class Retries:
    """The tries of one request."""

    def __init__(self) -> None:
        self.tries = 1
        """How many were made, the one under way included."""

    def wait(self, wanted: float | None) -> float | None:
        """Seconds until the next try; None: there is none.

        Args:
            wanted: seconds, as the server asks.
        """
        if self.tries >= MOST_TRIES or (wanted is not None and wanted > LONGEST_SECONDS):
            return None
        own = FIRST_SECONDS * 2 ** (self.tries - 1) * random.uniform(0.75, 1.25)
        self.tries += 1
        return own if wanted is None else max(wanted, 0.0)


def wanted_seconds(headers: Mapping[str, str]) -> float | None:
    """What the headers of a reply ask for: milliseconds, seconds, or a date. None: nothing that can be understood."""
    for name, unit in (("retry-after-ms", 1000.0), ("retry-after", 1.0)):
        value = headers.get(name, "").strip()
        try:
            seconds = float(value) / unit
        except ValueError:
            continue
        if 0 <= seconds < float("inf"):
            return seconds
    try:
        moment = parsedate_to_datetime(headers.get("retry-after", ""))
    except (ValueError, TypeError):
        return None
    return max(moment.timestamp() - time.time(), 0.0)
