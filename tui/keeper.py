"""Keeps documents in step with their files: saved within a second of an edit, watched for other programs' changes."""

import asyncio
from collections.abc import Callable

from ..workbench.document import Document
from ..workbench.errors import QiaoError
from ..workbench.saving import ChangedOnDisk

SAVE_AFTER = 0.4
"""Seconds after the last of a burst of edits."""
RETRY_AFTER = 5.0
"""Seconds after a save that failed."""


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
        self._waiting: set[int] = set()
        self._busy = asyncio.Lock()

    def problem(self, document: Document) -> str | None:
        """Why the document couldn't be saved, if it couldn't."""
        return self._problems.get(id(document))

    async def save(self, document: Document) -> bool:
        """Writes now. Returns whether all of it is in the file."""
        async with self._busy:
            try:
                await asyncio.to_thread(document.save)
            except ChangedOnDisk:
                await self._settle(document)
            except QiaoError as error:
                self._problems[id(document)] = str(error)
            else:
                self._problems.pop(id(document), None)
        self._changed()
        return not document.unsaved

    async def watch(self) -> None:
        """Runs for ever: saves what was edited, takes in what others wrote."""
        while True:
            await asyncio.sleep(SAVE_AFTER)
            for document in self._documents():
                if id(document) in self._waiting or document.read_only:
                    continue
                if document.unsaved:
                    if await self.save(document) or id(document) not in self._problems:
                        continue
                    self._pause(document)
                elif await asyncio.to_thread(document.changed_on_disk):
                    async with self._busy:
                        await self._settle(document)
                    self._changed()

    def _pause(self, document: Document) -> None:
        self._waiting.add(id(document))
        asyncio.get_running_loop().call_later(RETRY_AFTER, self._waiting.discard, id(document))

    async def _settle(self, document: Document) -> None:
        """Another program wrote the file: taken in if we have nothing unsaved, merged if that is unambiguous."""
        try:
            if not document.unsaved:
                document.reload()
                self._told(document, "screen.reloaded")
            elif document.merge():
                self._told(document, "screen.merged")
            else:
                self._waiting.add(id(document))
                self._conflicted(document)
        except QiaoError as error:
            self._problems[id(document)] = str(error)
            self._pause(document)

    def settled(self, document: Document) -> None:
        """The person has decided about a conflict."""
        self._waiting.discard(id(document))
