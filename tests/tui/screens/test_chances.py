"""How likely the tokens of an answer were, and going on from another one: by keys."""

import math
from pathlib import Path

import pytest

from qiao.tui.screens.chances import alternatives, token_lines
from qiao.workbench.sampling import Sampling
from qiao.workbench.seam import Alternative, Finished, Started, Text, Token

from ..driving import NARROW, WIDE, in_loop, talk, workbench


def token(text: str, share: float, **others: float) -> Token:
    return Token(text, math.log(share), tuple(Alternative(f" {name}", math.log(p)) for name, p in others.items()))


TOKENS = (token("It is", 0.99), token(" Paris", 0.3, Lyon=0.6, Nice=0.05), token(".\nYes", 0.97))
EVENTS = (Started("chat", Sampling()), *(Text(each.text, 1, (each,)) for each in TOKENS), Finished("stop"))


def test_the_token_itself_stands_among_the_likeliest() -> None:
    assert [each.text for each in alternatives(TOKENS[1])] == [" Lyon", " Paris", " Nice"]
    assert [each.text for each in alternatives(token("a", 0.5))] == ["a"]


def test_lines_say_what_the_answer_says_at_any_width() -> None:
    for width in (8, 12, 80):
        lines, at = token_lines(TOKENS, 2, width)
        assert "".join(run.text for line in lines for run in line).replace("↵", "") == "It is Paris.Yes"
        assert any("picked" in run.ink for run in lines[at])


@pytest.mark.parametrize("size", [WIDE, NARROW])
@in_loop
async def test_an_answer_goes_on_from_another_token(tmp_path: Path, size: tuple[int, int]) -> None:
    async with workbench(talk(("user", "Capital?")), tmp_path / "t.toml", size=size) as bench:
        bench.scripted.enqueue(EVENTS)
        await bench.press("r")
        await bench.idle()
        await bench.press("percent_sign", "n")
        await bench.see("token 2 of 3", "“ Lyon”", "60.0%", "30.0%")
        bench.scripted.enqueue(", of course.")
        await bench.press("k", "enter")
        await bench.idle()
        await bench.see("It is Lyon, of course.", "‹2/2›")
        request = bench.scripted.requests[-1]
        assert request.continue_last
        assert request.messages[-1].text == "It is Lyon"
        assert bench.session.conversation.messages[1].takes[1].prefix == len("It is Lyon")


@in_loop
async def test_without_probabilities_it_says_how_to_get_them(tmp_path: Path) -> None:
    async with workbench(talk(("user", "Capital?")), tmp_path / "t.toml") as bench:
        bench.scripted.enqueue("Paris.")
        await bench.press("r")
        await bench.idle()
        await bench.press("percent_sign")
        await bench.see("Set logprobs")
