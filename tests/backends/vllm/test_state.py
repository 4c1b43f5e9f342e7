import os
import stat
import time
from pathlib import Path

import pytest

from qiao.backends.vllm import state
from qiao.workbench.errors import BrokenOff


def me() -> state.Process:
    process = state.process(os.getpid())
    assert process is not None
    return process


def running(port: int = 1234, **changes: object) -> state.Running:
    own = me()
    values: dict[str, object] = {
        "name": "smol", "model": "local:/m", "port": port, "supervisor": own, "server": own,
        "boot": state.boot(), "log": "/log", "created": time.time(),
    }  # fmt: skip
    return state.Running(**{**values, **changes})  # pyright: ignore[reportArgumentType]


def test_a_server_is_found_again_with_its_key(home: Path) -> None:
    one, two = running(1), running(2, created=1.0)
    state.keep(one, "secret")
    state.keep(two, "other")
    assert state.kept() == [two, one]
    assert (state.key_of(one), state.key_of(two)) == ("secret", "other")
    state.forget(one)
    assert state.kept() == [two]
    assert state.key_of(one) is None


def test_nobody_else_can_read_it(home: Path) -> None:
    state.keep(running(), "secret")
    folder = home / "data" / "vllm"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    files = list(folder.iterdir())
    assert len(files) == 2
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in files)
    assert not [file for file in files if b"secret" in file.read_bytes() and file.suffix != ".key"]


def test_one_whose_processes_are_gone_is_forgotten(home: Path) -> None:
    gone = state.Process(me().pid, me().started - 1)
    state.keep(running(1, supervisor=gone, server=gone), "secret")
    state.keep(running(2, boot="another", supervisor=me()), "secret")
    assert state.kept() == []
    assert list((home / "data" / "vllm").iterdir()) == []


def test_a_file_that_cant_be_understood_is_passed_over(home: Path) -> None:
    (home / "data" / "vllm").mkdir(parents=True)
    (home / "data" / "vllm" / "1.json").write_text("{")
    assert state.kept() == []


def test_without_a_folder_it_is_told(home: Path) -> None:
    home.mkdir()
    (home / "data").write_text("a file")
    with pytest.raises(BrokenOff, match="can't be written"):
        state.keep(running(), "secret")
    assert state.kept() == []
