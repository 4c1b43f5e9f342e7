"""Files of other formats in the workbench: opened into conversations without a name, and written beside one's own."""

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ...workbench.conversation import Conversation
from ...workbench.document import Document
from ...workbench.errors import QiaoError
from ...workbench.exchange.files import export_file, import_file
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..input.typed_path import shown_path
from ..sessions.session import Session
from .group import Actions

if TYPE_CHECKING:
    from ...workbench.exchange.exchanged import Imported, LeftOut


class Exchange(Actions):
    """Imports and exports; what didn't fit is told."""

    def import_path(self, path: Path) -> None:
        """Opens a file of another format; it may hold a hundred thousand conversations, so the screen doesn't wait."""
        self.bench.run_worker(self._import(path), group="import", exit_on_error=False)

    async def _import(self, path: Path) -> None:
        try:
            imported = await asyncio.to_thread(import_file, path)
        except QiaoError as error:
            self.qiao.tell(str(error), error=True)
            return
        self.take_over(path.name, imported)

    def take_over(self, name: str, imported: "Imported") -> None:
        """Opens what was read from a file of this name; of several conversations those that the person chooses."""

        def chosen(conversations: Sequence[Conversation] | None) -> None:
            if conversations:
                self._begin(name, conversations, imported.left_out_of(conversations))

        if len(imported.conversations) > 1:
            from ..dialogs.choose_imported import ChooseImported

            self.app.push_screen(ChooseImported(self.inks, name, imported.conversations), chosen)
        else:
            chosen(imported.conversations)

    def _begin(self, name: str, conversations: Sequence[Conversation], left_out: "LeftOut") -> None:
        first = len(self.bench.sessions)
        self.bench.sessions.extend(Session(Document.untitled(each)) for each in conversations)
        self.bench.go_to(first)
        imported = say("library.imported", n=len(conversations), file=visible_line(name))
        self.qiao.tell("\n".join([imported, *left_out.lines()]))

    def export(self, document: Document, path: Path, overwrite: bool) -> None:
        """Writes a document in another format; its own file stays its own."""
        try:
            left_out = export_file(document.conversation, path, overwrite=overwrite)
        except QiaoError as error:
            self.qiao.tell(str(error), error=True)
            return
        self.qiao.tell("\n".join([say("library.exported", path=visible_line(shown_path(path))), *left_out.lines()]))
