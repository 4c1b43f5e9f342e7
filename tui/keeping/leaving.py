"""What is done with conversations before they go from the screen: what streams is stopped, all is saved."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from functools import partial

from ...workbench.document import Document
from ...workbench.errors import QiaoError
from ..sessions import aside
from ..sessions.running import Run
from ..sessions.session import Session
from .keeper import Keeper

LEAVE_SECONDS = 0.6
"""At most so long leaving waits for answers to stop; each does within 200 ms."""


async def stop(sessions: Sequence[Session], opened: list[Session]) -> None:
    """Stops what streams; what has come is taken in.

    Args:
        opened: all that are open, for what comes too late for its own.
    """
    for session in sessions:
        session.answering.stop()
    until = time.monotonic() + LEAVE_SECONDS
    while any(session.runs for session in sessions) and time.monotonic() < until:
        await asyncio.sleep(0.02)
    for session in sessions:
        # A backend that doesn't stop in time: what has come stays.
        for run in list(session.runs):
            aside.put(partial(_take_in, run), session, opened)


def _take_in(run: Run, session: Session) -> None:
    session.answering.take_in(run, run.answer)


async def save(sessions: Sequence[Session], keeper: Keeper) -> list[Document]:
    """Saves what isn't. Returns those whose words would be lost: no file holds all of them."""
    documents = [session.document for session in sessions]
    return [document for document in documents if not await keeper.save(document, leaving=True)]


def rescue(sessions: list[Session], keeper: Keeper) -> None:
    """Saves all that can be saved, where it belongs or else in the data folder. For ends that nobody chose."""
    for session in list(sessions):
        for run in list(session.runs):
            run.stop.set()
            with suppress(QiaoError):
                aside.put(partial(_take_in, run), session, sessions)
    for document in [session.document for session in sessions]:
        try:
            document.save()
            lost = document.conversation.messages and document.only_here()
        except QiaoError:
            lost = True
        if lost:
            keeper.keep_elsewhere(document)
