"""A library of conversations: the files of some folders, found by name, tag, model, and every word in them.

Nothing is kept on disk. Of 5,000 files of 20 kB (100 MB) the names are known after a second, and a word in their texts
is looked for in some 0.4 s, on one core that is busy otherwise: an index would cost more than it saves. In memory stays
what a list shows, not the texts. All of it is meant for a thread that the screen doesn't wait for.
"""

import threading
from collections.abc import Iterable, Iterator, Mapping, MutableMapping, Sequence
from datetime import datetime
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from . import toml_glance
from .document import untitled_folder
from .listing import DEPTH, File, Kind, Listing, Place
from .paths import config_dir, data_dir
from .peeking import BEGINNING, SEARCHED, peek
from .rescuing import rescue_folder
from .toml_glance import Glance, Needle

_CONTEXT = 30
"""Characters of a line before the match."""
_LONGEST = 300
"""Characters of a line that are shown."""


class Entry(NamedTuple):
    """A conversation, as a list shows it."""

    path: Path
    kind: Kind
    touched: float
    """When it was changed, or opened here if that is later; seconds since the epoch."""
    size: int
    """Bytes."""
    glance: Glance
    """Of a large file, at its beginning only."""

    @property
    def is_large(self) -> bool:
        """Whether words are looked for in its name only."""
        return self.size > SEARCHED

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
    tags: tuple[str, ...] = ()
    """Beginnings of tags."""
    models: tuple[str, ...] = ()
    """Parts of addresses."""
    states: tuple[str, ...] = ()
    """Beginnings of kinds, or of `starred`: with a starred take."""
    dates: tuple[str, ...] = ()
    """Beginnings of the day on which it was touched, as `2026-11`."""

    @classmethod
    def of(cls, typed: str) -> "Query":
        """From a line such as `parcel #mail model:qwen is:starred date:2026-11`."""
        found: dict[str, list[str]] = {"#": [], "model": [], "is": [], "date": []}
        words: list[Needle] = []
        for word in typed.lower().split():
            filtered = filter_in(word)
            if filtered is None:
                words.append(Needle(word))
            else:
                found[filtered[0]].append(filtered[1])
        tags, models, states, dates = map(tuple, found.values())
        return cls(tuple(words), tags, models, states, dates)

    def admits(self, file: File, glance: Glance) -> bool:
        """Whether tags, models, kind, stars and day fit."""
        day = f"{datetime.fromtimestamp(file.touched):%Y-%m-%d}" if self.dates else ""
        states = (file.kind, "starred") if glance.starred else (file.kind,)
        return (
            all(any(own.lower().startswith(tag) for own in glance.tags) for tag in self.tags)
            and all(any(model in own.lower() for own in glance.models) for model in self.models)
            and all(any(own.startswith(state) for own in states) for state in self.states)
            and all(day.startswith(date) for date in self.dates)
        )


def filter_in(word: str) -> tuple[str, str] | None:
    """What a typed word narrows the list by (`#`, `model`, `is`, `date`), and to what; None: it is to be found."""
    if word[0] in "#＃":
        return "#", word[1:]
    name, colon, value = word.replace("：", ":", 1).partition(":")
    return (name.lower(), value) if colon and name.lower() in ("model", "is", "date") else None


class Library:
    """Knows the conversations of some folders. Its methods may be called from several threads."""

    def __init__(self) -> None:
        self._known: dict[str, tuple[tuple[int, int], Glance | None]] = {}
        self._listing: Listing | None = None
        self._looking = threading.Lock()

    def forget_listing(self) -> None:
        """The next search looks into the folders again."""
        self._listing = None

    def look(self, seen: Iterable[str]) -> bool:
        """Whether other programs have changed what a search would find; the next one knows it.

        Args:
            seen: paths that a person has before them.
        """
        with self._looking:
            return self._listing is not None and self._listing.look(seen)

    def search(
        self,
        query: Query,
        places: Iterable[Place],
        used: Mapping[str, float],
        stop: threading.Event,
        judged: MutableMapping[File, Hit | None] | None = None,
    ) -> Iterator[Hit]:
        """The conversations that fit, one after the other as they are found, the latest first.

        Those whose name fits come before those with the words in their text.

        Args:
            query: without words, tags and models everything fits.
            places: where to look, the more telling kind first.
            used: when files were opened last, by absolute path; seconds since the epoch.
            stop: once set, the search is given up.
            judged: what came of files at the last search for the same: those aren't read again. Is brought up to date.
        """
        judged = {} if judged is None else judged
        with self._looking:
            if self._listing is None:
                self._listing = Listing(places, used)
            files = self._listing.files
        left: list[tuple[File, Entry | None, tuple[Needle, ...]]] = []
        for file in files:
            if stop.is_set():
                return
            if file in judged:
                hit = judged[file]
                if hit is not None and hit.excerpt is not None:
                    left.append((file, None, ()))
                elif hit is not None:
                    yield hit
                continue
            found = self._glance(file)
            if found is None or not query.admits(file, found):
                judged[file] = None
                continue
            entry = Entry(Path(file.path), file.kind, file.touched, file.stamp[1], found)
            name = f"{entry.name}\n{entry.path.name}".lower()
            missing = tuple(
                each for each in query.words if each.word not in (file.path.lower() if "/" in each.word else name)
            )
            if missing:
                left.append((file, entry, missing))
            else:
                judged[file] = hit = Hit(entry, None)
                yield hit
        for file, entry, missing in left:
            if stop.is_set():
                return
            if entry is not None:
                excerpt = None if entry.is_large else _found(peek(file.path, SEARCHED), missing)
                judged[file] = None if excerpt is None else Hit(entry, excerpt)
            if (hit := judged[file]) is not None:
                yield hit

    def _glance(self, file: File) -> Glance | None:
        known = self._known.get(file.path)
        if known is None or known[0] != file.stamp:
            most = BEGINNING if file.stamp[1] > SEARCHED else SEARCHED
            known = self._known[file.path] = file.stamp, toml_glance.glance(peek(file.path, most))
        return known[1]


def usual_places(here: Path | None, used: Iterable[str]) -> list[Place]:
    """Where conversations lie: below this folder, in the data folder, and wherever files were opened."""
    return [
        Place(untitled_folder(), 0, "draft"),
        Place(rescue_folder(), 0, "rescued"),
        Place(data_dir() / "templates", 1, "template"),
        Place(config_dir() / "templates", 1, "template"),
        *([] if here is None else [Place(here, DEPTH)]),
        *(Place(folder) for folder in dict.fromkeys(Path(path).parent for path in used)),
    ]


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
            first = _excerpt(text, _place(text, low, here[0]), len(here[0]))
        if len(here) == len(words):
            break
    return None if missing else first


def _place(text: str, low: str, word: str) -> int:
    """Where the word stands in a text that is `low` in small letters, in which some letters (İ) are two."""
    at = low.index(word)
    if len(low) == len(text):
        return at
    ends = accumulate(len(char.lower()) for char in text)
    return next(place for place, end in enumerate(ends) if end > at)


def _excerpt(text: str, at: int, length: int) -> Excerpt:
    start = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    shown_from = start if at - start <= _CONTEXT else at - _CONTEXT
    line = text[shown_from : min(len(text) if end < 0 else end, shown_from + _LONGEST)]
    cut = "…" if shown_from > start else ""
    return Excerpt(cut + line, at - shown_from + len(cut), at - shown_from + len(cut) + length)
