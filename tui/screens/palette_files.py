"""What the palette knows of conversations: those that are open, and the files that the library finds."""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path
from typing import Protocol, cast

from textual.command import Hit, Hits, Provider
from textual.content import Content
from textual.markup import escape

from ...workbench.library import Entry, Library, Query, usual_places
from ...workbench.paths import here
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..input.typed_path import shown_path
from ..keeping import recent_files
from ..keeping.open_before import called
from ..sessions.session import Session
from .palette import with_letters

FILES_LISTED = 50
"""At most so many files at once: more words find the one that is meant."""
FILES_OFFERED = 6
"""Of those touched last, before anything is typed."""
LOOKED_AT_ONCE = 500
"""After so many files keys get a turn."""
PATIENCE_S = 0.02
"""So long it waits for more files to be found."""
LEAST = 0.1
"""What fits by its folder only."""
BEHIND = 0.9
"""An action that fits as well as a file goes before it."""


class Opening(Protocol):
    """Whatever opens conversations."""

    def open_path(self, path: Path) -> None: ...
    def begin_from(self, template: Path) -> None: ...


class Conversations(Protocol):
    """The workbench, as far as it is about conversations that are open."""

    sessions: list[Session]
    current: int

    @property
    def library(self) -> Library: ...
    @property
    def files(self) -> Opening: ...

    def go_to(self, number: int) -> None: ...
    def guarded(self, work: Callable[[], object]) -> None: ...


class _WithWorkbench(Protocol):
    @property
    def workbench(self) -> Conversations: ...


class FileCommands(Provider):
    """Textual asks this for commands, once for each text that is typed. Folders are looked into by a thread."""

    async def startup(self) -> None:
        self._entries: list[Entry] = []
        self._found_all = False
        self._stop = threading.Event()
        threading.Thread(target=self._find, name="palette-files", daemon=True).start()

    async def shutdown(self) -> None:
        self._stop.set()

    @property
    def _workbench(self) -> Conversations:
        return cast(_WithWorkbench, self.app).workbench

    def _find(self) -> None:
        library, used = self._workbench.library, recent_files.load()
        library.look(())
        for hit in library.search(Query(()), usual_places(here(), used), used, self._stop):
            self._entries.append(hit.entry)
        self._found_all = True

    async def _all(self) -> AsyncIterator[Entry]:
        """The files that aren't open, as they are found."""
        opened = {session.document.path for session in self._workbench.sessions}
        seen = 0
        while True:
            found_all = self._found_all
            for entry in self._entries[seen:]:
                seen += 1
                if entry.path not in opened:
                    yield entry
                if seen % LOOKED_AT_ONCE == 0:
                    await asyncio.sleep(0)
            if found_all:
                return
            await asyncio.sleep(PATIENCE_S)

    async def discover(self) -> Hits:
        for session in self._others():
            yield self._to_switch(session, Content(_name_of(session)), 1.0)
        offered = 0
        async for entry in self._all():
            yield self._to_open(entry, Content(visible_line(entry.name)), 0.5)
            offered += 1
            if offered == FILES_OFFERED:
                return

    async def search(self, query: str) -> Hits:
        matcher = self.matcher(query)
        words, letters = query.lower().split(), "".join(query.lower().split())

        def holds_words(entry: Entry) -> bool:
            return all(word in f"{entry.name}\n{entry.path}".lower() for word in words)

        def holds_letters(entry: Entry) -> bool:
            return not holds_words(entry) and with_letters(entry.name.lower(), letters)

        for session in self._others():
            name = _name_of(session)
            if score := matcher.match(name):
                yield self._to_switch(session, matcher.highlight(escape(name)), score)
        listed = 0
        # First those that hold its very words, then those that hold its letters, with others between them.
        for fits in (holds_words, holds_letters):
            async for entry in self._all():
                if not fits(entry):
                    continue
                name = visible_line(entry.name)
                yield self._to_open(entry, matcher.highlight(escape(name)), (matcher.match(name) or LEAST) * BEHIND)
                listed += 1
                if listed == FILES_LISTED:
                    return

    def _others(self) -> list[Session]:
        workbench = self._workbench
        return [session for number, session in enumerate(workbench.sessions) if number != workbench.current]

    def _to_switch(self, session: Session, name: Content, score: float) -> Hit:
        def switch() -> None:
            if session in self._workbench.sessions:
                self._workbench.go_to(self._workbench.sessions.index(session))

        path = "" if session.document.is_untitled else visible_line(shown_path(session.document.path))
        return _hit("screen.use_open", name, switch, path or say("library.draft"), score)

    def _to_open(self, entry: Entry, name: Content, score: float) -> Hit:
        workbench = self._workbench
        opening = workbench.files.begin_from if entry.kind == "template" else workbench.files.open_path
        words = [] if entry.kind == "file" else [say(f"library.{entry.kind}")]
        help_text = " · ".join([*words, visible_line(shown_path(entry.path))])
        return _hit("screen.use_file", name, partial(workbench.guarded, partial(opening, entry.path)), help_text, score)


def _hit(key: str, name: Content, run: Callable[[], object], help_text: str, score: float) -> Hit:
    shown = Content.assemble(say(key, name=""), name)
    return Hit(score, shown, run, shown.plain, escape(help_text))


def _name_of(session: Session) -> str:
    return visible_line(called(session.document))
