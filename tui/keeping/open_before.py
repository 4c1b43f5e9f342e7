"""Which conversations were open when Qiao was last left in this folder: at the next start they are a key away."""

import contextlib
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from ...workbench import paths
from ...workbench.document import Document, untitled_folder
from ...workbench.errors import QiaoError
from ...workbench.saving import digest_of, write

NAME = "open.json"
FOLDERS_KEPT = 100
FILES_KEPT = 20
OPENING = 60
"""Characters of a draft's first words."""


class Offer(NamedTuple):
    """Conversations to open again, together."""

    paths: tuple[Path, ...]
    names: tuple[str, ...]
    """As a person knows them. From outside: to be shown through `visible_line`."""


class Before(NamedTuple):
    """What there is to go back to."""

    offer: Offer | None
    drafts: int
    """Conversations without a name that lie in the data folder, besides those offered."""


def known() -> list[Path]:
    """The files that were open when Qiao was last left in this folder."""
    return [Path(path) for path in _load().get(str(paths.here() or ""), ())]


def look(paths: Sequence[Path]) -> Before:
    """What of these is still there; if nothing is, the latest draft is offered. Reads them: for a thread.

    Args:
        paths: from `known`.
    """
    drafts = sorted(untitled_folder().glob("*.toml"), reverse=True)
    named = {path: name for path in (*paths, *drafts) if (name := _name(path)) is not None}
    wanted = [path for path in paths if path in named] or [path for path in drafts if path in named][:1]
    left = [path for path in drafts if path in named and path not in wanted]
    offer = Offer(tuple(wanted), tuple(named[path] for path in wanted)) if wanted else None
    return Before(offer, len(left))


class OpenFiles:
    """Writes down which files are open, whenever that changes; of two programs in one folder, the later one counts."""

    def __init__(self) -> None:
        self._folder = str(paths.here() or "")
        self._written: list[str] = []
        self._writing = threading.Lock()
        self._thread: threading.Thread | None = None

    def look(self, documents: Sequence[Document]) -> None:
        """Notes what is open now; written in a thread.

        A program that has had nothing open yet leaves alone what the one before it wrote.
        """
        now = [str(document.path) for document in documents if not document.is_new][:FILES_KEPT]
        if now != self._written:
            self._written = now
            self._thread = threading.Thread(target=self._write, name="open-files", daemon=True)
            self._thread.start()

    def close(self) -> None:
        """Waits until all is written."""
        if self._thread is not None:
            self._thread.join(2)

    def _write(self) -> None:
        # In whatever order threads get here, what is written last is what is open now.
        with self._writing:
            others = {folder: files for folder, files in _load().items() if folder != self._folder}
            kept = dict(list({self._folder: self._written, **others}.items())[:FOLDERS_KEPT])
            file = _file()
            with contextlib.suppress(OSError, QiaoError, UnicodeEncodeError):
                file.parent.mkdir(parents=True, exist_ok=True)
                expected = digest_of(file.read_bytes()) if file.exists() else None
                write(file, msgspec.json.encode(kept), expected)


def _load() -> dict[str, list[str]]:
    try:
        return msgspec.json.decode(_file().read_bytes(), type=dict[str, list[str]])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return {}


def called(document: Document) -> str:
    """What an open conversation is called: its title, else a draft's first words, else its file's name."""
    conversation = document.conversation
    lines = (line.strip() for message in conversation.messages[:2] for line in message.said.splitlines())
    opening = next(filter(None, lines), "") if document.is_untitled else ""
    return conversation.title or opening[:OPENING] or document.title


def _name(path: Path) -> str | None:
    """What the conversation is called; None: there is none, or nothing is in it."""
    from ...workbench import toml_glance
    from ...workbench.peeking import BEGINNING, peek

    data = peek(str(path), BEGINNING)
    glance = toml_glance.glance(data)
    if glance is None or not (glance.messages or len(data) == BEGINNING):
        return None
    return glance.title or (glance.opening if path.parent == untitled_folder() else "") or path.stem


def _file() -> Path:
    return paths.data_dir() / NAME
