"""Putting new takes into a conversation's file that another program may have changed while the model answered."""

from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import NamedTuple

from .conversation import Conversation, Take
from .conversation_file import dumps, loads
from .errors import QiaoError
from .placing import Place, with_takes
from .saving import ChangedOnDisk, keep_backup, read, write, write_new

TRIES = 20
"""So often a file that others keep writing to is read anew before the takes go beside it."""


class Kept(NamedTuple):
    """Where the takes are now."""

    path: Path
    beside: bool
    """In a file of their own, since the messages that they answer no longer stand in the one they were meant for."""
    comments: Path | None = None
    """Where the file is kept as it was, since it had comments, which saving loses."""


def keep(path: Path, answered: Conversation, place: Place, takes: Sequence[Take]) -> Kept:
    """Saves the takes into the file as it is now; everything else in it stays.

    Args:
        path: the conversation's file.
        answered: the conversation as it was read before the model answered.
        place: where in `answered` the takes belong.
        takes: at least one.

    Raises:
        QiaoError: neither the file nor one beside it can be written.
    """
    comments: Path | None = None
    for _ in range(TRIES):
        try:
            data, digest = read(path)
            loaded = loads(data, path.name)
        except QiaoError:
            break
        changed = None if loaded.read_only else with_takes(loaded.conversation, place, takes)
        if changed is None:
            break
        if loaded.had_comments:
            if comments is not None:
                # Of a try that another writer was ahead of.
                comments.unlink(missing_ok=True)
            comments = keep_backup(path, data)
        try:
            write(path, dumps(changed), digest)
        except ChangedOnDisk:
            continue
        return Kept(path, False, comments)
    return Kept(_write_beside(path, answered, place, takes), True)


def _write_beside(path: Path, answered: Conversation, place: Place, takes: Sequence[Take]) -> Path:
    whole = with_takes(answered, place, takes)
    assert whole is not None, "the place was made of this conversation"
    ending = path.suffix or ".toml"
    names = (path.with_name(f"{path.stem}.answer-{number}{ending}") for number in count(1))
    return write_new(names, dumps(whole))[0]
