"""Files in other formats, opened and written from a place where a file has a name and nothing else is known of it."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ..conversation import Conversation
from ..errors import Unreadable
from ..saving import read, write
from ..visible import visible_line

if TYPE_CHECKING:
    from .exchanged import Imported, LeftOut

# The formats themselves are loaded when a file isn't Qiao's own: most are.
OWN = ".toml"


def is_foreign(path: Path) -> bool:
    """Whether a file of this name isn't Qiao's own: it is read into a conversation without a name, never written to."""
    if path.suffix.lower() == OWN:
        return False
    from .formats import for_ending

    format = for_ending(path.name)
    return format is not None and format.name != "qiao"


def import_file(path: Path) -> "Imported":
    """The conversations in a file of any format, each with a title: its own, else the file's name.

    Raises:
        Unreadable: it isn't there, is in none of the formats, or there is something wrong in it.
    """
    from .formats import read_any

    imported = read_any(read(path).data, str(path))
    several = len(imported.conversations) > 1
    titled = (
        each if each.title else msgspec.structs.replace(each, title=f"{path.stem} {number}" if several else path.stem)
        for number, each in enumerate(imported.conversations, start=1)
    )
    return imported._replace(conversations=tuple(titled))


def export_file(conversation: Conversation, path: Path, *, overwrite: bool = False) -> "LeftOut":
    """Writes the conversation in the format that the file's ending names.

    Returns:
        What that format has no place for.

    Raises:
        Unreadable: the ending names no format.
        ChangedOnDisk: the file exists, and `overwrite` is off.
        Unsaved: it can't be written.
    """
    from .formats import for_ending, names

    format = for_ending(path.name)
    if format is None or format.write is None:
        raise Unreadable("exchange.unknown_ending", file=visible_line(str(path)), formats=names(reading=False))
    exported = format.write([conversation])
    write(path, exported.text.encode(), read(path).digest if overwrite and os.path.exists(path) else None)
    return exported.left_out
