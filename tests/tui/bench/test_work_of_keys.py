"""What a key has to do in a conversation of ten thousand messages is counted: it doesn't grow with their number."""

import gc
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from qiao.tui.transcript import flow
from qiao.tui.transcript.strips import Strips
from qiao.workbench import asking, variables
from qiao.workbench.conversation import Message

from ..driving import HELLO, Bench, in_loop, talk, workbench

COUNT = 10_000
LONG = tuple(
    (("user", "assistant")[at % 2], f"Message {at}. {'weighing every word 推敲 ' * 12}") for at in range(COUNT)
)


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each was done since this was cleared: a message hashed, filled in, read for variables or laid out, ….

    By the screen: what another thread does meanwhile, such as counting tokens, no key waits for.
    """
    counts: Counter[str] = Counter()

    def count(what: str, owner: object, name: str) -> None:
        original: Callable[..., Any] = getattr(owner, name)

        def counted(*args: Any, **kwargs: Any) -> Any:
            counts[what] += threading.current_thread() is threading.main_thread()
            return original(*args, **kwargs)

        monkeypatch.setattr(owner, name, counted)

    count("hashed", asking, "next_hash")
    count("filled", variables, "runs")
    count("read for variables", variables, "message_names")
    count("laid out", flow, "lines")
    count("painted", Strips, "_painted")
    return counts


@in_loop
async def test_a_key_works_on_the_messages_that_are_in_sight(tmp_path: Path, done: Counter[str]) -> None:
    async with workbench(talk(*LONG), tmp_path / "long.toml") as bench:
        await bench.see(f"Message {COUNT - 1}.")
        for key in (
            *("g", "j", "k", "J", "K", "M", "u", "U", "t", "u", "space", "space", "escape", "d", "u", "y", "P", "u"),
            *("g", "ampersand", "u", "Z", "Z", "G", "e", "escape", "slash", "escape", "k", "k"),
        ):
            done.clear()
            await bench.press(key)
            await bench.pilot.pause()
            # A screen has forty lines.
            assert done["hashed"] + done["filled"] == 0, key
            assert done["read for variables"] <= 2, key
            assert done["laid out"] <= 30, key
            assert done["painted"] <= 100, key


@in_loop
async def test_to_the_next_message_paints_the_lines_that_change(tmp_path: Path, done: Counter[str]) -> None:
    async with workbench(talk(*LONG), tmp_path / "long.toml") as bench:
        await bench.press("g")
        await bench.see("Message 0.")
        done.clear()
        await bench.press("j")
        lines = len(bench.app.workbench.transcript._flow.lines_of(0, 0))
        # The mark goes from one message to the next.
        assert done["painted"] <= 2 * lines + 1
        bench.app.workbench.refresh_all()
        assert done["painted"] <= 2 * lines + 1
        assert done["laid out"] == 0


@in_loop
async def test_running_hashes_each_message_once(tmp_path: Path, done: Counter[str]) -> None:
    async with workbench(talk(*LONG, HELLO[1]), tmp_path / "long.toml") as bench:
        for number in range(2):
            bench.scripted.enqueue("Paris.")
            done.clear()
            await bench.press("r")
            await bench.until(lambda number=number: len(_last(bench).takes) == number + 1)
            assert done["hashed"] <= (0 if number else COUNT + 2)
            assert done["filled"] == 0


@pytest.fixture
def no_collector_before_the_first_paint() -> Iterator[None]:
    """As the command starts."""
    threshold = gc.get_threshold()
    gc.disable()
    yield
    gc.set_threshold(*threshold)
    gc.unfreeze()
    gc.enable()


@pytest.mark.usefixtures("no_collector_before_the_first_paint")
@in_loop
async def test_garbage_is_not_looked_for_in_everything(tmp_path: Path) -> None:
    collected: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            collected.append(info["generation"])

    async with workbench(talk(*LONG), tmp_path / "long.toml") as bench:
        await bench.until(gc.isenabled)
        gc.callbacks.append(note)
        try:
            for key in ("g", "j", "e", "escape", "slash", "q", "escape", "G", "v"):
                await bench.press(key)
            await bench.see("of 4,096 tokens")
        finally:
            gc.callbacks.remove(note)
    assert collected
    assert max(collected) < 2


@in_loop
async def test_an_edit_far_above_an_answer_does_not_ask_whether_that_is_stale(
    tmp_path: Path, done: Counter[str]
) -> None:
    async with workbench(talk(*LONG), tmp_path / "long.toml") as bench:
        await bench.press("r")
        await bench.idle()
        await bench.press("g")
        await bench.see("Message 0.")
        done.clear()
        await bench.press("M")
        await bench.see("not sent", "more below")
        assert done["hashed"] == 0
        await bench.press("G")
        await bench.see("stale")


@in_loop
async def test_an_editor_is_in_its_place_in_the_first_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    async with workbench(talk(*LONG), tmp_path / "long.toml") as bench:
        await bench.press("g", "j")
        await bench.see("Message 1.")
        frames: list[str] = []
        display = bench.app._display

        def kept(*args: Any) -> None:
            display(*args)
            frames.append(bench.text())

        monkeypatch.setattr(bench.app, "_display", kept)
        before = bench.lines()
        await bench.press("e")
        await bench.see("esc done")
        await bench.pilot.pause(0.1)
        assert frames
        assert all("Message 1. weighing" in frame for frame in frames)
        row = next(y for y, line in enumerate(before) if "Message 1." in line)
        assert all("Message 1." in frame.split("\n")[row] for frame in frames)


def _last(bench: Bench) -> Message:
    return bench.session.conversation.messages[-1]
