"""The supervisor with real processes: a stand-in for the server that does as vLLM was seen to do."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qiao.backends.vllm import state, supervisor

from ...patience import PATIENCE_S

ENGINE = """
import signal, time
signal.signal(signal.SIGTERM, signal.SIG_IGN)
print("engine is up", flush=True)
time.sleep(600)
"""
SERVER = """
import signal, subprocess, sys, time
engine = subprocess.Popen([sys.executable, "-c", {engine!r}], stdout=2)
stubborn = {stubborn}
signal.signal(signal.SIGTERM, lambda *_: None if stubborn else (engine.kill(), sys.exit(0)))
print("server is up", file=sys.stderr, flush=True)
while True:
    time.sleep(600)
"""


def until(true: Callable[[], object], seconds: float = 20) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Supervised:
    def __init__(self, log: Path, *, stubborn: bool = False) -> None:
        self.log = log
        code = SERVER.format(engine=ENGINE, stubborn=stubborn)
        with log.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-I", supervisor.__file__, sys.executable, "-c", code],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                start_new_session=True,
            )
        assert self.process.stdout is not None
        leader = state.process(int(self.process.stdout.readline()))
        assert leader is not None
        self.leader = leader
        until(lambda: "engine is up" in log.read_text() and "server is up" in log.read_text())

    def say(self, word: bytes) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(word)
        self.process.stdin.flush()

    def hang_up(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()

    def group(self) -> list[int]:
        return [member.pid for member in state.group(self.leader)]


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Supervised]]:
    made: list[Supervised] = []

    def begin(*, stubborn: bool = False) -> Supervised:
        made.append(Supervised(tmp_path / f"{len(made)}.log", stubborn=stubborn))
        return made[-1]

    yield begin
    for each in made:
        each.process.kill()
        each.process.wait()
        state.end_group(each.leader)
        for pipe in (each.process.stdin, each.process.stdout):
            assert pipe is not None
            pipe.close()


@pytest.mark.parametrize("way", ["end", "hang up", "SIGTERM"])
def test_it_ends_the_server_and_its_engine(start: Callable[..., Supervised], way: str) -> None:
    supervised = start()
    assert len(supervised.group()) == 2
    if way == "end":
        supervised.say(b"end\n")
    elif way == "hang up":
        supervised.hang_up()
    else:
        supervised.process.terminate()
    assert supervised.process.wait(PATIENCE_S) == 0
    assert supervised.group() == []


def test_a_server_that_doesnt_end_is_killed_with_its_engine(
    start: Callable[..., Supervised], monkeypatch: pytest.MonkeyPatch
) -> None:
    supervised = start(stubborn=True)
    supervised.say(b"end\n")
    assert supervised.process.wait(supervisor.GRACE_SECONDS + 15) == 128 + signal.SIGKILL
    assert supervised.group() == []


def test_what_a_dead_server_leaves_is_ended(start: Callable[..., Supervised]) -> None:
    supervised = start()
    assert supervised.leader.signal(signal.SIGKILL)
    assert supervised.process.wait(PATIENCE_S) == 128 + signal.SIGKILL
    assert supervised.group() == []


def test_a_server_that_was_left_runs_on_until_the_supervisor_is_told(start: Callable[..., Supervised]) -> None:
    supervised = start()
    supervised.say(b"leave\n")
    supervised.hang_up()
    with pytest.raises(subprocess.TimeoutExpired):
        supervised.process.wait(1)
    assert len(supervised.group()) == 2
    supervised.process.terminate()
    assert supervised.process.wait(PATIENCE_S) == 0
    assert supervised.group() == []


def test_a_killed_supervisor_takes_the_server_along_and_the_rest_is_cleaned_up(
    start: Callable[..., Supervised],
) -> None:
    supervised = start()
    supervised.process.kill()
    until(lambda: not supervised.leader.alive)
    assert len(supervised.group()) == 1
    assert state.end_group(supervised.leader) == 1
    until(lambda: supervised.group() == [])


def test_a_recycled_id_is_never_signalled(start: Callable[..., Supervised]) -> None:
    supervised = start()
    other = state.Process(supervised.leader.pid, supervised.leader.started - 1)
    assert not other.alive
    assert not other.signal(signal.SIGKILL)
    assert state.end_group(other) == 0
    assert supervised.leader.alive


def test_hang_up_of_the_terminal_leaves_it_alone(start: Callable[..., Supervised]) -> None:
    supervised = start()
    os.kill(supervised.process.pid, signal.SIGHUP)
    supervised.say(b"leave\n")
    assert supervised.leader.alive
