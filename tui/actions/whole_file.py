"""What the keys do to edit a whole conversation in the person's own editor: its file, as any other program would."""

from ...workbench.document import Document
from ...workbench.errors import QiaoError
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..dialogs.questions import Choice, Question
from .group import Actions


class WholeFile(Actions):
    """While the file is edited, what is here waits for it."""

    def do_edit_file(self) -> None:
        document = self.session.document
        if document.read_only:
            raise QiaoError("screen.is_read_only")
        self._edit_file(document)

    def _edit_file(self, document: Document) -> None:
        """Saves the conversation, has its file edited, and takes in what came of it."""
        self.bench.run_worker(self._save_and_edit(document), group="edit_file", exclusive=True)

    async def _save_and_edit(self, document: Document) -> None:
        keeper = self.qiao.keeper
        document.want_file()
        await keeper.save(document, again=True)
        # One that can't be read is mended in the editor.
        if document.unsaved or document.is_gone():
            if (problem := keeper.problem(document)) is not None:
                self.qiao.tell(problem, error=True)
            return
        code = 0

        def edit() -> None:
            nonlocal code
            from ..input.external_editor import edit_file

            code = edit_file(self.app, document.path)

        self.bench.guarded(edit)
        problem = await keeper.take_in(document, "screen.file_edited")
        if problem is not None:
            self._ask_about_file(document, problem)
        elif code > 0:
            self.qiao.tell(say("screen.file_editor_ended", code=code), error=True)

    def _ask_about_file(self, document: Document, problem: str) -> None:
        """What was written can't be read. It stays in the file until the person decides; the conversation stays too."""

        def decided(answer: str | None) -> None:
            if answer == "again":
                self._edit_file(document)
            elif answer == "mine":
                self.bench.guarded(lambda: self._put_back(document))

        choices = [
            Choice("e", say("screen.choice_edit_again"), "again"),
            Choice("m", say("screen.choice_put_back"), "mine"),
        ]
        self.app.push_screen(Question(say("screen.file_unreadable", problem=problem), choices), decided)

    def _put_back(self, document: Document) -> None:
        kept = document.keep_mine()
        self.qiao.keeper.settled(document)
        self.bench.refresh_all()
        if kept is not None:
            self.qiao.tell(say("screen.file_put_back", path=visible_line(str(kept))))
