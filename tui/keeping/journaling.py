"""Writes down what isn't in a file yet, drafts and answers that are coming, and brings it back after a kill."""

import os
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import NamedTuple

from ...workbench.answering import Answer
from ...workbench.conversation import Role
from ...workbench.document import Document
from ...workbench.errors import QiaoError
from ...workbench.journal import Coming, Draft, Journal, Left, Line, orphans, restored
from ...workbench.splicing import splice
from ...workbench.visible import visible_line, without_surrogates
from ...workbench.words import say
from ..sessions.session import Session

EVERY = 0.5
"""Seconds from one look to the next."""


class Writing(NamedTuple):
    """A draft in an editor."""

    at: int
    """Where its message stands in the document."""
    role: Role
    beginning: str
    """What the message said when the editor was opened on it."""
    edit: int
    """A number that no other edit has, of this editor or another."""
    text: Callable[[], str]
    """The draft as it was now; for any thread, as it may take a while."""
    whole: bool = False
    """It is the text of the whole conversation as one page; `at` and `role` mean nothing."""


class _Written:
    """How much of one draft or answer stands in the journal."""

    def __init__(self) -> None:
        self.edit = 0
        self.text = 0
        self.thinking = 0
        self.ended = False


class _Kept:
    """The journal of one document, and what stands in it."""

    def __init__(self, document: Document) -> None:
        self.journal = Journal(document.path, is_untitled=document.is_untitled)
        self.written: dict[str, _Written] = {}
        self.failed = False
        """Set by the journals' threads: what was last to be written isn't there."""
        self.drafts: dict[str, str] = {}
        """As they stand in the journal. The writing thread's own."""
        self.answers: dict[str, tuple[Answer, int]] = {}
        """Those that were seen coming, and how many messages stand before each."""


class Journals:
    """The journals of all open documents. `look` is for the screen's thread; one of its own writes the files.

    Another one has them reach the disk: were that waited for, a disk that is busy for seconds would keep what is typed
    meanwhile from being written at all, and a kill would cost more than a second's words.

    Args:
        failed: called from one of those threads, once, when a journal can't be written.
    """

    def __init__(self, failed: Callable[[OSError], None]) -> None:
        self._failed = failed
        self._kept: dict[int, _Kept] = {}
        self._left: list[tuple[Document, Left]] = []
        self._work: SimpleQueue[tuple[_Kept, Callable[[], None]] | None] = SimpleQueue()
        self._written: SimpleQueue[_Kept | None] = SimpleQueue()
        self._threads: list[threading.Thread] = []
        self._told = False

    def look(self, session: Session, draft: Writing | None) -> None:
        """Notes what came since the last look.

        Args:
            session: a conversation that is open.
            draft: what is being written in it.
        """
        document = session.document
        kept = self._kept.get(id(document))
        if kept is None:
            if draft is None and not session.runs:
                return
            kept = self._kept[id(document)] = _Kept(document)
        if kept.failed:
            # Everything anew: nobody knows what of it is missing.
            kept.failed = False
            kept.written.clear()
            self._do(kept, kept.drafts.clear)
        if draft is not None:
            written = kept.written.setdefault(_draft_id(draft), _Written())
            if draft.edit != written.edit:
                written.edit = draft.edit
                self._do(kept, lambda: _write_draft(kept, draft))
        lines = _answer_lines(kept, session)
        if not document.unsaved:
            lines += _gone_lines(kept, draft)
        if draft is None and not session.runs and not document.unsaved:
            del self._kept[id(document)]
            self._do(kept, kept.journal.remove)
        elif lines:
            self._do(kept, lambda: _write(kept, lines))

    def forget(self, document: Document) -> None:
        """It is no longer open: nothing of it is to be brought back."""
        kept = self._kept.pop(id(document), None)
        if kept is not None:
            self._do(kept, kept.journal.remove)

    def settle(self) -> None:
        """What was brought back and has reached its file is let go of."""
        for entry in [entry for entry in self._left if not entry[0].unsaved]:
            self._left.remove(entry)
            entry[1].settle()

    def bring_back(self, sessions: list[Session]) -> list[str]:
        """Puts what killed runs have left into its conversations, as one step of undo each.

        Args:
            sessions: those that are open; a conversation that isn't is opened, and added.

        Returns:
            What the person should know, a line each.
        """
        notices: list[str] = []
        for left in orphans():
            real = None if left.document is None else str(left.document)
            document = next((s.document for s in sessions if os.path.realpath(s.document.path) == real), None)
            if document is None:
                try:
                    document = Document.untitled() if left.document is None else Document.open(left.document)
                    document.is_untitled = left.is_untitled or left.document is None
                except QiaoError as error:
                    # Its file or folder is gone, or broken; the words aren't.
                    document = Document.untitled()
                    notices.append(str(error))
                sessions.append(Session(document))
            conversation = restored(document.conversation, left)
            if conversation is document.conversation:
                left.settle()
            elif not document.read_only:
                document.change(conversation, "label.recovered")
                self._left.append((document, left))
                notices.append(say("journal.recovered", title=visible_line(document.title)))
        return notices

    def close(self) -> None:
        """Ends the threads, once all is written."""
        if self._threads:
            self._work.put(None)
        for thread in self._threads:
            thread.join(2)

    def _do(self, kept: _Kept, work: Callable[[], None]) -> None:
        self._work.put((kept, work))
        if not self._threads:
            for run, name in (self._write, "journal"), (self._sync, "journal-sync"):
                self._threads.append(threading.Thread(target=run, name=name, daemon=True))
                self._threads[-1].start()

    def _write(self) -> None:
        while (job := self._work.get()) is not None:
            kept, work = job
            self._try(kept, work)
            self._written.put(kept)
        self._written.put(None)

    def _sync(self) -> None:
        while (kept := self._written.get()) is not None:
            waiting = {kept}
            # All that was written while the disk was busy is one more turn of it.
            while not self._written.empty():
                if (kept := self._written.get()) is None:
                    self._written.put(None)
                    break
                waiting.add(kept)
            for each in waiting:
                self._try(each, each.journal.sync)

    def _try(self, kept: _Kept, work: Callable[[], None]) -> None:
        try:
            work()
        except OSError as error:
            kept.failed = True
            if not self._told:
                self._told = True
                self._failed(error)


def _write(kept: _Kept, lines: list[Line]) -> None:
    kept.journal.append(lines)
    for line in lines:
        if line.gone:
            kept.drafts.pop(line.id, None)


def _write_draft(kept: _Kept, draft: Writing) -> None:
    id_ = _draft_id(draft)
    text, before = without_surrogates(draft.text()), kept.drafts.get(id_)
    if before is None:
        before = without_surrogates(draft.beginning)
        line = Line(id_, draft=Draft(draft.at, draft.role, before, text, whole=draft.whole))
    else:
        keep, end, between = splice(before, text)
        line = Line(id_, keep=keep, end=end, text=between)
    if text != before:
        kept.journal.append([line])
        kept.drafts[id_] = text


def _answer_lines(kept: _Kept, session: Session) -> list[Line]:
    for run in session.runs:
        upto = session.upto(run)
        kept.answers.setdefault(str(id(run.answer)), (run.answer, upto))
    lines: list[Line] = []
    for id_, (answer, upto) in kept.answers.items():
        written = kept.written.setdefault(id_, _Written())
        if written.ended or not answer.has_content:
            continue
        text, thinking = answer.text, answer.thinking
        if not written.text + written.thinking or answer.finished is not None:
            written.ended = answer.finished is not None
            take = answer.take()
            text, thinking = take.text, take.thinking or ""
            lines.append(Line(id_, coming=Coming(upto, take, answer.runs_on)))
        elif len(text) > written.text or len(thinking) > written.thinking:
            lines.append(Line(id_, text=text[written.text :], thinking=thinking[written.thinking :]))
        written.text, written.thinking = len(text), len(thinking)
    return lines


def _gone_lines(kept: _Kept, draft: Writing | None) -> list[Line]:
    """What has reached the document's file since it was written down here."""
    now = None if draft is None else _draft_id(draft)
    done = [id_ for id_, written in kept.written.items() if (written.ended if id_ in kept.answers else id_ != now)]
    for id_ in done:
        del kept.written[id_]
        kept.answers.pop(id_, None)
    return [Line(id_, gone=True) for id_ in done]


def _draft_id(draft: Writing) -> str:
    # Of a page, what it began with: one may be edited again before all of it is saved.
    return f"page {hash(draft.beginning)}" if draft.whole else f"draft {draft.at}"
