"""What is typed is written down as it is typed, however busy the disk."""

import os
import threading
from pathlib import Path

import pytest

from qiao.workbench.journal import folder

from ...patience import PATIENCE_S
from ..driving import in_loop, talk, workbench


def written() -> str:
    return "".join(path.read_text() for path in folder().glob("*.jsonl"))


@in_loop
async def test_a_disk_that_is_busy_for_long_costs_no_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, done = threading.Event(), threading.Event()

    def busy(file: int) -> None:
        asked.set()
        assert done.wait(PATIENCE_S)

    monkeypatch.setattr(os, "fdatasync", busy)
    try:
        async with workbench(talk(("user", "one")), tmp_path / "talk.toml") as bench:
            await bench.press("e")
            await bench.type(" two")
            await bench.until(asked.is_set, "syncing")
            await bench.type(" three")
            await bench.until(lambda: "three" in written(), "the later words are in the journal")
            done.set()
    finally:
        done.set()


@in_loop
async def test_a_disk_that_loses_what_was_written_is_told_of(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, failed = os.fdatasync, threading.Event()

    def once(file: int) -> None:
        if not failed.is_set():
            failed.set()
            raise OSError(5, "Input/output error")
        real(file)

    monkeypatch.setattr(os, "fdatasync", once)
    async with workbench(talk(("user", "one")), tmp_path / "talk.toml") as bench:
        await bench.press("e")
        await bench.type(" two")
        await bench.see("Input/output error")
        # Nobody knows what of it has reached the disk: all is written again.
        await bench.until(lambda: written().count('"draft":{') >= 2, "the whole draft again")
