"""Words that come too late for their conversation: a newer Qiao wrote its file meanwhile, so that it is only shown."""

from collections.abc import Callable

from ...workbench.document import Document, ReadOnly
from .session import Session

Late = Callable[[Session], str | None]
"""Puts something into the conversation that it is given; returns what is to be said of it, a word key."""


def put(work: Late, session: Session, sessions: list[Session]) -> tuple[str | None, Session]:
    """Puts something into a conversation; if that is read-only, into an untitled copy of it.

    Args:
        session: where it belongs.
        sessions: those that are open. The copy is added, unless it came to nothing, or there is one already.

    Returns:
        What is to be said, a word key, and where it was put.
    """
    try:
        return work(session), session
    except ReadOnly:
        copy = session.copy
        if copy is None or copy not in sessions or copy.document.read_only:
            copy = Session(Document.untitled(session.conversation))
        copy.selected = session.selected
        notice = work(copy)
        if copy not in sessions:
            if not copy.document.unsaved:
                return notice, session
            session.copy = copy
            sessions.append(copy)
        return "screen.kept_in_copy", copy
