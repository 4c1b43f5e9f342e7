"""The tour of the first start: five steps, each of which waits for the real thing to be done."""

from ..workbench import paths
from .keeping import remembered
from .sessions.session import Session

STEPS = 5


def is_first_start() -> bool:
    """Whether nobody has worked here yet, nor been shown the tour."""
    known = remembered.load()
    untitled = paths.data_dir() / "untitled"
    return not (known.toured or known.recent or (untitled.is_dir() and any(untitled.iterdir())))


class Tour:
    """How far one is."""

    def __init__(self) -> None:
        self.step = 1
        """From 1; behind the last one, the tour is done."""

    @property
    def is_done(self) -> bool:
        return self.step > STEPS

    def go_on(self, session: Session, *, shown: str | None = None) -> None:
        """Goes on past whatever has been done.

        Args:
            session: the conversation in front; what is still being written or answered there isn't done.
            shown: the action whose screen has just opened.
        """
        while not self.is_done and self._is_made(session, shown):
            self.step += 1

    def _is_made(self, session: Session, shown: str | None) -> bool:
        if session.editing is not None or session.runs:
            return False
        takes = [take for message in session.messages for take in message.takes if take.error is None]
        match self.step:
            case 1:
                return any(message.role == "user" and message.text.strip() for message in session.messages)
            case 2:
                return bool(takes)
            case 3:
                return len({take.prompt_hash for take in takes}) > 1
            case 4:
                return shown == "compare"
            case _:
                return shown == "seen"
