"""An app whose notices hide little of what lies below them."""

from time import time

from textual.notifications import Notify

from .wire.paced import PacedApp

NOTICES = 2
"""So many are shown at once, the latest."""
TOGETHER_SECONDS = 1.0
"""What is said within so short a time, as at the start, stays together: nobody could have read it yet."""


class FewNotices(PacedApp, inherit_bindings=False):
    """Takes older notices away when another comes."""

    NOTICE_SECONDS = 4.0
    """So long a notice stands; what went wrong, twice as long."""

    def on_notify(self, event: Notify) -> None:
        """Makes room, before Textual shows a notice."""
        # Said again, it takes its own place rather than another.
        again = [notice for notice in self._notifications if notice.message == event.notification.message]
        others = [notice for notice in self._notifications if notice not in again]
        read = [notice for notice in others if time() - notice.raised_at >= TOGETHER_SECONDS]
        for notice in [*again, *read[: max(len(others) - NOTICES + 1, 0)]]:
            self._unnotify(notice, refresh=False)
