"""What the keys do with files, panes and screens."""

import os
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec
from textual import on, work

from ...workbench.conversation import Conversation
from ...workbench.document import Document
from ...workbench.errors import QiaoError
from ...workbench.exchange.files import is_foreign
from ...workbench.listing import TEMPLATES
from ...workbench.sampling import Sampling
from ...workbench.setting import with_setting
from ...workbench.tags import tags_in, tags_line
from ...workbench.visible import visible_line
from ...workbench.words import say
from .. import recent_files
from ..beginning import load_conversation
from ..panes.models import ModelRows
from ..panes.sampling import SamplingPane, SamplingRows, Setting
from ..session import Session
from ..typed_path import shown_path, typed_path
from .dialogs import Choice, LineInput, Question
from .exchange_actions import ExchangeActions

if TYPE_CHECKING:
    from .library import Chosen


class FileActions(ExchangeActions):
    """Each `do_ID` carries out the action of that id."""

    # Panes

    def do_sampling(self) -> None:
        self.open_pane("#side", SamplingRows)
        rows = self.query_one(SamplingRows)
        if isinstance(rows.selected_key, Setting) and rows.selected_key.variable:
            rows.select(Setting("temperature"))

    def do_variables(self) -> None:
        self.do_sampling()
        pane = self.query_one(SamplingPane)
        names = [row.key for row in pane.rows.shown_rows if isinstance(row.key, Setting) and row.key.variable]
        if not names:
            raise QiaoError("screen.no_variables")
        pane.rows.select(names[0])

    def do_sensors(self) -> None:
        side = self.query_one("#side")
        if self.has_class("-narrow") and side.has_class("open"):
            self._back()
        else:
            self.open_pane("#side", SamplingRows)

    def do_next_pane(self) -> None:
        order = [self.transcript, self.query_one(ModelRows), self.query_one(SamplingRows)]
        at = order.index(self.focused) if self.focused in order else 0  # pyright: ignore[reportArgumentType]
        following = order[(at + 1) % len(order)]
        if following is self.transcript:
            self._back()
        else:
            self.open_pane("#models" if isinstance(following, ModelRows) else "#side", type(following))

    @on(SamplingRows.Leave)
    def _back(self) -> None:
        self.close_overlays()

    @on(SamplingPane.Set)
    def _set(self, event: SamplingPane.Set) -> None:
        setting, text = event.setting, event.text
        try:
            if setting.variable:
                self.edit_change("label.variable", lambda c: _with_variable(c, setting.name, text))
            else:
                sampling = _with_parameter(self.session.conversation.sampling, setting.name, text)
                self.edit_change("label.sampling", lambda c: msgspec.structs.replace(c, sampling=sampling))
        except QiaoError as error:
            self.qiao.tell(str(error), error=True)
            # What was typed stays, to be mended.
            self.query_one(SamplingPane).edit(setting, text)

    # Files

    def do_new(self) -> None:
        self.sessions.append(Session(Document.untitled()))
        self.go_to(len(self.sessions) - 1)

    def do_next_file(self) -> None:
        self.go_to((self.current + 1) % len(self.sessions))

    def do_previous_file(self) -> None:
        self.go_to((self.current - 1) % len(self.sessions))

    def do_open(self) -> None:
        def chosen(choice: "Chosen | None") -> None:
            if choice is not None:
                self.guarded(lambda: (self.begin_from if choice.is_template else self.open_path)(choice.path))

        # As the library's own, without `..`.
        paths = {Path(os.path.normpath(session.document.path)) for session in self.sessions}
        from .library import LibraryScreen

        self.app.push_screen(LibraryScreen(self.inks, self.library, paths), chosen)

    def begin_from(self, template: Path) -> None:
        """An untitled conversation that begins as a copy of this file.

        Raises:
            QiaoError: it can't be read.
        """
        self.sessions.append(Session(Document.untitled(load_conversation(template))))
        self.go_to(len(self.sessions) - 1)
        self.qiao.tell(say("library.begun", name=visible_line(template.stem)))

    def open_path(self, path: Path) -> None:
        """Opens a file beside the others, or goes to it if it is open already; one of another format is imported.

        Raises:
            QiaoError: it can't be read.
        """
        real = os.path.realpath(path)
        for number, session in enumerate(self.sessions):
            if os.path.realpath(session.document.path) == real:
                self.go_to(number)
                return
        if is_foreign(path):
            self.import_path(path)
            return
        self.sessions.append(Session(Document.open(path)))
        if not self.sessions[-1].document.is_untitled:
            recent_files.add(self.sessions[-1].document.path)
        self.go_to(len(self.sessions) - 1)
        for notice in self.session.document.notices:
            self.qiao.tell(notice)

    def do_tags(self) -> None:
        before = tags_line(self.session.conversation.tags)

        def typed(text: str | None) -> None:
            if text is not None and text != before:
                self.guarded(
                    lambda: self.edit_change("label.tags", lambda c: msgspec.structs.replace(c, tags=tags_in(text)))
                )

        self.app.push_screen(LineInput(say("library.tags"), before), typed)

    def do_save(self) -> None:
        if self.session.document.read_only:
            raise QiaoError("screen.is_read_only")
        if self.session.document.is_untitled:
            self.do_save_as()
        else:
            self._save_now(self.session.document)

    @work(group="save", exit_on_error=False)
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
            write = self.export if is_foreign(path) else self._save_as
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
        self.refresh_title()

    def conflicted(self, document: Document) -> None:
        """The file was changed by another program, and so was the document: the person decides."""
        if document in self.deciding:
            return
        from .conflict import asking_about

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
                    session = next((s for s in self.sessions if s.document is document), None)
                    if document.read_only and session is not None:
                        # There is no undo that would bring mine back.
                        self.put_late(lambda session: session.change(mine, "label.fork"), session)
            except QiaoError as error:
                self.qiao.tell(str(error), error=True)
            self.qiao.keeper.settled(document)
            self.refresh_all()

        self.deciding.append(document)
        self.app.push_screen(asking_about(document, self.inks), decided)

    def _keep_both(self, document: Document) -> None:
        mine = document.keep_both()
        if document.path != mine:
            at = next((i + 1 for i, s in enumerate(self.sessions) if s.document is document), len(self.sessions))
            if at <= self.current:
                self.current += 1
            self.sessions.insert(at, Session(Document.open(mine)))
        recent_files.add(mine)
        self.qiao.tell(say("conflict.kept_both", file=visible_line(mine.name)))

    def ask_to_leave_unsaved(self, problem: str) -> None:
        """Leaving was wanted, but something can't be saved: the person decides."""
        if self.deciding:
            # That page asks first.
            return
        question = Question(
            say("screen.leave_unsaved", problem=problem), [Choice("q", say("screen.choice_lose"), "quit")]
        )
        self.app.push_screen(question, lambda answer: self.qiao.end() if answer else None)

    # Screens

    def do_palette(self) -> None:
        self.app.action_command_palette()

    def do_theme(self) -> None:
        self.qiao.next_theme()

    def do_repaint(self) -> None:
        self.qiao.repaint()


def _with_variable(conversation: Conversation, name: str, value: str | None) -> Conversation:
    variables = {key: text for key, text in conversation.variables.items() if key != name}
    if value is not None:
        variables[name] = value
    return msgspec.structs.replace(conversation, variables=variables)


def _with_parameter(sampling: Sampling, name: str, text: str | None) -> Sampling:
    return msgspec.structs.replace(sampling, **{name: None}) if text is None else with_setting(sampling, name, text)
