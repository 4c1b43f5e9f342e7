"""What the keys do with files."""

import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ...workbench.document import Document
from ...workbench.errors import QiaoError
from ...workbench.exchange.files import is_foreign
from ...workbench.listing import TEMPLATES
from ...workbench.tags import tags_in, tags_line
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..beginning import load_conversation
from ..dialogs.questions import Choice, LineInput, Question
from ..input.typed_path import shown_path, typed_path
from ..keeping import recent_files
from ..sessions.session import Session
from .group import Actions

if TYPE_CHECKING:
    from ..bench.screen import WorkbenchScreen
    from ..screens.library import Chosen


class Files(Actions):
    """Opens and saves; what another program did to a file is asked about."""

    def __init__(self, bench: "WorkbenchScreen") -> None:
        super().__init__(bench)
        self.deciding: list[Document] = []
        """A page asks whether what is here or what is in the file stands."""

    def do_new(self) -> None:
        self.bench.sessions.append(Session(Document.untitled()))
        self.bench.go_to(len(self.bench.sessions) - 1)

    def do_next_file(self) -> None:
        self.bench.go_to((self.bench.current + 1) % len(self.bench.sessions))

    def do_previous_file(self) -> None:
        self.bench.go_to((self.bench.current - 1) % len(self.bench.sessions))

    def do_open(self) -> None:
        def chosen(choice: "Chosen") -> None:
            self.bench.guarded(lambda: (self.begin_from if choice.is_template else self.open_path)(choice.path))

        # As the library's own, without `..`.
        paths = {Path(os.path.normpath(session.document.path)) for session in self.bench.sessions}
        from ..screens.library import LibraryScreen

        self.qiao.choose_from(LibraryScreen(self.inks, self.bench.library, paths), chosen)

    def begin_from(self, template: Path) -> None:
        """An untitled conversation that begins as a copy of this file.

        Raises:
            QiaoError: it can't be read.
        """
        self.bench.sessions.append(Session(Document.untitled(load_conversation(template))))
        self.bench.go_to(len(self.bench.sessions) - 1)
        self.qiao.tell(say("library.begun", name=visible_line(template.stem)))

    def open_path(self, path: Path) -> None:
        """Opens a file beside the others, or goes to it if it is open already; one of another format is imported.

        Raises:
            QiaoError: it can't be read.
        """
        real = os.path.realpath(path)
        for number, session in enumerate(self.bench.sessions):
            if os.path.realpath(session.document.path) == real:
                self.bench.go_to(number)
                return
        if is_foreign(path):
            self.bench.exchange.import_path(path)
            return
        self.bench.sessions.append(Session(Document.open(path)))
        if not self.bench.sessions[-1].document.is_untitled:
            recent_files.add(self.bench.sessions[-1].document.path)
        self.bench.go_to(len(self.bench.sessions) - 1)
        for notice in self.session.document.notices:
            self.qiao.tell(notice)

    def do_tags(self) -> None:
        before = tags_line(self.session.conversation.tags)

        def tag(tags: tuple[str, ...]) -> None:
            self.bench.edit_change("label.tags", lambda conversation: msgspec.structs.replace(conversation, tags=tags))

        def typed(text: str | None) -> None:
            if text is not None and text != before:
                self.bench.guarded(lambda: tag(tags_in(text)))

        self.app.push_screen(LineInput(say("library.tags"), before), typed)

    def do_save(self) -> None:
        if self.session.document.read_only:
            raise QiaoError("screen.is_read_only")
        if self.session.document.is_untitled:
            self.do_save_as()
        else:
            self.bench.run_worker(self._save_now(self.session.document), group="save", exit_on_error=False)

    async def _save_now(self, document: Document) -> None:
        keeper = self.qiao.keeper
        if await keeper.save(document, again=True):
            self.qiao.tell(say("screen.saved_to", path=visible_line(shown_path(document.path))))
        elif not document.unsaved and not document.read_only and not document.is_gone():
            # What the file holds now can't be read, and was never ours.
            keeper.ask(document)

    def do_save_as(self) -> None:
        document = self.session.document

        def named(text: str | None) -> None:
            if text is None or not text.strip():
                return
            try:
                path = typed_path(text)
                exists = path.exists()
                if not path.parent.is_dir() and path.parent.name not in TEMPLATES:
                    raise QiaoError("document.no_folder", folder=visible_line(shown_path(path.parent)), file=path.name)
            except (OSError, QiaoError) as error:
                self.qiao.tell(str(error), error=True)
                # What was typed stays, to be mended.
                ask(text)
                return
            write = self.bench.exchange.export if is_foreign(path) else self._save_as
            if exists:
                question = say("screen.overwrite", path=visible_line(shown_path(path)))
                choices = [Choice("o", say("screen.choice_overwrite"), "overwrite")]
                self.app.push_screen(
                    Question(question, choices), lambda answer: write(document, path, True) if answer else None
                )
            else:
                write(document, path, False)

        def ask(text: str) -> None:
            self.app.push_screen(LineInput(say("screen.save_as"), text), named)

        path = document.path
        if document.read_only:
            path = path.with_stem(f"{path.stem}-copy")
        ask("" if document.is_untitled else shown_path(path))

    def _save_as(self, document: Document, path: Path, overwrite: bool) -> None:
        words = "screen.saved_copy" if document.read_only else "screen.saved_to"
        try:
            if path.parent.name in TEMPLATES and path.parent.parent.is_dir():
                # The first template of a folder. What goes wrong is said by the save.
                with suppress(OSError):
                    path.parent.mkdir(exist_ok=True)
            document.save_as(path, overwrite=overwrite)
        except QiaoError as error:
            self.qiao.tell(str(error), error=True)
        else:
            recent_files.add(path)
            self.qiao.keeper.settled(document)
            self.qiao.tell(say(words, path=visible_line(shown_path(path))))
        self.bench.refresh_title()

    def conflicted(self, document: Document) -> None:
        """The file was changed by another program, and so was the document: the person decides."""

        def ask() -> None:
            # It may have been settled or closed meanwhile.
            is_open = any(session.document is document for session in self.bench.sessions)
            if is_open and document not in self.deciding and self.qiao.keeper.asks_about(document):
                self._ask_whose_stands(document)

        self.bench.when_at_rest(ask)

    def _ask_whose_stands(self, document: Document) -> None:
        from ..screens.conflict import asking_about

        def decided(answer: str | None) -> None:
            self.deciding.remove(document)
            if answer is None:
                # Not asked again until it is to be saved; the title line says so meanwhile.
                return
            try:
                if answer == "mine":
                    document.keep_mine()
                elif answer == "both":
                    self._keep_both(document)
                elif answer == "theirs":
                    mine = document.conversation
                    document.reload()
                    session = next((s for s in self.bench.sessions if s.document is document), None)
                    if document.read_only and session is not None:
                        # There is no undo that would bring mine back.
                        self.bench.put_late(lambda session: session.change(mine, "label.fork"), session)
            except QiaoError as error:
                self.qiao.tell(str(error), error=True)
            self.qiao.keeper.settled(document)
            self.bench.refresh_all()

        self.deciding.append(document)
        self.app.push_screen(asking_about(document, self.inks), decided)

    def _keep_both(self, document: Document) -> None:
        mine = document.keep_both()
        if document.path != mine:
            bench = self.bench
            at = next((i + 1 for i, s in enumerate(bench.sessions) if s.document is document), len(bench.sessions))
            if at <= bench.current:
                bench.current += 1
            bench.sessions.insert(at, Session(Document.open(mine)))
        recent_files.add(mine)
        self.qiao.tell(say("conflict.kept_both", file=visible_line(mine.name)))

    def ask_to_lose(self, unsaved: Sequence[Document], key: str, goes: str, then: Callable[[], object]) -> None:
        """These can't be saved where they belong: the person decides whether they go all the same.

        Args:
            key: what was pressed; pressed again, it means that they do.
            goes: how: `quit`, all of them, or `close`.
            then: has them go.
        """
        if any(document in self.deciding for document in unsaved):
            # That page asks first.
            return
        problem = self.qiao.keeper.problem(unsaved[0]) or say("screen.unsaved")
        is_kept = all(map(self.qiao.keeper.kept_elsewhere, unsaved))
        choice = Choice(key, say(f"closing.choice_{goes}_{'kept' if is_kept else 'lost'}"), "lose")
        question = Question(say("screen.leave_unsaved", problem=problem), [choice])

        def decided(answer: str | None) -> None:
            if answer:
                then()

        self.app.push_screen(question, decided)
