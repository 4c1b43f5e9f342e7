"""The files that the palette knows: those that the library finds, in a thread."""

import threading
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

from ...workbench.library import Library, Query, usual_places
from ...workbench.listing import Kind
from ...workbench.paths import here
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..input.typed_path import shown_path
from ..keeping import recent_files


class FoundFile(NamedTuple):
    """A conversation file, as the palette shows it."""

    path: Path
    kind: Kind
    name: str
    where: str

    @property
    def told(self) -> str:
        """What it is, and where."""
        return self.where if self.kind == "file" else f"{say(f'library.{self.kind}')} · {self.where}"


class FoundFiles:
    """Conversation files, the latest first, as they are found.

    Args:
        library: what it knows already.
        left_out: absolute paths of those that are open.
    """

    def __init__(self, library: Library, left_out: Collection[Path]) -> None:
        self.files: list[FoundFile] = []
        self.done = False
        """All are found."""
        self._library = library
        self._left_out = left_out
        self._stop = threading.Event()

    def start(self) -> None:
        threading.Thread(target=self._find, name="palette-files", daemon=True).start()

    def stop(self) -> None:
        self._stop.set()

    def _find(self) -> None:
        used = recent_files.load()
        self._library.look(())
        for entry, _ in self._library.search(Query(()), usual_places(here(), used), used, self._stop):
            if entry.path not in self._left_out:
                where = visible_line(shown_path(entry.path))
                self.files.append(FoundFile(entry.path, entry.kind, visible_line(entry.name), where))
        self.done = True
