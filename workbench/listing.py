"""The files of some folders that may be conversations, kept in step with what other programs do to them.

A look at folders that haven't changed costs a `stat` each: what is made, renamed, deleted or saved as Qiao does it
(a new file, renamed over the old one) shows in the folder's time. What is written into a file as it stands doesn't, so
each look also asks some of the files themselves; those that a person sees come first, all others in turn.
"""

import os
import time
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

Kind = Literal["file", "draft", "rescued", "template"]
"""draft: without a name yet. rescued: it couldn't be saved where it belongs. template: to begin others with."""

FOLDERS = 5_000
"""So many are looked into: who starts Qiao in `/` still gets a list."""
DEPTH = 2
"""Folders below the current one."""
TEMPLATES = ("templates", "examples")
"""Names of folders whose conversations are there to be copied."""
ASKED = 500
"""Files that one look asks for their time, of those that nobody sees."""
SETTLED_S = 2.0
"""A folder that changed so lately may change again without a new time: file systems count in steps of up to 2 s."""
LATEST = 250_000_000_000.0
"""Seconds since the epoch: near the end of the calendar that dates are told by. Some file systems hold later times."""
_PASSED_OVER = ("node_modules", "site-packages", "__pycache__")


class Place(NamedTuple):
    """A folder with conversations in it."""

    folder: Path
    depth: int = 0
    """How far below it is looked."""
    kind: Kind = "file"


class File(NamedTuple):
    """What may be a conversation."""

    path: str
    kind: Kind
    touched: float
    """When it was changed, or opened here if that is later; seconds since the epoch."""
    stamp: tuple[int, int]
    """Modified (ns), bytes."""


class _Folder:
    """A folder as it was found."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.changed: int | None = None
        """Its time (ns) when it was read; None: not read yet, or so soon after a change that it is read again."""
        self.stamps: dict[str, tuple[int, int]] = {}
        self.below: list[str] = []


class Listing:
    """The files of these places. Not for several threads at once.

    Args:
        places: where to look, the more telling kind first.
        used: when files were opened last, by absolute path; seconds since the epoch.
    """

    def __init__(self, places: Iterable[Place], used: Mapping[str, float]) -> None:
        self._places = [place._replace(folder=Path(os.path.abspath(place.folder))) for place in places]
        self._used = used
        self._folders: dict[str, _Folder] = {}
        self._files: Sequence[File] | None = None
        self._turn = 0
        """Of the files that nobody sees, how many were asked in this round."""
        self._walk()

    @property
    def files(self) -> Sequence[File]:
        """The latest first, templates last."""
        if self._files is None:
            found: dict[str, File] = {}
            for folder in self._folders.values():
                is_template = folder.place.kind == "file" and folder.place.folder.name in TEMPLATES
                kind = "template" if is_template else folder.place.kind
                for path, stamp in folder.stamps.items():
                    touched = min(max(stamp[0] / 1e9, self._used.get(path, 0.0)), LATEST)
                    found.setdefault(path, File(path, kind, touched, stamp))
            self._files = sorted(found.values(), key=lambda file: (file.kind == "template", -file.touched))
        return self._files

    def look(self, seen: Iterable[str] = ()) -> bool:
        """Looks whether other programs changed anything.

        Args:
            seen: paths that a person has before them: these are always asked.

        Returns:
            Whether `files` are others now.
        """
        before = self.files
        for path in (*seen, *self._next_in_turn(before)):
            folder = self._folders.get(os.path.dirname(path))
            if folder is not None and path in folder.stamps and folder.stamps[path] != _stamp(path):
                folder.changed = None
        if not self._walk():
            return False
        self._files = None
        return self.files != before

    def _next_in_turn(self, files: Sequence[File]) -> list[str]:
        begin, self._turn = self._turn, self._turn + ASKED
        if self._turn >= len(files):
            self._turn = 0
        return [file.path for file in files[begin : begin + ASKED]]

    def _walk(self) -> bool:
        """Reads what is new or changed. Returns whether there was any."""
        old, self._folders = self._folders, {}
        anything = False
        waiting = list(self._places)
        room = FOLDERS
        while waiting and room:
            place = waiting.pop(0)
            path = str(place.folder)
            known = self._folders.get(path)
            if known is not None and known.place.depth >= place.depth:
                continue
            room -= 1
            if known is not None:
                # Of two places that are one folder, the more telling kind and the greater depth.
                known.place = known.place._replace(depth=place.depth)
                folder = known
            else:
                folder = old.pop(path, None) or _Folder(place)
                folder.place = place
                anything |= _read_again(folder)
                self._folders[path] = folder
            if place.depth:
                waiting += [Place(Path(below), place.depth - 1, place.kind) for below in folder.below]
        return anything or bool(old)


def _read_again(folder: _Folder) -> bool:
    """Reads the folder, unless it is as it was. Returns whether it was read."""
    path = str(folder.place.folder)
    try:
        changed = os.stat(path).st_mtime_ns
    except OSError:
        changed = 0
    if folder.changed == changed:
        return False
    before = folder.stamps, folder.below
    folder.stamps, folder.below = _inside(path)
    # The time was asked first: what happens from then on is seen at the next look.
    folder.changed = changed if abs(time.time() - changed / 1e9) > SETTLED_S else None
    return before != (folder.stamps, folder.below)


def _inside(folder: str) -> tuple[dict[str, tuple[int, int]], list[str]]:
    """The TOML files of a folder with their stamps, and the folders in it that are worth a look."""
    files: dict[str, tuple[int, int]] = {}
    folders: list[str] = []
    try:
        with os.scandir(folder) as entries:
            for entry in entries:
                try:
                    if entry.name.endswith(".toml") and entry.is_file():
                        status = entry.stat()
                        files[entry.path] = status.st_mtime_ns, status.st_size
                    elif entry.name == "pyvenv.cfg":
                        return {}, []
                    elif entry.name[0] != "." and entry.name not in _PASSED_OVER and entry.is_dir():
                        folders.append(entry.path)
                except OSError:
                    continue
    except OSError:
        pass
    return files, folders


def _stamp(path: str) -> tuple[int, int] | None:
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_mtime_ns, status.st_size
