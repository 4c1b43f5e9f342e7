"""What doesn't fit into the model's context stands dim in the conversation itself."""

from pathlib import Path

import pytest

from qiao.backends.scripted import ScriptedBackend
from qiao.tui.keeping import keeper

from ..driving import WIDE, Bench, in_loop, talk, workbench

LONG = (("system", "Be brief."), *((role, f"{role} {i} says so") for i in range(5) for role in ("user", "assistant")))[
    :10
]


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "SAVE_AFTER", 0.05)


def dim(bench: Bench) -> list[str]:
    """The texts of messages that are painted in the colour of what counts less."""
    transcript = bench.app.workbench.transcript
    muted = bench.app.inks.style("muted", "page").color
    strips = [transcript.render_line(y) for y in range(transcript.size.height)]
    return [
        s.text.strip() for strip in strips for s in strip if s.style and s.style.color == muted and "says" in s.text
    ]


@in_loop
async def test_what_an_answer_was_given_without_is_dim_and_named(path: Path) -> None:
    scripted = ScriptedBackend(("echo",), context_length=90)
    async with workbench(talk(*LONG, window="drop_oldest"), path, scripted=scripted, size=(120, 60)) as bench:
        assert "left out" not in bench.text()
        scripted.enqueue("So be it.")
        await bench.press("r")
        await bench.see("So be it.", "4 oldest")
        await bench.until(lambda: bench.text().count("left out, doesn't fit") == 4)
        assert dim(bench) == [text for _, text in LONG[1:5]]
        lines = bench.lines()
        assert "left out" not in next(line for line in lines if "system" in line)
        await bench.press("u")
        await bench.miss("left out")
        assert dim(bench) == []


@in_loop
async def test_looking_at_the_prompt_tells_what_would_be_left_out_now(path: Path) -> None:
    scripted = ScriptedBackend(("echo",), context_length=90)
    async with workbench(talk(*LONG), path, scripted=scripted, size=WIDE) as bench:
        await bench.press("v")
        await bench.see("of 90 tokens")
        await bench.press("c")
        await bench.see("the 4 oldest don't fit")
        await bench.press("escape")
        await bench.miss("the 4 oldest")
        assert "left out" not in bench.text()
        await bench.press("v")
        await bench.see("of 90 tokens")
        await bench.press("c")
        await bench.see("the 4 oldest don't fit")
        await bench.press("w", "g")
        await bench.until(lambda: bench.text().count("left out, doesn't fit") == 4)
        await bench.press("e")
        await bench.type("!")
        await bench.press("escape")
        await bench.miss("left out")
