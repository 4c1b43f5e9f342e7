"""The library: conversations here and in the data folder, searched in full text as one types; or any path."""

import threading
from collections.abc import Collection, Hashable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from textual.app import ComposeResult
from textual.widgets import Input, Static

from ...workbench.errors import QiaoError
from ...workbench.exchange.files import is_foreign
from ...workbench.library import STARRED, Entry, Excerpt, Hit, Library, Query, usual_places
from ...workbench.tags import tags_line
from ...workbench.visible import visible_line
from ...workbench.words import say
from .. import recent_files
from ..glyphs import glyphs
from ..inks import Inks
from ..panes.rows import Row, Rows
from ..transcript.blocks import short_model
from ..typed_path import shown_path, typed_path
from ..when import when
from ..wrap import Run, truncate
from .filtered import FilteredList

LISTED = 200
"""Conversations; who wants others types a word more."""
LOOKS_A_SECOND = 15
MODEL_CELLS = 18


class Chosen(NamedTuple):
    """What is to be opened."""

    path: Path
    is_template: bool
    """A conversation of its own begins as a copy of it."""


class _Search:
    """A search under way in a thread of its own, looked at by the screen."""

    def __init__(self, library: Library, typed: str) -> None:
        self.hits: list[Hit] = []
        self.count = 0
        self.done = False
        self._stop = threading.Event()
        self._library = library
        self._typed = typed

    def start(self) -> None:
        threading.Thread(target=self._run, name="library", daemon=True).start()

    def give_up(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        used = recent_files.load()
        for hit in self._library.search(Query.of(self._typed), usual_places(Path.cwd(), used), used, self._stop):
            self.count += 1
            if self.count <= LISTED:
                self.hits.append(hit)
            elif self._typed.strip():
                break
        self.done = True


class LibraryScreen(FilteredList[Chosen]):
    """enter opens what is selected; a path that is typed and isn't listed is opened, or made, as it stands.

    Args:
        inks: of the theme.
        library: what it knows already.
        open_files: absolute paths of the conversations that are open.
    """

    CSS_PATH = ["filtered.tcss", "library.tcss"]

    def __init__(self, inks: Inks, library: Library, open_files: Collection[Path] = ()) -> None:
        super().__init__(inks, say("library.title"))
        library.forget_listing()
        self._library = library
        self._open = open_files
        self._search = _Search(library, "")
        self._shown = -1
        """Hits of the search that the rows show; -1: the rows are still those of the search before."""
        self._rows: list[Row] = []
        self._is_awaited = False
        """enter was pressed before there was anything to choose."""
        self._has_moved = False

    def below(self) -> ComposeResult:
        yield Static("", id="library-detail", markup=False)

    def on_mount(self) -> None:
        # The base class's own comes after this one, and begins the first search.
        self.query_one(Input).placeholder = say("library.placeholder")
        self._ticker = self.set_interval(1 / LOOKS_A_SECOND, self._look)

    def on_unmount(self) -> None:
        self._search.give_up()

    def refresh_rows(self) -> None:
        """Searches for what is typed now; the rows follow as something is found."""
        self._search.give_up()
        self._search = _Search(self._library, self.typed)
        self._shown, self._is_awaited = -1, False
        self._search.start()
        self._ticker.resume()

    def _look(self) -> None:
        search = self._search
        done, found = search.done, len(search.hits)
        if done:
            self._ticker.pause()
        if found > self._shown if self._shown >= 0 else found or done:
            is_new = self._shown < 0
            if is_new:
                self._shown, self._rows = 0, []
            self._show(search.hits[self._shown : found])
            if is_new:
                super().action_step(-99999)
                self._has_moved = False
            if not self._has_moved:
                self._select_another()
        if done:
            self.tell(say("library.count", n=search.count) if self._is_all else self._found_words)
        if self._is_awaited and (done or found):
            self._is_awaited = False
            self.choose(self.selected)

    def _select_another(self) -> None:
        """Of all conversations, the latest one that isn't open already is the one that enter should open."""
        hits = self._search.hits[: self._shown]
        another = next((i for i, hit in enumerate(hits) if hit.entry.path not in self._open), None)
        if self._is_all and another is not None:
            self.query_one(Rows).select(another)
        self._show_detail()

    @property
    def _is_all(self) -> bool:
        return not self.typed.strip()

    @property
    def _found_words(self) -> str:
        search = self._search
        return say("library.more" if search.count > LISTED else "library.found", n=min(search.count, LISTED))

    def _show(self, further: list[Hit]) -> None:
        for number, hit in enumerate(further, self._shown):
            self._rows.append(_row(hit.entry, number, hit.entry.path in self._open))
            if hit.excerpt is not None:
                self._rows.append(_excerpt_row(hit.excerpt))
        self._shown += len(further)
        self.query_one(Rows).show([*self._rows] or [Row((Run(self._nothing_words(), "faint"),))])

    def _nothing_words(self) -> str:
        if self._is_all:
            return say("library.empty")
        with suppress(QiaoError, OSError):
            if not _is_filter(self.typed):
                path = typed_path(self.typed)
                if path.is_file() or not is_foreign(path):
                    key = "library.opens" if path.is_file() else "library.makes"
                    return say(key, path=visible_line(shown_path(path)))
        return say("library.nothing")

    def _show_detail(self) -> None:
        hit = self._hit(self.selected)
        self.query_one("#library-detail", Static).update("" if hit is None else _detail(hit.entry), layout=False)

    def _hit(self, key: Hashable | None) -> Hit | None:
        return self._search.hits[key] if isinstance(key, int) and 0 <= key < self._shown else None

    def action_step(self, step: int) -> None:
        super().action_step(step)
        self._has_moved = True
        self._show_detail()

    def choose(self, key: Hashable | None) -> None:
        try:
            typed = typed_path(self.typed) if self.typed.strip() and not _is_filter(self.typed) else None
            is_file = typed is not None and typed.is_file()
        except (OSError, QiaoError) as error:
            typed, is_file = None, False
            if self._search.done and not self._search.hits:
                self.app.notify(visible_line(str(error)), severity="error", markup=False)
                return
        hit = self._hit(key)
        if typed is not None and is_file:
            self.dismiss(Chosen(typed, False))
        elif hit is not None:
            self.dismiss(Chosen(hit.entry.path, hit.entry.kind == "template"))
        elif not self._search.done:
            self._is_awaited = True
        elif typed is not None:
            self.dismiss(Chosen(typed, False))


def _is_filter(typed: str) -> bool:
    """Whether it can only be meant to search, not to name a file."""
    return any(word[0] in "#＃" or word.startswith("model:") or word == STARRED for word in typed.lower().split())


def _row(entry: Entry, key: int, is_open: bool) -> Row:
    has_title = entry.name != entry.path.stem
    left = [Run(visible_line(entry.name if has_title else entry.path.name), "text")]
    if entry.glance.starred:
        left.append(Run(f" {glyphs.star}", "accent"))
    if tags := entry.glance.tags:
        left.append(Run(f"  {visible_line(tags_line(tags, '#'))}", "user"))
    if entry.kind == "file":
        # The end of a long path is cut off, so a file without a title has its name before its folder.
        where = shown_path(entry.path if has_title else entry.path.parent)
        left.append(Run(f"  {visible_line(where)}" if where != "." else "", "faint"))
    right = [Run(f"{visible_line(truncate(short_model(each), MODEL_CELLS))}  ", "muted") for each in _models(entry)[:1]]
    if is_open:
        right.insert(0, Run(f"{say('library.open')}  ", "muted"))
    elif entry.kind != "file":
        right.insert(0, Run(f"{say(f'library.{entry.kind}')}  ", "accent" if entry.kind == "rescued" else "muted"))
    return Row(tuple(left), (*right, Run(f"{when(entry.touched):>10}", "muted")), key)


def _models(entry: Entry) -> tuple[str, ...]:
    """The latest to answer first."""
    return entry.glance.models[::-1]


def _excerpt_row(excerpt: Excerpt) -> Row:
    line, start, end = excerpt
    before, match, after = (visible_line(part) for part in (line[:start], line[start:end], line[end:]))
    return Row((Run("   "), Run(before.lstrip(), "faint"), Run(match, "strong"), Run(after, "faint")))


def _detail(entry: Entry) -> str:
    """Two lines about a conversation: where it lies, what is in it."""
    glance = entry.glance
    facts = [
        say("library.messages", n=glance.messages),
        f"{entry.size / 1000:,.1f} kB",
        *(short_model(each) for each in _models(entry)),
        *(f"#{tag}" for tag in glance.tags),
    ]
    if entry.kind == "template":
        facts.insert(0, say("library.copies"))
    return f"{visible_line(shown_path(entry.path))}\n{visible_line(' · '.join(facts))}"
