"""Earlier prompts of an answer, by keys."""

from pathlib import Path

import pytest

from ..driving import NARROW, WIDE, in_loop, talk, workbench


@pytest.mark.parametrize("size", [WIDE, NARROW])
@in_loop
async def test_an_earlier_prompt_stands_beside_the_one_of_now_and_comes_back(
    tmp_path: Path, size: tuple[int, int]
) -> None:
    async with workbench(talk(("user", "Capital of France")), tmp_path / "t.toml", size=size) as bench:
        bench.scripted.enqueue("Paris.")
        await bench.press("r")
        await bench.idle()
        await bench.press("H")
        await bench.see("one prompt only")
        await bench.press("k", "e")
        await bench.type(", please")
        await bench.press("escape")
        await bench.see("stale")
        bench.scripted.enqueue("Paris, gladly.")
        await bench.press("r")
        await bench.idle()
        await bench.press("H")
        await bench.see("1/2", "2/2 now", "Capital of France, please", "Paris, gladly.")
        assert "esc back" in bench.lines()[-1]
        await bench.press("b")
        await bench.see("old prompt is back")
        await bench.until(lambda: bench.session.conversation.messages[0].text == "Capital of France")
        assert len(bench.session.conversation.messages[1].takes) == 2
        await bench.press("u")
        await bench.until(lambda: bench.session.conversation.messages[0].text == "Capital of France, please")
