import errno
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from qiao.workbench import saving
from qiao.workbench.errors import Unreadable
from qiao.workbench.saving import ChangedOnDisk, Unsaved, digest_of, keep_copy, read, write

from ..patience import PATIENCE_S


@pytest.fixture(autouse=True)
def own_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    home = tmp_path / "home"
    monkeypatch.setenv("QIAO_HOME", str(home))
    return home


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    folder.mkdir()
    return folder


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that any user of the machine can reach."""
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def run(code: str, *arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs Python in a process of its own."""
    return subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        env={**os.environ, **environment},
    )


SAVE = """
import os, sys
from pathlib import Path
from qiao.workbench.errors import QiaoError
from qiao.workbench.saving import read, write
from qiao.workbench.words import catalogue
catalogue("document")
# Root is bound by no permissions.
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
path = Path(sys.argv[1])
try:
    print(write(path, b"new", read(path).digest if path.exists() else None))
except QiaoError as error:
    print(type(error).__name__, error)
"""


def test_written_and_read(folder: Path) -> None:
    path = folder / "talk.toml"
    digest = write(path, b"one", None)
    assert read(path) == (b"one", digest)
    assert write(path, b"two", digest) == digest_of(b"two")
    assert path.read_bytes() == b"two"
    assert names(folder) == ["talk.toml"]


def test_what_another_program_wrote_is_never_overwritten(folder: Path) -> None:
    path = folder / "talk.toml"
    digest = write(path, b"one", None)
    path.write_bytes(b"theirs")
    with pytest.raises(ChangedOnDisk, match="changed by another program"):
        write(path, b"ours", digest)
    with pytest.raises(ChangedOnDisk, match="exists already"):
        write(path, b"ours", None)
    assert path.read_bytes() == b"theirs"
    path.unlink()
    with pytest.raises(ChangedOnDisk, match="is gone"):
        write(path, b"ours", digest)
    assert names(folder) == []


@pytest.mark.parametrize("there", [True, False])
def test_what_another_program_writes_during_a_slow_save_is_not_overwritten(
    folder: Path, monkeypatch: pytest.MonkeyPatch, there: bool
) -> None:
    path = folder / "talk.toml"
    digest = write(path, b"ours", None) if there else None
    synced = os.fsync

    def slow(handle: int) -> None:
        synced(handle)
        path.write_bytes(b"theirs")

    monkeypatch.setattr(os, "fsync", slow)
    with pytest.raises(ChangedOnDisk, match="changed by another" if there else "exists"):
        write(path, b"ours again", digest)
    assert (path.read_bytes(), names(folder)) == (b"theirs", ["talk.toml"])


def test_the_same_content_is_not_written_again(folder: Path) -> None:
    path = folder / "talk.toml"
    digest = write(path, b"one", None)
    before = path.stat()
    assert write(path, b"one", digest) == digest
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_the_mode_is_kept_and_a_new_file_goes_by_the_umask(folder: Path) -> None:
    path = folder / "talk.toml"
    before = os.umask(0o027)
    try:
        digest = write(path, b"one", None)
        assert path.stat().st_mode & 0o777 == 0o640
        path.chmod(0o604)
        write(path, b"two", digest)
        assert path.stat().st_mode & 0o777 == 0o604
    finally:
        os.umask(before)


def test_a_symlink_stays_and_its_target_is_replaced(folder: Path) -> None:
    (folder / "deep").mkdir()
    target = folder / "deep" / "target.toml"
    link = folder / "talk.toml"
    link.symlink_to("deep/target.toml")
    digest = write(link, b"one", None)
    write(link, b"two", digest)
    assert link.is_symlink()
    assert target.read_bytes() == b"two"
    assert names(target.parent) == ["target.toml"]


def test_a_symlink_to_itself_is_an_error(folder: Path) -> None:
    link = folder / "talk.toml"
    link.symlink_to("talk.toml")
    with pytest.raises(Unsaved):
        write(link, b"one", None)
    with pytest.raises(Unreadable):
        read(link)


def test_places_that_cant_hold_a_file_are_told(folder: Path) -> None:
    with pytest.raises(Unsaved, match=r"The folder .*/nowhere does not exist"):
        write(folder / "nowhere" / "talk.toml", b"x", None)
    with pytest.raises(Unsaved, match="is a folder"):
        write(folder, b"x", None)
    (folder / "file").write_bytes(b"")
    with pytest.raises(Unsaved, match="does not exist"):
        write(folder / "file" / "talk.toml", b"x", None)
    os.mkfifo(folder / "pipe")
    with pytest.raises(Unsaved, match="no ordinary file"):
        write(folder / "pipe", b"x", None)
    with pytest.raises(Unsaved, match=r"can't be saved"):
        write(folder / ("x" * 300), b"x", None)
    assert names(folder) == ["file", "pipe"]


def test_what_cant_be_read_is_told(folder: Path) -> None:
    with pytest.raises(Unreadable, match="does not exist"):
        read(folder / "none.toml")
    with pytest.raises(Unreadable, match="is a folder"):
        read(folder)
    with pytest.raises(Unreadable) as caught:
        read(folder / "a\x1b[2J.toml")
    assert "\x1b" not in str(caught.value)


def test_a_huge_file_is_refused_unread(folder: Path) -> None:
    path = folder / "huge.toml"
    with path.open("wb") as file:
        file.truncate(saving.LARGEST + 1_000_000)
    with pytest.raises(Unreadable, match=r"huge\.toml has 501 MB: only files of up to 500 MB are opened"):
        read(path)


def test_permissions_bind(open_folder: Path) -> None:
    locked, protected, secret = open_folder / "locked", open_folder / "protected", open_folder / "secret"
    locked.mkdir(mode=0o555)
    (locked / "talk.toml").write_bytes(b"old")
    protected.mkdir()
    protected.chmod(0o777)
    (protected / "talk.toml").write_bytes(b"old")
    (protected / "talk.toml").chmod(0o444)
    secret.write_bytes(b"old")
    secret.chmod(0)
    locked.chmod(0o555)
    try:
        home = {"QIAO_HOME": str(protected / "home")}
        for path in (locked / "talk.toml", locked / "new.toml", protected / "talk.toml"):
            done = run(SAVE, path, **home)
            assert done.stdout.startswith(f"Unsaved {path} can't be saved: permission denied"), done
        assert run(SAVE, secret, **home).stdout.startswith("Unreadable")
        assert names(locked) == ["talk.toml"]
        assert names(protected) == ["home", "talk.toml"]
        assert (protected / "talk.toml").read_bytes() == b"old"
    finally:
        locked.chmod(0o755)


def test_without_a_home_for_locks_saving_goes_on(open_folder: Path) -> None:
    open_folder.chmod(0o777)
    done = run(SAVE, open_folder / "talk.toml", QIAO_HOME="/proc/none")
    assert done.stdout.strip() == digest_of(b"new"), done


def test_a_write_cut_short_leaves_the_old_file_and_nothing_else(folder: Path) -> None:
    path = folder / "talk.toml"
    path.write_bytes(b"old")
    code = f"""
import resource, sys
from pathlib import Path
from qiao.workbench.saving import Unsaved, digest_of, write
resource.setrlimit(resource.RLIMIT_FSIZE, (4096, {resource.getrlimit(resource.RLIMIT_FSIZE)[1]}))
try:
    write(Path(sys.argv[1]), b"x" * 10_000, digest_of(b"old"))
except Unsaved as error:
    print(error)
"""
    done = run(code, path)
    assert "can't be saved" in done.stdout, done
    assert path.read_bytes() == b"old"
    assert names(folder) == ["talk.toml"]


@pytest.mark.parametrize(
    ("number", "said"),
    [(errno.ENOSPC, "full"), (errno.EDQUOT, "full"), (errno.EROFS, "the disk is read-only"), (errno.EIO, "as it was")],
)
def test_a_disk_that_fails_late_costs_nothing(
    folder: Path, monkeypatch: pytest.MonkeyPatch, number: int, said: str
) -> None:
    path = folder / "talk.toml"
    digest = write(path, b"old", None)

    def failing(handle: int) -> None:
        raise OSError(number, os.strerror(number))

    monkeypatch.setattr(os, "fsync", failing)
    with pytest.raises(Unsaved, match=said):
        write(path, b"new", digest)
    with pytest.raises(Unsaved, match=said):
        keep_copy(path, b"new", ["copy"])
    assert path.read_bytes() == b"old"
    assert names(folder) == ["talk.toml"]


def test_copies_never_overwrite_and_are_as_private_as_the_file(folder: Path) -> None:
    path = folder / "talk.toml"
    path.write_bytes(b"x")
    path.chmod(0o600)
    kept = [keep_copy(path, data, ["talk.bak", "talk.bak-2"]) for data in (b"one", b"two")]
    assert [copy.name for copy in kept] == ["talk.bak", "talk.bak-2"]
    assert [copy.read_bytes() for copy in kept] == [b"one", b"two"]
    assert all(copy.stat().st_mode & 0o777 == 0o600 for copy in kept)


APPEND = """
import sys
from pathlib import Path
from qiao.workbench.saving import ChangedOnDisk, read, write
path, letter, times = Path(sys.argv[1]), sys.argv[2].encode(), int(sys.argv[3])
done = 0
while done < times:
    data, digest = read(path)
    try:
        write(path, data + letter, digest)
        done += 1
    except ChangedOnDisk:
        pass
"""


def test_two_processes_that_save_at_once_lose_nothing(folder: Path) -> None:
    path = folder / "talk.toml"
    path.write_bytes(b"")
    processes = [subprocess.Popen([sys.executable, "-c", APPEND, str(path), letter, "25"]) for letter in "ab"]
    assert [process.wait(PATIENCE_S) for process in processes] == [0, 0]
    assert sorted(path.read_bytes().decode()) == ["a"] * 25 + ["b"] * 25
    assert names(folder) == ["talk.toml"]


def test_two_threads_that_save_at_once_lose_nothing(folder: Path) -> None:
    path = folder / "talk.toml"
    path.write_bytes(b"")

    def append(letter: bytes) -> None:
        done = 0
        while done < 20:
            data, digest = read(path)
            try:
                write(path, data + letter, digest)
                done += 1
            except ChangedOnDisk:
                pass

    threads = [threading.Thread(target=append, args=(letter,)) for letter in (b"a", b"b")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert sorted(path.read_bytes().decode()) == ["a"] * 20 + ["b"] * 20


def test_a_save_that_never_ends_is_not_waited_for(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(saving, "LOCK_SECONDS", 0.05)
    path = folder / "talk.toml"
    with saving._locked(path), pytest.raises(Unsaved, match="another Qiao"):  # pyright: ignore[reportPrivateUsage]
        write(path, b"x", None)
    assert names(folder) == []
    write(path, b"x", None)


def test_a_file_is_never_seen_half_written(folder: Path) -> None:
    path = folder / "talk.toml"
    sizes = {1, 300_000}
    digest = write(path, b"x", None)
    stop = threading.Event()
    seen: set[int] = set()

    def look() -> None:
        while not stop.is_set():
            seen.add(len(path.read_bytes()))

    watcher = threading.Thread(target=look)
    watcher.start()
    try:
        for _ in range(20):
            digest = write(path, b"x" * 300_000, digest)
            digest = write(path, b"x", digest)
    finally:
        stop.set()
        watcher.join(PATIENCE_S)
    assert seen <= sizes
