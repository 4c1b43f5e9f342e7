"""Keeping a conversation whose own file can't be written, where nobody can be asked any more."""

from datetime import datetime
from pathlib import Path

from .conversation_file import dumps
from .document import Document
from .paths import data_dir
from .saving import Unsaved, numbered, write_new
from .visible import visible_line


def rescue_folder() -> Path:
    """Where conversations lie that couldn't be saved where they belong."""
    return data_dir() / "rescued"


def save_beside(folder: Path, document: Document) -> Path:
    """Writes the document's conversation to a new file in this folder.

    Returns:
        The file: the document's name, and when it was.

    Raises:
        Unsaved: it can't be written here either.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise Unsaved("document.unwritable", file=visible_line(str(folder)), detail=error.strerror or "") from None
    # A name may be as long as the file system allows: what is put behind it needs room.
    name = f"{document.path.stem[:60]}-{datetime.now():%Y%m%d-%H%M%S}.toml"
    return write_new(numbered(folder / name), dumps(document.conversation))[0]
