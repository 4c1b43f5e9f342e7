"""Half-written files of a Qiao that was killed while it saved, cleared away at the next save beside them."""

import fcntl
import os
import re
import secrets
import stat
import time
from contextlib import suppress
from pathlib import Path

OLD_S = 3600.0
"""Younger ones are left: no save takes an hour, and a clock or a lock over the network may be wrong."""

_NAME = re.compile(r"\.qiao-[0-9a-f]{16}\.tmp")
_cleared: set[Path] = set()


def temporary_beside(path: Path) -> Path:
    """A new name in the same folder, that `clear_away` knows again."""
    return path.with_name(f".qiao-{secrets.token_hex(8)}.tmp")


def hold(handle: int) -> None:
    """Marks an open temporary file as in use for as long as this or a copy of the handle is open."""
    # Where locks can't be had, its age alone protects it.
    with suppress(OSError):
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


def clear_away(folder: Path) -> None:
    """Removes what nobody will finish: old, our user's, and held by nobody. Once a folder and a run; never fails."""
    if folder in _cleared:
        return
    _cleared.add(folder)
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if _NAME.fullmatch(entry.name):
                _remove_if_left(Path(entry.path))


def _remove_if_left(path: Path) -> None:
    with suppress(OSError):
        handle = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC)
        try:
            status = os.fstat(handle)
            old = time.time() - max(status.st_mtime, status.st_ctime) > OLD_S
            if stat.S_ISREG(status.st_mode) and status.st_uid == os.geteuid() and old:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()
        finally:
            os.close(handle)
