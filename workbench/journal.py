"""What isn't in a document's file yet, drafts and answers that are coming, written down as it grows.

A journal is a file of JSON lines in the data folder, one a document and run of the program, appended to and never
rewritten; it goes when all of it is in the document's file. One that nobody holds any more (its lock is free) is what a
run that was killed has left: `orphans` finds those, `restored` puts their words into the conversation. Lines that were
cut or damaged are left out.
"""

import fcntl
import hashlib
import json
import os
import secrets
import threading
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any, NamedTuple, cast

import msgspec
from msgspec import Meta

from .conversation import Conversation, Message, Role, Take, TakeError
from .page import page_of, rewritten, with_page_beside
from .paths import data_dir
from .placing import Place, with_takes
from .words import say

Count = Annotated[int, Meta(ge=0)]


class Draft(msgspec.Struct, frozen=True):
    """Text that is being written, and the message that it is for."""

    index: Count
    """Where the message stands in the document."""
    role: Role
    beginning: str
    """What the message said when the editor was opened on it."""
    text: str
    whole: bool = False
    """It is the text of the whole conversation as one page; `index` and `role` mean nothing."""


class Coming(msgspec.Struct, frozen=True):
    """An answer as far as it is here, and where it belongs."""

    upto: Count
    """How many messages stand before it."""
    take: Take
    runs_on: bool = False
    """As `Place.runs_on`."""


class Line(msgspec.Struct, frozen=True, omit_defaults=True):
    """One line of a journal."""

    id: str
    """Whose: a draft's or an answer's, while the program runs."""
    draft: Draft | None = None
    """A draft as it is now, whole; later lines of its id have its splices."""
    coming: Coming | None = None
    """An answer that begins; later lines of its id have what was added."""
    keep: Count | None = None
    """Of the draft's text, so many characters at the start stay,"""
    end: Count = 0
    """so many at the end,"""
    text: str = ""
    """and between them stands this; or, of an answer, it goes on with this."""
    thinking: str = ""
    gone: bool = False
    """It is in the document now, or was given up."""


class Left(NamedTuple):
    """What a run that was killed has left; held against other programs until it is settled."""

    journal: Path
    document: Path | None
    """None: the journal doesn't say any more."""
    is_untitled: bool
    drafts: tuple[Draft, ...]
    answers: tuple[Coming, ...]
    holder: int
    """The open file, with its lock."""

    def settle(self) -> None:
        """Its words are in the document's file: it can go."""
        self.journal.unlink(missing_ok=True)
        os.close(self.holder)


def folder() -> Path:
    """Where journals lie."""
    return data_dir() / "journal"


class Journal:
    """The journal of one open document. All methods may block on the disk: for a worker thread.

    What was appended survives the program; what was synced as well survives the machine. Syncing takes milliseconds on
    one disk and seconds on another that is busy, so that it may be done in a thread of its own.
    """

    def __init__(self, document: Path, *, is_untitled: bool) -> None:
        self.document = document
        self._is_untitled = is_untitled
        self._file = -1
        self._path: Path | None = None
        self._closing = threading.Lock()

    def append(self, lines: Sequence[Line]) -> None:
        """Writes these lines down: all of them, or none.

        Raises:
            OSError: it can't be written.
        """
        if self._file < 0:
            self._begin()
        self._write(b"".join(_encoded(line) + b"\n" for line in lines))

    def _begin(self) -> None:
        folder().mkdir(mode=0o700, parents=True, exist_ok=True)
        real = os.path.realpath(self.document)
        name = hashlib.sha256(real.encode("utf-8", "surrogateescape")).hexdigest()[:12]
        # Process numbers come again, in containers at every start: the name must not be that of what was left.
        path = folder() / f"{name}-{os.getpid()}-{secrets.token_hex(4)}.new"
        self._file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND | os.O_CLOEXEC, 0o600)
        self._path = path
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self._write(json.dumps({"document": real, "untitled": self._is_untitled}).encode() + b"\n")
            # Not before it is locked: another program that starts now would take it for one that a killed run left.
            self._path = path.rename(path.with_suffix(".jsonl"))
        except OSError:
            self.remove()
            raise

    def _write(self, data: bytes) -> None:
        before = os.fstat(self._file).st_size
        try:
            view = memoryview(data)
            while view:
                view = view[os.write(self._file, view) :]
        except OSError:
            # Half a line would make what comes after it unreadable.
            os.ftruncate(self._file, before)
            raise

    def sync(self) -> None:
        """Has what was appended reach the disk. In any thread.

        Raises:
            OSError: it didn't; nobody knows how much of it is there.
        """
        with self._closing:
            if self._file < 0:
                return
            # Removing it doesn't wait for this.
            file = os.dup(self._file)
        try:
            os.fdatasync(file)
        finally:
            os.close(file)

    def remove(self) -> None:
        """All of it is in the document's file."""
        if self._path is not None:
            self._path.unlink(missing_ok=True)
            self._path = None
            with self._closing:
                os.close(self._file)
                self._file = -1


def _encoded(line: Line) -> bytes:
    try:
        return msgspec.json.encode(line)
    except OverflowError:
        # A whole number of more than 64 bits, among the parameters: it must not cost the words.
        if line.coming is None:
            raise
        take = msgspec.structs.replace(line.coming.take, sampling=None)
        return msgspec.json.encode(
            msgspec.structs.replace(line, coming=msgspec.structs.replace(line.coming, take=take))
        )


def orphans(where: Path | None = None) -> list[Left]:
    """What runs that were killed have left, the oldest first. Journals without a word are cleared away."""
    left: list[Left] = []
    for path in sorted((where or folder()).glob("*.jsonl"), key=lambda path: path.name):
        try:
            holder = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except OSError:
            continue
        try:
            fcntl.flock(holder, fcntl.LOCK_EX | fcntl.LOCK_NB)
            data = path.read_bytes()
        except OSError:
            # Its program runs.
            os.close(holder)
            continue
        found = _read(path, data, holder)
        if found.drafts or found.answers:
            left.append(found)
        elif found.document is not None or not data.strip():
            found.settle()
        else:
            # Nothing in it can be read by us; whether nobody can isn't ours to say.
            os.close(holder)
    return left


def _read(path: Path, data: bytes, holder: int) -> Left:
    rows = data.split(b"\n")
    document, is_untitled = _head(rows[0])
    drafts: dict[str, Draft] = {}
    answers: dict[str, Coming] = {}
    for line in _lines(rows if document is None else rows[1:]):
        if line.gone:
            drafts.pop(line.id, None)
            answers.pop(line.id, None)
        elif line.draft is not None:
            drafts[line.id] = line.draft
        elif line.coming is not None:
            answers[line.id] = line.coming
        elif line.id in drafts and line.keep is not None:
            before = drafts[line.id].text
            text = before[: line.keep] + line.text + before[len(before) - line.end :]
            drafts[line.id] = msgspec.structs.replace(drafts[line.id], text=text)
        elif line.id in answers:
            take = answers[line.id].take
            grown = msgspec.structs.replace(
                take, text=take.text + line.text, thinking=(take.thinking or "") + line.thinking or None
            )
            answers[line.id] = msgspec.structs.replace(answers[line.id], take=grown)
    return Left(path, document, is_untitled, tuple(drafts.values()), tuple(answers.values()), holder)


def _head(row: bytes) -> tuple[Path | None, bool]:
    """Which document it is of, and whether that is untitled; None if the row doesn't say."""
    try:
        head = cast(dict[str, Any], json.loads(row))
        name, is_untitled = str(head["document"]), bool(head["untitled"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return None, False
    return (None if "\0" in name else Path(name)), is_untitled


def _lines(rows: Iterable[bytes]) -> Iterator[Line]:
    """The lines that can be read. After one that can't, only those whose beginnings come after it too."""
    decoder = msgspec.json.Decoder(Line)
    sure: set[str] | None = None
    for row in rows:
        try:
            line = decoder.decode(row)
        except (msgspec.DecodeError, UnicodeDecodeError):
            sure = set()
            continue
        if line.draft is not None or line.coming is not None:
            if sure is not None:
                sure.add(line.id)
        elif sure is not None and line.id not in sure and not line.gone:
            continue
        yield line


def restored(conversation: Conversation, left: Left) -> Conversation:
    """The conversation with what the journal holds put where it belongs; nothing that is there already comes twice."""
    messages = conversation.messages
    pages = [draft for draft in left.drafts if draft.whole]
    drafts = [draft for draft in left.drafts if not draft.whole]
    meant = [messages[draft.index].uid if draft.index < len(messages) else None for draft in drafts]
    # An answer to a page is known by what it answers: the page comes first, unless it was written after the answer.
    conversation, pages = _with_pages(conversation, pages)
    for coming in left.answers:
        conversation = _with_answer(conversation, coming)
    for draft, uid in zip(drafts, meant, strict=True):
        conversation = _with_draft(conversation, draft, uid)
    conversation, pages = _with_pages(conversation, pages)
    for draft in pages:
        conversation = with_page_beside(conversation, draft.text)
    return conversation


def _with_pages(conversation: Conversation, drafts: Sequence[Draft]) -> tuple[Conversation, list[Draft]]:
    """The conversation with those pages that were written on what its text is; and those that weren't."""
    others: list[Draft] = []
    for draft in drafts:
        now = page_of(conversation.messages).text
        if now == draft.beginning:
            conversation = rewritten(conversation, draft.text)
        elif not now.startswith(draft.text):
            others.append(draft)
    return conversation, others


def _with_answer(conversation: Conversation, coming: Coming) -> Conversation:
    take = coming.take
    if not take.text[take.prefix or 0 :] and not take.thinking:
        return conversation
    there = [each for message in conversation.messages for each in message.takes]
    if any(_run(each) == _run(take) for each in there):
        return conversation
    if take.finish is None:
        error = TakeError("engine_died", say("journal.cut_off"))
        take = msgspec.structs.replace(take, finish="error", error=error)
    place = Place(coming.upto, take.prompt_hash or "", runs_on=coming.runs_on)
    placed = with_takes(conversation, place, [take])
    if placed is not None:
        return placed
    alone = Message(role="assistant", takes=(take,), chosen=1, runs_on=coming.runs_on)
    return conversation.inserted(len(conversation.messages), alone)


def _run(take: Take) -> tuple[object, ...]:
    """Tells of which run a take is. With a seed that is set, two of one second differ in what they answer alone."""
    return take.model, take.seed, take.created, take.prompt_hash


def _with_draft(conversation: Conversation, draft: Draft, uid: int | None) -> Conversation:
    if draft.text == draft.beginning:
        return conversation
    here = None if uid is None else conversation.index(uid)
    message = None if here is None else conversation.messages[here]
    if here is not None and message is not None and message.role == draft.role:
        if message.said == draft.text:
            return conversation
        if message.said == draft.beginning:
            return conversation.replaced(here, message.with_text(draft.text))
    if any(each.said == draft.text for each in conversation.messages):
        return conversation
    at = len(conversation.messages) if here is None else here + 1
    return conversation.inserted(at, Message(role=draft.role, text=draft.text))
