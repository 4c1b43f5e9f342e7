"""Keeps documents in step with their files: saved within a second of an edit, watched for other programs' changes."""

import asyncio
import threading
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from ...workbench.conversation import Conversation
from ...workbench.document import Document
from ...workbench.errors import QiaoError, Unreadable
from ...workbench.rescuing import rescue_folder, save_beside
from ...workbench.saving import ChangedOnDisk
from ...workbench.visible import visible_line
from ...workbench.words import say

SAVE_AFTER = 0.4
"""Seconds after the last of a burst of edits."""
RETRY_AFTER = 5.0
"""Seconds after a save that failed."""
MISSED = 2
"""Looks in a row without a file, after which it counts as deleted."""
TRIES = 3
"""So often a save begins anew because another program writes the file at the same time."""


class _Elsewhere(NamedTuple):
    """A copy of a document that couldn't be saved."""

    path: Path
    conversation: Conversation


class Keeper:
    """Saves and watches the documents that are open. Files are touched in worker threads only.

    Args:
        documents: those open now.
        conflicted: called when a file was changed by another program and the two can't be merged by themselves.
        told: called with a notice (a word key) when something happened that the person should know.
        changed: called when what `state` says may have changed.
    """

    def __init__(
        self,
        documents: Callable[[], list[Document]],
        conflicted: Callable[[Document], None],
        told: Callable[[Document, str], None],
        changed: Callable[[], None],
    ) -> None:
        self._documents = documents
        self._conflicted = conflicted
        self._told = told
        self._changed = changed
        self._problems: dict[int, str] = {}
        self._asked: set[int] = set()
        """In conflict with their files: the person was asked, and hasn't decided."""
        self._paused: set[int] = set()
        """Could not be saved or read just now."""
        self._elsewhere: dict[int, _Elsewhere] = {}
        self._keeping = threading.Lock()
        """Leaving may want a copy kept just as one is being written."""
        self._missed: Counter[int] = Counter()
        """So many looks in a row found no file."""
        self._busy = asyncio.Lock()

    def problem(self, document: Document) -> str | None:
        """Why the document couldn't be saved, if it couldn't."""
        return self._problems.get(id(document))

    async def save(self, document: Document, *, again: bool = False, leaving: bool = False) -> bool:
        """Writes now. Returns whether all of it is in the file: not if that is gone, or can't be read any more.

        Args:
            again: also a file that is gone though nothing was edited since.
            leaving: a conflict that the person has put off isn't asked about again.
        """
        saved = False
        async with self._busy:
            put_off = leaving and id(document) in self._asked
            for _ in range(TRIES):
                try:
                    await asyncio.to_thread(document.save, again=again)
                except ChangedOnDisk:
                    # What was merged is still to be written.
                    if await self._settle(document, put_off=put_off):
                        continue
                except QiaoError as error:
                    await self._failed(document, error)
                else:
                    error = await asyncio.to_thread(document.only_here) if document.conversation.messages else None
                    saved = error is None
                    if error is None:
                        self.settled(document)
                    else:
                        self._problems.setdefault(id(document), str(error))
                break
        self._changed()
        return saved and not document.unsaved

    async def take_in(self, document: Document, notice: str) -> str | None:
        """Takes in now what was written into the file, as `watch` does.

        Args:
            notice: a word key, told once it is.

        Returns:
            Why it can't be read; None if all is well, or the person was asked.
        """
        async with self._busy:
            if await asyncio.to_thread(document.changed_on_disk, waiting=True):
                await self._settle(document, notice)
            elif not document.unsaved and await asyncio.to_thread(document.only_here) is None:
                self.settled(document)
        self._changed()
        return None if id(document) in self._asked else self.problem(document)

    async def watch(self) -> None:
        """Runs for ever: saves what was edited, takes in what others wrote."""
        while True:
            await asyncio.sleep(SAVE_AFTER)
            for document in self._documents():
                if id(document) in self._asked | self._paused or document.read_only:
                    continue
                if document.unsaved:
                    await self.save(document)
                elif await asyncio.to_thread(document.changed_on_disk):
                    async with self._busy:
                        # What was taken in meanwhile isn't told twice.
                        if await asyncio.to_thread(document.changed_on_disk, waiting=True):
                            await self._settle(document)
                    self._changed()
                elif await asyncio.to_thread(document.is_gone):
                    await self._miss(document)
                elif self._missed.pop(id(document), 0) >= MISSED or self.problem(document) is not None:
                    # The file is again what it was.
                    self.settled(document)
                    self._changed()

    async def _miss(self, document: Document) -> None:
        """There is no file. Programs that save by renaming leave none for a moment, so one look doesn't tell."""
        self._missed[id(document)] += 1
        if self._missed[id(document)] == MISSED:
            self._problems[id(document)] = say("screen.gone")
            self._told(document, "screen.told_gone")
            self._changed()
            if document.conversation.messages:
                # Nothing else holds it but this program, which may be killed.
                await asyncio.to_thread(self.keep_elsewhere, document)

    async def _settle(self, document: Document, reloaded: str = "screen.reloaded", *, put_off: bool = False) -> bool:
        """Another program wrote the file: taken in if we have nothing unsaved, merged if that is unambiguous.

        Args:
            reloaded: the notice, a word key, if we had nothing unsaved.
            put_off: the person was asked, and isn't to be asked again now.

        Returns:
            False: it is neither, and the person was told or asked.
        """
        try:
            if not document.unsaved:
                document.reload()
                notice = reloaded
            elif self._merged(document):
                notice = "screen.merged"
            else:
                if not put_off:
                    self.ask(document)
                return False
        except QiaoError as error:
            await self._failed(document, error)
            return False
        self.settled(document)
        self._told(document, "screen.reloaded_read_only" if document.read_only else notice)
        return True

    def ask(self, document: Document) -> None:
        """Has the person decide between what is here and what is in the file."""
        file = visible_line(document.path.name)
        self._problems[id(document)] = str(ChangedOnDisk("document.changed_on_disk", file=file))
        self._asked.add(id(document))
        self._conflicted(document)

    def asks_about(self, document: Document) -> bool:
        """Whether that is still to be decided."""
        return id(document) in self._asked

    @staticmethod
    def _merged(document: Document) -> bool:
        """Whether theirs could be taken in; what can't even be read can't."""
        try:
            return document.merge()
        except Unreadable:
            return False

    async def _failed(self, document: Document, error: QiaoError) -> None:
        """Says why, and tries again in a while; what may be in no file by now is kept elsewhere meanwhile."""
        self._problems[id(document)] = str(error)
        self._paused.add(id(document))
        asyncio.get_running_loop().call_later(RETRY_AFTER, self._paused.discard, id(document))
        if document.unsaved or document.conversation.messages:
            await asyncio.to_thread(self.keep_elsewhere, document)

    def keep_elsewhere(self, document: Document) -> None:
        """What can't be saved where it belongs is kept in the data folder until it can, or for another start."""
        # Writing it fails too on a full disk: what was kept before stays.
        with self._keeping, suppress(QiaoError):
            if self.kept_elsewhere(document):
                return
            conversation = document.conversation
            before = self._elsewhere.get(id(document))
            self._elsewhere[id(document)] = _Elsewhere(save_beside(rescue_folder(), document), conversation)
            if before is not None:
                before.path.unlink(missing_ok=True)

    def kept_elsewhere(self, document: Document) -> bool:
        """Whether all of it is in the data folder, since it can't be saved where it belongs."""
        kept = self._elsewhere.get(id(document))
        return kept is not None and kept.conversation is document.conversation

    def forget(self, document: Document) -> None:
        """It is no longer open. A copy in the data folder stays there."""
        for known in (self._elsewhere, self._problems, self._missed):
            known.pop(id(document), None)
        self._asked.discard(id(document))

    def settled(self, document: Document) -> None:
        """All is well with the document and its file again: saved, or the person has decided about a conflict."""
        if (kept := self._elsewhere.pop(id(document), None)) is not None:
            kept.path.unlink(missing_ok=True)
        self._problems.pop(id(document), None)
        self._missed.pop(id(document), None)
        self._asked.discard(id(document))
