"""Long texts folded and opened, by keys. Folding is seen on the screen only; the document knows nothing of it."""

import threading
from pathlib import Path

import pytest

from qiao.tui.sessions.folding import Folds
from qiao.tui.transcript import blocks, flow
from qiao.workbench.conversation import Conversation, Message, Take

from ..driving import NARROW, in_loop, talk, workbench

LONG = "\n".join(f"line {i}" for i in range(60))
LIST = "\n".join(f"- item {i}" for i in range(60))
TALK = Conversation(
    messages=(
        Message(role="system", text=LONG),
        Message(role="user", text="Short."),
        Message(role="assistant", takes=(Take(text=LIST, thinking="Let me see."),), chosen=1),
    )
)


@pytest.mark.parametrize("size", [(120, 80), NARROW])
@in_loop
async def test_a_long_text_folds_to_its_first_lines(tmp_path: Path, size: tuple[int, int]) -> None:
    async with workbench(TALK, tmp_path / "t.toml", size=size) as bench:
        await bench.press("g", "z")
        await bench.see("line 3", "56 more lines", "Short.")
        assert "line 4" not in bench.text()
        await bench.press("e")
        await bench.see("line 59")
        await bench.press("escape", "g")
        await bench.see("line 4")
        assert "more lines" not in bench.text()
        assert not bench.session.document.can_undo
        await bench.press("z")
        await bench.see("56 more lines")
        await bench.press("z")
        await bench.see("line 4")
        await bench.press("z", "j", "z")
        await bench.see("Nothing to fold")


@in_loop
async def test_an_answer_with_thinking_goes_round(tmp_path: Path) -> None:
    async with workbench(TALK, tmp_path / "t.toml", size=(120, 90)) as bench:
        await bench.see("item 59")
        assert "Let me see." not in bench.text()
        await bench.press("z")
        await bench.see("Let me see.", "item 59")
        await bench.press("z")
        await bench.see("item 3", "56 more lines")
        await bench.miss("Let me see.")
        assert "item 4" not in bench.text()
        await bench.press("z")
        await bench.see("item 59")
        await bench.miss("Let me see.")


@in_loop
async def test_thinking_that_streams_in_can_be_put_out_of_sight(tmp_path: Path) -> None:
    hold = threading.Event()
    async with workbench(talk(("user", "Hm?")), tmp_path / "t.toml") as bench:
        bench.scripted.enqueue("So it is.", thinking="Letmesee and so on.", hold=hold)
        await bench.press("r")
        await bench.see("thinking, 1 token", "Letmes")
        await bench.press("z")
        await bench.miss("Letmes")
        await bench.see("thinking, 1 token")
        await bench.press("z")
        await bench.see("Letmes")
        hold.set()
        await bench.see("So it is.", "stop")
        await bench.miss("Letmesee")


@in_loop
async def test_all_are_folded_at_once_and_what_comes_later_stays_open(tmp_path: Path) -> None:
    async with workbench(TALK, tmp_path / "t.toml") as bench:
        await bench.press("Z")
        await bench.until(lambda: bench.text().count("56 more lines") == 2, "both to be folded")
        bench.scripted.enqueue(LIST)
        await bench.press("r")
        await bench.idle()
        await bench.see("item 59", "stop")
        await bench.press("g")
        await bench.see("56 more lines")
        await bench.press("z")
        await bench.miss("more lines")
        await bench.press("Z")
        await bench.until(lambda: bench.text().count("more lines") == 0, "all to be open")


@in_loop
async def test_what_is_found_in_a_folded_text_opens_it(tmp_path: Path) -> None:
    async with workbench(TALK, tmp_path / "t.toml") as bench:
        await bench.press("Z", "slash")
        await bench.type("line 17")
        await bench.see("1 found")
        await bench.press("enter")
        await bench.see("line 17")
        assert bench.session.index == 0


@in_loop
async def test_folding_all_looks_at_none_that_is_out_of_sight(monkeypatch: pytest.MonkeyPatch) -> None:
    laid = 0

    def counted(*arguments: object) -> list[blocks.Line]:
        nonlocal laid
        laid += 1
        return blocks.lines(*arguments)  # pyright: ignore[reportArgumentType]

    many = talk(*((("user", "assistant")[i % 2], LONG) for i in range(2_000)))
    async with workbench(many) as bench:
        await bench.see("line 59")
        monkeypatch.setattr(flow, "lines", counted)
        await bench.press("Z")
        await bench.see("56 more lines")
        assert laid < 40


def test_the_next_way_to_see_a_message() -> None:
    folds = Folds().with_all(below=5)
    assert folds.hides_text(4)
    assert not folds.hides_text(5)
    assert not folds.stepped(4, thinks=False, is_long=True).hides_text(4)
    assert folds.stepped(5, thinks=False, is_long=True).hides_text(5)
    opened = folds.stepped(4, thinks=True, is_long=False)
    assert not opened.hides_thinking(4), "a short text doesn't take a turn of its own"
    assert opened.stepped(4, thinks=True, is_long=False).hides_thinking(4)
