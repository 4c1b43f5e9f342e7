"""What is written goes out in order; a terminal that takes nothing, or is gone, holds up nobody."""

import os
import select
import time
from collections.abc import Iterator
from typing import IO

import pytest

from qiao.tui.wire.writer import STOP_S, Writer


class Pipe:
    def __init__(self) -> None:
        self.reading, writing = os.pipe()
        self.file: IO[str] = os.fdopen(writing, "w")
        self.writer = Writer(self.file)
        self.writer.start()


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    made = Pipe()
    yield made
    made.writer.stop()


def test_everything_arrives_in_order(pipe: Pipe) -> None:
    for number in range(1000):
        pipe.writer.write(f"{number} 敲\n")
    pipe.writer.stop()
    assert pipe.writer.pending == 0
    assert os.read(pipe.reading, 65536).decode() == "".join(f"{number} 敲\n" for number in range(1000))


def test_a_terminal_that_takes_nothing_holds_up_nobody(pipe: Pipe) -> None:
    begun = time.monotonic()
    for _ in range(1000):
        pipe.writer.write("x" * 1000)
    assert pipe.writer.pending > 500_000
    pipe.writer.stop()
    assert time.monotonic() - begun < STOP_S + 5
    # What hangs gets no more afterwards, when it moves again.
    got = 0
    while pipe.writer.is_alive():
        # It may end between two looks, having written all it will.
        if select.select([pipe.reading], [], [], 0.05)[0]:
            got += len(os.read(pipe.reading, 65536))
    assert got < 200_000


def test_a_terminal_that_is_gone_holds_up_nobody(pipe: Pipe) -> None:
    os.close(pipe.reading)
    for _ in range(100):
        pipe.writer.write("x" * 1000)
    begun = time.monotonic()
    pipe.writer.stop()
    assert not pipe.writer.is_alive()
    assert pipe.writer.pending == 0
    assert time.monotonic() - begun < STOP_S + 5


def test_a_terminal_that_is_gone_is_told_once(pipe: Pipe) -> None:
    gone: list[bool] = []
    pipe.writer.when_gone(lambda: gone.append(True))
    pipe.writer.write("x")
    assert os.read(pipe.reading, 1) == b"x"
    os.close(pipe.reading)
    pipe.writer.write("x")
    pipe.writer.write("x")
    pipe.writer.stop()
    assert gone == [True]
    late: list[bool] = []
    pipe.writer.when_gone(lambda: late.append(True))
    assert late == [True]


def test_what_is_not_text_does_not_end_it(pipe: Pipe) -> None:
    pipe.writer.write("\udc80ok")
    pipe.writer.stop()
    assert os.read(pipe.reading, 100) == b"?ok"
