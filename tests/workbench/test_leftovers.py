"""What a Qiao leaves beside a file when it is killed while it saves."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from qiao.workbench import leftovers
from qiao.workbench.saving import write

SAVING = """
import os, signal, sys, time
from pathlib import Path
from qiao.workbench import saving

def instead(source, target):
    os.utime(source, (0, 0))
    print("saving", flush=True)
    {what}

saving.os.replace = instead
saving.write(Path(sys.argv[1]), b"half", None)
"""


@pytest.fixture(autouse=True)
def fresh(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if Qiao had just been started, and an hour were no time."""
    monkeypatch.setattr(leftovers, "_cleared", set())
    monkeypatch.setattr(leftovers, "OLD_S", 0.05)


@pytest.fixture
def saving(tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """Another Qiao that is in the middle of a save."""
    code = SAVING.format(what="time.sleep(1000)")
    process = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "a.toml")], stdout=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stdout.readline() == b"saving\n"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def temporaries(folder: Path) -> list[Path]:
    return list(folder.glob(".qiao-*"))


def wait_until_old() -> None:
    """The change time can't be set: it has to pass."""
    time.sleep(0.1)


def test_what_a_killed_one_left_goes_at_the_next_save(saving: "subprocess.Popen[bytes]", tmp_path: Path) -> None:
    os.kill(saving.pid, signal.SIGKILL)
    saving.wait()
    assert len(temporaries(tmp_path)) == 1
    wait_until_old()
    write(tmp_path / "b.toml", b"whole", None)
    assert temporaries(tmp_path) == []


def test_a_save_under_way_is_left_alone(saving: "subprocess.Popen[bytes]", tmp_path: Path) -> None:
    (there,) = temporaries(tmp_path)
    wait_until_old()
    write(tmp_path / "b.toml", b"whole", None)
    assert temporaries(tmp_path) == [there]
    assert there.read_bytes() == b"half"


def test_what_is_young_foreign_or_a_link_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "precious"
    other.write_text("x")
    link = tmp_path / f".qiao-{'0' * 16}.tmp"
    link.symlink_to(other)
    foreign = tmp_path / ".qiao-notes.tmp"
    foreign.write_text("x")
    folder = tmp_path / f".qiao-{'1' * 16}.tmp"
    folder.mkdir()
    wait_until_old()
    young = tmp_path / f".qiao-{'2' * 16}.tmp"
    young.write_text("x")
    monkeypatch.setattr(leftovers, "OLD_S", 60.0)
    write(tmp_path / "b.toml", b"whole", None)
    monkeypatch.setattr(leftovers, "OLD_S", 0.05)
    monkeypatch.setattr(leftovers, "_cleared", set())
    assert young.exists()
    wait_until_old()
    write(tmp_path / "c.toml", b"whole", None)
    assert {path.name for path in temporaries(tmp_path)} == {link.name, foreign.name, folder.name}
    assert other.read_text() == "x"


def test_somebody_elses_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    theirs = tmp_path / f".qiao-{'3' * 16}.tmp"
    theirs.write_text("x")
    wait_until_old()
    me = os.geteuid()
    monkeypatch.setattr("os.geteuid", lambda: me + 1)
    write(tmp_path / "b.toml", b"whole", None)
    assert theirs.exists()


def test_a_folder_is_looked_through_once(tmp_path: Path) -> None:
    write(tmp_path / "b.toml", b"whole", None)
    later = tmp_path / f".qiao-{'4' * 16}.tmp"
    later.write_text("x")
    wait_until_old()
    write(tmp_path / "c.toml", b"whole", None)
    assert later.exists()
