"""What the workbench begins with: files, copies of files, and files of other formats."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from ..workbench.conversation import Conversation
from ..workbench.conversation_file import loads
from ..workbench.document import Document
from ..workbench.exchange.files import import_file, is_foreign
from ..workbench.saving import read

if TYPE_CHECKING:
    from ..workbench.exchange.exchanged import Imported


def load_conversation(path: Path) -> Conversation:
    """What a file holds, to begin another one with.

    Raises:
        Unreadable: it can't be read, or is no conversation.
    """
    return loads(read(path).data, str(path)).conversation


def opened(files: Sequence[Path]) -> "tuple[list[Document], list[tuple[str, Imported]]]":
    """These files, each opened or made; those of other formats are imported.

    Returns:
        The documents; and by their names the files with more than one conversation, of which some are to be chosen.

    Raises:
        QiaoError: one can't be read.
    """
    documents: list[Document] = []
    several: list[tuple[str, Imported]] = []
    for path in files:
        if not is_foreign(path):
            documents.append(Document.open(path))
            continue
        imported = import_file(path)
        first, *others = imported.conversations
        if others:
            several.append((path.name, imported))
        else:
            document = Document.untitled(first)
            document.notices += imported.left_out.lines()
            documents.append(document)
    return documents, several
