"""The library: conversations here and in the data folder, searched in full text as one types; or any path."""

import threading
from collections.abc import Collection, Hashable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from textual.app import ComposeResult
from textual.message import Message as Event
from textual.widgets import Input, Static

from ...workbench.errors import QiaoError
from ...workbench.exchange.files import is_foreign
from ...workbench.library import Entry, Hit, Library, Query, filter_in, usual_places
from ...workbench.listing import File
from ...workbench.paths import here
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..dialogs.filtered import FilteredList
from ..input.typed_path import shown_path, typed_path
from ..keeping import recent_files
from ..keeping.folder_watch import FolderWatch
from ..look.inks import Inks
from ..panes.rows import Row, Rows
from ..text.wrap import Run
from .library_row import detail, entry_row, excerpt_row

LISTED = 200
"""Conversations; who wants others types a word more."""
LOOKS_A_SECOND = 15
WIDE = 100
"""Columns of a screen that has room for long names of models."""


class Chosen(NamedTuple):
    """What is to be opened."""

    path: Path
    is_template: bool
    """A conversation of its own begins as a copy of it."""


class _Search:
    """A search under way in a thread of its own, looked at by the screen.

    Args:
        before: a search for the same, of which what still holds needn't be found out again.
    """

    def __init__(self, library: Library, typed: str, before: "_Search | None" = None) -> None:
        self.hits: list[Hit] = []
        self.count = 0
        self.done = False
        self.is_again = before is not None
        self._judged: dict[File, Hit | None] = {} if before is None else before._judged
        self._stop = threading.Event()
        self._library = library
        self._typed = typed

    def start(self) -> None:
        threading.Thread(target=self._run, name="library", daemon=True).start()

    def give_up(self) -> None:
        self._stop.set()

    def _run(self) -> None:
        used = recent_files.load()
        query, places = Query.of(self._typed), usual_places(here(), used)
        for hit in self._library.search(query, places, used, self._stop, self._judged):
            self.count += 1
            if self.count <= LISTED:
                self.hits.append(hit)
            elif self._typed.strip():
                break
        self.done = True


class LibraryScreen(FilteredList[Chosen]):
    """enter opens what is selected; a path that is typed and isn't listed is opened, or made, as it stands.

    What other programs do to the files shows by itself, within a second or two; what is selected stays so.

    Args:
        inks: of the theme.
        library: what it knows already.
        open_files: absolute paths of the conversations that are open.
    """

    CSS_PATH = ["../dialogs/filtered.tcss", "library.tcss"]

    class FilesChanged(Event):
        """Posted by the thread that watches the folders."""

    def __init__(self, inks: Inks, library: Library, open_files: Collection[Path] = ()) -> None:
        super().__init__(inks, say("library.title"))
        library.forget_listing()
        self._library = library
        self._open = open_files
        self._search = _Search(library, "")
        self._shown = -1
        """Hits of the search that the rows show; -1: the rows are still those of the search before."""
        self._rows: list[Row] = []
        self._entries: dict[Hashable, Entry] = {}
        """What the rows show, by their keys."""
        self._is_stale = False
        """Files have changed since the search began."""
        self._wanted: Hashable | None = None
        """What the person has moved to since the line was typed; it is selected, whatever is found meanwhile."""
        self._watch = FolderWatch(library, lambda: self.post_message(self.FilesChanged()))

    def below(self) -> ComposeResult:
        yield Static("", id="library-detail", markup=False)

    def on_mount(self) -> None:
        # The base class's own comes after this one, and begins the first search.
        self.query_one(Input).placeholder = say("library.placeholder")
        self._ticker = self.set_interval(1 / LOOKS_A_SECOND, self._look)

        self._watch.start()

    def on_unmount(self) -> None:
        self._watch.stop()
        self._search.give_up()

    def refresh_rows(self) -> None:
        """Searches for what is typed now; the rows follow as something is found."""
        self._wanted = None
        self._begin(_Search(self._library, self.typed))

    def _begin(self, search: _Search) -> None:
        self._search.give_up()
        self._search, self._shown, self._is_stale = search, -1, False
        search.start()
        self._ticker.resume()

    def on_library_screen_files_changed(self) -> None:
        if self._search.done:
            self._begin(_Search(self._library, self.typed, self._search))
        else:
            self._is_stale = True

    def _look(self) -> None:
        if not self.is_whole:
            return
        search = self._search
        done, found = search.done, len(search.hits)
        if done:
            self._ticker.pause()
        if self._shown < 0 and search.is_again:
            if done:
                self._show_again()
        elif found > self._shown if self._shown >= 0 else found or done:
            is_new = self._shown < 0
            if is_new:
                self._shown, self._rows, self._entries = 0, [], {}
            self._show(search.hits[self._shown : found])
            if is_new:
                self.to_top()
            self._select()
        if done:
            self.tell(say("library.count", n=search.count) if self._is_all else self._found_words)
            if self._is_stale:
                self.on_library_screen_files_changed()
        self.more_came(enough=done or (found > 0 and (self._wanted is None or self._wanted in self._entries)))

    def _show_again(self) -> None:
        """What was searched for anew, all at once; what was selected stays so, also under another name."""
        selected = self._entries.get(self.selected)
        known, self._shown, self._rows, self._entries = self._entries, 0, [], {}
        self._show(self._search.hits)
        if selected is not None and str(selected.path) not in self._entries:
            kept = (selected.touched, selected.size, selected.glance)
            renamed = [
                key
                for key, entry in self._entries.items()
                if key not in known and (entry.touched, entry.size, entry.glance) == kept
            ]
            if len(renamed) == 1:
                self.query_one(Rows).select(renamed[0])
        self.show_detail()

    def _select(self) -> None:
        """Of all conversations, enter should open the latest that isn't open already, unless the person has moved."""
        wanted = self._wanted
        if wanted is None and self._is_all:
            wanted = next((key for key, entry in self._entries.items() if entry.path not in self._open), None)
        if wanted is not None:
            self.query_one(Rows).select(wanted)
        self.show_detail()

    @property
    def _is_all(self) -> bool:
        return not self.typed.strip()

    @property
    def _found_words(self) -> str:
        search = self._search
        return say("library.more" if search.count > LISTED else "library.found", n=min(search.count, LISTED))

    def _show(self, further: list[Hit]) -> None:
        wide = self.size.width >= WIDE
        for entry, excerpt in further:
            row = entry_row(entry, is_open=entry.path in self._open, wide=wide)
            self._rows.append(row)
            self._entries[row.key] = entry
            if excerpt is not None:
                self._rows.append(excerpt_row(excerpt))
        self._shown += len(further)
        self._watch.seen = [str(entry.path) for entry in self._entries.values()]
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

    def show_detail(self) -> None:
        entry = self._entries.get(self.selected)
        self.query_one("#library-detail", Static).update("" if entry is None else detail(entry), layout=False)

    def action_step(self, step: int) -> None:
        super().action_step(step)
        self._wanted = self.selected

    def choose(self, key: Hashable | None) -> None:
        try:
            typed = typed_path(self.typed) if self.typed.strip() and not _is_filter(self.typed) else None
            is_file = typed is not None and typed.is_file()
        except (OSError, QiaoError) as error:
            typed, is_file = None, False
            if self._search.done and not self._search.hits:
                self.app.notify(visible_line(str(error)), severity="error", markup=False)
                return
        # While another search is under way, the rows are those of the one before: not what was typed.
        entry = self._entries.get(key) if self._shown >= 0 or self._search.is_again else None
        if typed is not None and is_file:
            self.dismiss(Chosen(typed, False))
        elif entry is not None:
            self.dismiss(Chosen(entry.path, entry.kind == "template"))
        elif not self._search.done or self._shown < 0:
            # Nothing is found yet, or nobody has looked at what is.
            self.wait_for_more()
        elif typed is not None:
            self.dismiss(Chosen(typed, False))


def _is_filter(typed: str) -> bool:
    """Whether it can only be meant to search, not to name a file."""
    return any(filter_in(word) is not None for word in typed.split())
