"""Reading and writing files so that nothing is lost: whole or not at all, and never over another program's work."""

import errno
import fcntl
import hashlib
import os
import stat
import time
from collections.abc import Generator, Iterable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain, count
from pathlib import Path
from typing import NamedTuple

from .errors import QiaoError, Unreadable
from .leftovers import clear_away, hold, temporary_beside
from .paths import data_dir
from .visible import visible_line

LOCK_SECONDS = 10.0
"""So long a save waits for another Qiao that is saving the same file."""


LARGEST = 500_000_000
"""Bytes of a file that is opened: a conversation takes ten times its file's size in memory, and minutes to be read."""


class Unsaved(QiaoError):
    """A file could not be written; what is on disk is as it was."""


class ChangedOnDisk(QiaoError):
    """The file isn't what it was when it was last read or written here: overwriting it would lose another's work."""


class OnDisk(NamedTuple):
    """A file's content, and what tells it from any other."""

    data: bytes
    digest: str
    """SHA-256, in hex."""


def digest_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def read(path: Path, *, streams: bool = False) -> OnDisk:
    """The file's content.

    Args:
        streams: whether a pipe will do, which may block for ever, and a file of any size.

    Raises:
        Unreadable: it isn't there, is a folder or no regular file, is too large, or can't be read.
    """
    try:
        status = path.stat()
        mode = status.st_mode
        if status.st_size > LARGEST and stat.S_ISREG(mode) and not streams:
            size, most = status.st_size // 1_000_000, LARGEST // 1_000_000
            raise Unreadable("document.too_large", file=visible_line(str(path)), size=f"{size:,}", most=most)
        if not (streams or stat.S_ISREG(mode) or stat.S_ISDIR(mode)):
            raise Unreadable("document.no_regular_file", file=visible_line(str(path)))
        data = path.read_bytes()
    except FileNotFoundError:
        raise Unreadable("document.not_found", file=visible_line(str(path))) from None
    except IsADirectoryError:
        raise Unreadable("document.is_folder", file=visible_line(str(path))) from None
    except PermissionError:
        raise Unreadable("document.no_permission_to_read", file=visible_line(str(path))) from None
    except OSError as error:
        raise Unreadable("document.unreadable", file=visible_line(str(path)), detail=_detail(error)) from None
    return OnDisk(data, digest_of(data))


def write(path: Path, data: bytes, expected: str | None) -> str:
    """Replaces the file's content, whole or not at all; through a symlink, its target's. The mode is kept.

    Args:
        expected: the digest of what must be on disk now; None: nothing may be there yet.

    Returns:
        The digest of what is on disk from now on.

    Raises:
        ChangedOnDisk: something else is on disk.
        Unsaved: the folder is missing, the disk full, permission denied, …
    """
    try:
        real = Path(os.path.realpath(path))
        with _locked(real):
            before = _status(real)
            current = None if before is None else _digest_in(real)
            digest = digest_of(data)
            if current != expected or (digest != current and not _replace(real, data, before)):
                key = "exists" if expected is None else "gone" if current is None else "changed_on_disk"
                raise ChangedOnDisk(f"document.{key}", file=visible_line(str(path)))
            return digest
    except OSError as error:
        raise _unsaved(path, error) from None


def write_new(paths: Iterable[Path], data: bytes) -> tuple[Path, str]:
    """Writes the data to the first of these that no file is at.

    Returns:
        Where it is, and its digest.

    Raises:
        Unsaved: as `write` does.
    """
    for path in paths:
        with suppress(ChangedOnDisk):
            return path, write(path, data, None)
    raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST))


def numbered(path: Path) -> Iterator[Path]:
    """The path, then the same with a number: `talk.toml`, `talk-2.toml`, …"""
    return chain([path], (path.with_stem(f"{path.stem}-{number}") for number in count(2)))


def keep_backup(path: Path, data: bytes) -> Path:
    """Keeps what a file holds beside it: in `talk.toml.bak`, or `talk.toml.bak-2`, …

    Returns:
        Where it is.

    Raises:
        Unsaved: as `write` does.
    """
    return keep_copy(path, data, chain([f"{path.name}.bak"], (f"{path.name}.bak-{number}" for number in count(2))))


def keep_copy(path: Path, data: bytes, names: Iterable[str]) -> Path:
    """Writes the data to a new file beside `path`, readable to those who can read `path`.

    Args:
        names: the new file's name is the first of these that no file has: nothing is overwritten.

    Returns:
        Where the copy is.

    Raises:
        Unsaved: as `write` does.
    """
    for copy in map(path.with_name, names):
        try:
            mode = stat.S_IMODE(path.stat().st_mode) & 0o666
            handle = os.open(copy, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        except FileExistsError:
            continue
        except OSError as error:
            raise _unsaved(copy, error) from None
        try:
            _write_through(handle, data)
        except OSError as error:
            copy.unlink(missing_ok=True)
            raise _unsaved(copy, error) from None
        _sync_folder(copy.parent)
        return copy
    raise FileExistsError(path)


def _status(real: Path) -> os.stat_result | None:
    """Of the file that is there, if any is."""
    try:
        status = real.stat()
    except FileNotFoundError:
        return None
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
    if not stat.S_ISREG(status.st_mode):
        raise Unsaved("document.no_regular_file", file=visible_line(str(real)))
    return status


def _digest_in(real: Path) -> str:
    with real.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _replace(real: Path, data: bytes, before: os.stat_result | None) -> bool:
    """Puts the data in the file's place.

    Args:
        before: what the file was when its content was compared.

    Returns:
        False: another program has written it since, and it is left as it is. A slow disk may take seconds for ours.
    """
    # Renaming over a write-protected file would succeed: the folder's permission decides there.
    if before and not os.access(real, os.W_OK):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
    clear_away(real.parent)
    temporary = temporary_beside(real)
    # Without a file before, the umask decides.
    mode = 0o600 if before else 0o666
    handle = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
    held = os.dup(handle)
    try:
        hold(held)
        if before:
            # A member of the file's group may not give it back to its owner; the group, mostly, stays.
            with suppress(PermissionError):
                os.fchown(handle, -1, before.st_gid)
            with suppress(PermissionError):
                os.fchown(handle, before.st_uid, -1)
            os.fchmod(handle, stat.S_IMODE(before.st_mode))
        _write_through(handle, data)
        unchanged = _stamp(_status(real)) == _stamp(before)
        if unchanged:
            os.replace(temporary, real)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
    finally:
        os.close(held)
    if not unchanged:
        temporary.unlink(missing_ok=True)
        return False
    _sync_folder(real.parent)
    return True


def _stamp(status: os.stat_result | None) -> tuple[int, ...] | None:
    return None if status is None else (status.st_mtime_ns, status.st_size, status.st_ino)


def _write_through(handle: int, data: bytes) -> None:
    """Writes all of it, down to the disk, and closes the file."""
    with open(handle, "wb", buffering=0) as file:
        view = memoryview(data)
        while view:
            view = view[file.write(view) or 0 :]
        os.fsync(handle)


def _sync_folder(folder: Path) -> None:
    # The new file is in place by now; some network file systems can't sync a folder, and need not.
    with suppress(OSError):
        handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


@contextmanager
def _locked(real: Path) -> Generator[None]:
    """Keeps other Qiao processes and threads from saving this file meanwhile.

    Where locks can't be had (a read-only home, some network file systems), saving goes on without.
    """
    handle = _lock_file(real)
    if handle is None:
        yield
        return
    try:
        _wait_for_lock(handle, real)
        yield
    finally:
        os.close(handle)


def _lock_file(real: Path) -> int | None:
    # 256 lock files serve all documents: they needn't ever be cleared away, and a collision costs a short wait.
    path = data_dir() / "locks" / hashlib.sha256(os.fsencode(real)).hexdigest()[:2]
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError:
        return None


def _wait_for_lock(handle: int, real: Path) -> None:
    deadline = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise Unsaved("document.busy", file=visible_line(str(real)), seconds=int(LOCK_SECONDS)) from None
            time.sleep(0.005)
        except OSError:
            return
        else:
            return


def _unsaved(path: Path, error: OSError) -> Unsaved:
    file = visible_line(str(path))
    match error.errno:
        case errno.ENOENT | errno.ENOTDIR:
            return Unsaved("document.no_folder", folder=visible_line(str(path.parent)), file=visible_line(path.name))
        case errno.EISDIR:
            return Unsaved("document.is_folder", file=file)
        case errno.EACCES | errno.EPERM:
            return Unsaved("document.no_permission", file=file)
        case errno.EROFS:
            return Unsaved("document.read_only_disk", file=file)
        case errno.ENOSPC | errno.EDQUOT:
            return Unsaved("document.disk_full", file=file)
        case _:
            return Unsaved("document.unwritable", file=file, detail=_detail(error))


def _detail(error: OSError) -> str:
    return visible_line(error.strerror or str(error))
