"""One process at a time, by a lock file that the system lets go of when its holder ends, however it ends."""

import errno
import fcntl
import os
from pathlib import Path
from types import TracebackType

_HELD = (errno.EWOULDBLOCK, errno.EACCES)


class FileLock:
    """A lock to be asked for again and again. On a file system without locks, everyone gets it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = -1

    def __enter__(self) -> "FileLock":
        self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        return self

    def taken(self) -> bool:
        """Takes the lock, if it is free or already ours; never waits."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            return error.errno not in _HELD
        return True

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # The file stays: a lock on a removed file would be one that a newcomer doesn't see.
        os.close(self._file)
