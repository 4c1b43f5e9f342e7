"""`qiao convert`: conversations from one format into another."""

import os
import re
from argparse import Namespace
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from ..workbench.conversation import Conversation
from ..workbench.errors import Unreadable
from ..workbench.exchange.exchanged import Imported, LeftOut
from ..workbench.exchange.formats import BY_NAME, Format, for_ending, names, read_any
from ..workbench.saving import read, write
from ..workbench.visible import visible_line
from ..workbench.words import say
from .question import STDIN, read_stdin
from .streams import Data, Narration


def convert(options: Namespace, narration: Narration) -> int:
    """Reads IN, writes OUT; what didn't fit is said on stderr, a line each.

    Returns:
        What the command exits with.

    Raises:
        Unreadable: IN is in no known format, or OUT's isn't known, is taken, or holds only one of several.
        Unsaved: OUT can't be written.
    """
    imported = _read(options)
    conversations = imported.conversations
    target: str = options.target
    into_folder = target.endswith("/") or (target != STDIN and os.path.isdir(target))
    format = _format(options, target, into_folder)
    left_out = imported.left_out
    if into_folder:
        _write_folder(Path(target), format, conversations, options.force, left_out)
    else:
        if format.holds_one and len(conversations) > 1:
            folder = "talks" if target == STDIN else target
            raise Unreadable("cli.convert_holds_one", n=len(conversations), file=folder, format=format.name)
        assert format.write is not None
        exported = format.write(conversations)
        left_out += exported.left_out
        if target == STDIN:
            Data().write(exported.text)
        else:
            _write(Path(target), exported.text, options.force)
    for line in left_out.lines():
        narration.note(line)
    if target != STDIN:
        narration.note(say("cli.converted", n=len(conversations), file=visible_line(target), format=format.name))
    return 0


def _read(options: Namespace) -> Imported:
    source: str = options.source
    if source == STDIN:
        return read_any(read_stdin(), say("cli.stdin"), options.read_as)
    path = Path(source)
    if not os.path.isdir(path):
        return read_any(read(path, streams=True).data, source, options.read_as)
    files = sorted(path.glob("*.toml"))
    if not files:
        raise Unreadable("exchange.empty", file=visible_line(source))
    read_files = [read_any(read(file).data, str(file), options.read_as) for file in files]
    return Imported(
        tuple(one for each in read_files for one in each.conversations),
        tuple(lost for each in read_files for lost in each.losses),
    )


def _format(options: Namespace, target: str, into_folder: bool) -> Format:
    if options.write_as:
        return BY_NAME[options.write_as]
    if into_folder:
        return BY_NAME["qiao"]
    format = None if target == STDIN else for_ending(target)
    if format is None:
        raise Unreadable("cli.convert_to_what", file=visible_line(target), formats=names(reading=False))
    return format


def _write_folder(
    folder: Path, format: Format, conversations: Sequence[Conversation], force: bool, left_out: LeftOut
) -> None:
    """A file a conversation, named by number and title."""
    assert format.write is not None
    with suppress(OSError):
        # Why it can't be made is told by the first file that can't be written to it.
        folder.mkdir(parents=True, exist_ok=True)
    digits = max(len(str(len(conversations))), 2)
    ending = format.endings[0] if format.endings else ".json"
    for number, conversation in enumerate(conversations, start=1):
        title = re.sub(r"\W+", "-", conversation.title or "").strip("-")[:40]
        name = f"{number:0{digits}}{'-' if title else ''}{title}{ending}"
        exported = format.write([conversation])
        left_out += exported.left_out
        _write(folder / name, exported.text, force)


def _write(path: Path, text: str, force: bool) -> None:
    """Atomically; a file that is there is replaced only if asked to."""
    there = os.path.exists(path)
    if there and not force:
        raise Unreadable("cli.convert_exists", file=visible_line(str(path)))
    write(path, text.encode(), read(path).digest if there else None)
