"""What comes while another program has the screen is written down as it would be otherwise."""

import contextlib
import stat
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.app import App

from qiao.tui.keeping import keeper
from qiao.tui.sessions.running import Run
from qiao.workbench.journal import folder as journal_folder

from ...patience import PATIENCE_S
from ..driving import HELLO, Bench, in_loop, talk, workbench


@pytest.mark.parametrize("key", ["o", "E"])
def test_an_answer_and_an_edit_are_written_down_while_an_editor_is_open(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, key: str
) -> None:
    @contextlib.contextmanager
    def given_up(_app: App[object]) -> Iterator[None]:
        yield

    path, opened = tmp_path / "talk.toml", tmp_path / "opened"
    script = tmp_path / "editor.sh"
    # It stays open until all is written down, or for too long.
    looks = f"grep -rqs 'Paris it is' '{journal_folder()}' && grep -q Mine '{path}' && touch '{tmp_path}/found' && exit"
    script.write_text(f"#!/bin/sh\ntouch '{opened}'\nfor i in $(seq 100); do {looks}; sleep 0.05; done\n")
    script.chmod(script.stat().st_mode | stat.S_IXUSR)
    monkeypatch.setattr(App, "suspend", given_up)
    monkeypatch.delenv("VISUAL", raising=False)
    monkeypatch.setenv("EDITOR", str(script))
    # Only what happens meanwhile saves.
    monkeypatch.setattr(keeper, "SAVE_AFTER", PATIENCE_S)
    go = threading.Event()

    def release() -> None:
        end = time.monotonic() + PATIENCE_S
        while not opened.exists() and time.monotonic() < end:
            time.sleep(0.01)
        go.set()

    @in_loop
    async def drive() -> None:
        async with workbench(talk(*HELLO), path) as bench:
            bench.scripted.enqueue("Paris it is.", hold=go)
            await bench.press("r")
            await bench.see("Paris")
            await bench.press("k", "e")
            await bench.type(" Mine.")
            await bench.press("escape")
            waiting = threading.Thread(target=release)
            waiting.start()
            await bench.press(key)
            await bench.until((tmp_path / "found").exists, "all of it to be written down")
            waiting.join()
            await bench.idle()
            await bench.see("Paris it is.", "Mine.")

    drive()


def test_an_answer_that_ends_while_the_screen_goes_is_taken_in() -> None:
    held: list[tuple[Bench, Run]] = []

    @in_loop
    async def drive() -> None:
        async with workbench(talk(*HELLO)) as bench:
            bench.scripted.enqueue("Paris.", hold=threading.Event())
            await bench.press("r")
            await bench.see("Paris")
            held.append((bench, bench.session.runs[0]))

    drive()
    [(bench, run)] = held
    assert run in bench.session.runs
    run.last = run.answer
    bench.app.workbench.running.answer_came(run, run.answer)
    assert not bench.session.runs
    assert bench.session.messages[-1].said == "Paris"
