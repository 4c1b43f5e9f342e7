"""A library of conversations: the files of some folders, found by name, tag, model, and every word in them.

Nothing is kept on disk. Of 5,000 files of 20 kB (100 MB) the names are known after a second, and a word in their texts
is looked for in some 0.4 s, on one core that is busy otherwise: an index would cost more than it saves. In memory stays
what a list shows, not the texts. All of it is meant for a thread that the screen doesn't wait for.
"""

import os
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

from . import toml_glance
from .paths import config_dir, data_dir
from .rescuing import rescue_folder
from .toml_glance import Glance, Needle

Kind = Literal["file", "draft", "rescued", "template"]
"""draft: without a name yet. rescued: it couldn't be saved where it belongs. template: to begin others with."""

FOLDERS = 5_000
"""So many are looked into: who starts Qiao in `/` still gets a list."""
DEPTH = 2
"""Folders below the current one."""
TEMPLATES = ("templates", "examples")
"""Names of folders whose conversations are there to be copied."""
STARRED = "is:starred"
"""Asks for conversations with a starred take."""
_PASSED_OVER = ("node_modules", "site-packages", "__pycache__")
_CONTEXT = 30
"""Characters of a line before the match."""
_LONGEST = 300
"""Characters of a line that are shown."""


class Place(NamedTuple):
    """A folder with conversations in it."""

    folder: Path
    depth: int = 0
    """How far below it is looked."""
    kind: Kind = "file"


class Entry(NamedTuple):
    """A conversation, as a list shows it."""

    path: Path
    kind: Kind
    touched: float
    """When it was changed, or opened here if that is later; seconds since the epoch."""
    size: int
    """Bytes."""
    glance: Glance

    @property
    def name(self) -> str:
        """What it is called: its title, else a draft's first words, else its file's name."""
        opening = self.glance.opening if self.kind == "draft" else ""
        return self.glance.title or opening or self.path.stem


class Excerpt(NamedTuple):
    """A piece of a line, with what was looked for at `start:end`."""

    line: str
    start: int
    end: int


class Hit(NamedTuple):
    """A conversation that fits a query; `excerpt`: where, unless its name does."""

    entry: Entry
    excerpt: Excerpt | None


class Query(NamedTuple):
    """What is looked for: all of it must fit, in any order, in upper or lower case."""

    words: tuple[Needle, ...]
    tags: tuple[str, ...]
    """Beginnings of tags."""
    models: tuple[str, ...]
    """Parts of addresses."""
    starred: bool = False
    """Only those with a starred take."""

    @classmethod
    def of(cls, typed: str) -> "Query":
        """From a line such as `parcel #mail model:qwen is:starred`."""
        tags: list[str] = []
        models: list[str] = []
        words: list[Needle] = []
        parts = typed.lower().split()
        for word in parts:
            if word[0] in "#＃":
                tags.append(word[1:])
            elif word.startswith("model:"):
                models.append(word.removeprefix("model:"))
            elif word != STARRED:
                words.append(Needle(word))
        return cls(tuple(words), tuple(tags), tuple(models), STARRED in parts)

    def admits(self, glance: Glance) -> bool:
        """Whether tags, models and stars fit."""
        if self.starred and not glance.starred:
            return False
        return all(any(own.lower().startswith(tag) for own in glance.tags) for tag in self.tags) and all(
            any(model in own.lower() for own in glance.models) for model in self.models
        )


class _File(NamedTuple):
    path: str
    kind: Kind
    touched: float
    stamp: tuple[int, int]
    """Modified (ns), bytes."""


class Library:
    """Knows the conversations of some folders. Its methods may be called from several threads."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[int, int], Glance | None]] = {}
        self._files: Sequence[_File] | None = None
        self._looking = threading.Lock()

    def forget_listing(self) -> None:
        """The next search looks into the folders again."""
        self._files = None

    def search(
        self, query: Query, places: Iterable[Place], used: Mapping[str, float], stop: threading.Event
    ) -> Iterator[Hit]:
        """The conversations that fit, one after the other as they are found, the latest first.

        Those whose name fits come before those with the words in their text.

        Args:
            query: without words, tags and models everything fits.
            places: where to look, the more telling kind first.
            used: when files were opened last, by absolute path; seconds since the epoch.
            stop: once set, the search is given up.
        """
        with self._looking:
            if self._files is None:
                self._files = _listing(places, used)
            files = self._files
        left: list[tuple[Entry, tuple[Needle, ...]]] = []
        for file in files:
            if stop.is_set():
                return
            found = self._glance(file)
            if found is None or not query.admits(found):
                continue
            entry = Entry(Path(file.path), file.kind, file.touched, file.stamp[1], found)
            name = f"{entry.name}\n{entry.path.name}".lower()
            missing = tuple(
                each for each in query.words if each.word not in (file.path.lower() if "/" in each.word else name)
            )
            if missing:
                left.append((entry, missing))
            else:
                yield Hit(entry, None)
        for entry, missing in left:
            if stop.is_set():
                return
            excerpt = _found(_read(str(entry.path)), missing)
            if excerpt is not None:
                yield Hit(entry, excerpt)

    def _glance(self, file: _File) -> Glance | None:
        known = self._known.get(file.path)
        if known is None or known[0] != file.stamp:
            known = self._known[file.path] = file.stamp, toml_glance.glance(_read(file.path))
        return known[1]


def usual_places(here: Path, used: Iterable[str]) -> list[Place]:
    """Where conversations lie: below this folder, in the data folder, and wherever files were opened."""
    return [
        Place(data_dir() / "untitled", 0, "draft"),
        Place(rescue_folder(), 0, "rescued"),
        Place(data_dir() / "templates", 1, "template"),
        Place(config_dir() / "templates", 1, "template"),
        Place(here, DEPTH),
        *(Place(folder) for folder in dict.fromkeys(Path(path).parent for path in used)),
    ]


def _read(path: str) -> bytes:
    """The file's content; nothing, if it can't be read: opening it will say why."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        return b""


def _listing(places: Iterable[Place], used: Mapping[str, float]) -> list[_File]:
    """The files that may be conversations, the latest first, templates last."""
    found: dict[str, _File] = {}
    room = FOLDERS
    for place in places:
        folders = [(os.path.abspath(place.folder), place.depth)]
        while folders and room:
            room -= 1
            folder, depth = folders.pop(0)
            kind: Kind = "template" if place.kind == "file" and os.path.basename(folder) in TEMPLATES else place.kind
            files, below = _inside(folder)
            for path, modified, size in files:
                touched = max(modified / 1e9, used.get(path, 0.0))
                found.setdefault(path, _File(path, kind, touched, (modified, size)))
            if depth:
                folders += [(path, depth - 1) for path in below]
    return sorted(found.values(), key=lambda file: (file.kind == "template", -file.touched))


def _inside(folder: str) -> tuple[list[tuple[str, int, int]], list[str]]:
    """The TOML files of a folder (path, modified in ns, bytes), and the folders in it that are worth a look."""
    files: list[tuple[str, int, int]] = []
    folders: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                try:
                    if entry.name.endswith(".toml") and entry.is_file():
                        status = entry.stat()
                        files.append((entry.path, status.st_mtime_ns, status.st_size))
                    elif entry.name == "pyvenv.cfg":
                        return [], []
                    elif entry.name[0] != "." and entry.name not in _PASSED_OVER and entry.is_dir():
                        folders.append(entry.path)
                except OSError:
                    continue
    except OSError:
        pass
    return files, folders


def _found(data: bytes, words: Sequence[Needle]) -> Excerpt | None:
    """Where the words stand, if all of them are in the texts of the file: best, in one of them."""
    lowered = data.lower()
    if not all(word.may_be_in(data, lowered) for word in words):
        return None
    missing = {word.word for word in words}
    first: Excerpt | None = None
    for text in toml_glance.texts(data):
        low = text.lower()
        here = [word.word for word in words if word.word in low]
        if not here:
            continue
        missing.difference_update(here)
        if first is None or len(here) == len(words):
            first = _excerpt(text, low.index(here[0]), len(here[0]))
        if len(here) == len(words):
            break
    return None if missing else first


def _excerpt(text: str, at: int, length: int) -> Excerpt:
    start = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    shown_from = start if at - start <= _CONTEXT else at - _CONTEXT
    line = text[shown_from : min(len(text) if end < 0 else end, shown_from + _LONGEST)]
    cut = "…" if shown_from > start else ""
    return Excerpt(cut + line, at - shown_from + len(cut), at - shown_from + len(cut) + length)
