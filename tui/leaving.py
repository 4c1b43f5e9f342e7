"""What is done with conversations before they go from the screen: what streams is stopped, all is saved."""

import asyncio
import time
from collections.abc import Sequence

from ..workbench.document import Document
from .keeper import Keeper
from .session import Session

LEAVE_SECONDS = 0.6
"""At most so long leaving waits for answers to stop; each does within 200 ms."""


async def stop(sessions: Sequence[Session]) -> None:
    """Stops what streams; what has come is taken in."""
    for session in sessions:
        session.stop()
    until = time.monotonic() + LEAVE_SECONDS
    while any(session.runs for session in sessions) and time.monotonic() < until:
        await asyncio.sleep(0.02)
    for session in sessions:
        # A backend that doesn't stop in time: what has come stays.
        for run in list(session.runs):
            session.take_in(run, run.answer)


async def save(sessions: Sequence[Session], keeper: Keeper) -> list[Document]:
    """Saves what isn't. Returns those whose words would be lost: they can't be saved, or their file was deleted."""
    left: list[Document] = []
    for document in [session.document for session in sessions]:
        saved = not document.unsaved or await keeper.save(document)
        if not saved or keeper.is_gone(document):
            left.append(document)
    return left
