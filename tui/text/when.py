"""Times as lists show them."""

from datetime import datetime


def when(changed: float) -> str:
    """A date, or today's time."""
    moment, today = datetime.fromtimestamp(changed), datetime.now()
    return f"{moment:%H:%M}" if moment.date() == today.date() else f"{moment:%Y-%m-%d}"
