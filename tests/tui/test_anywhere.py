"""What works wherever one is: painting all again, and seeing how far a model is that has to be fetched to be shown."""

import threading
from collections.abc import Iterator

import pytest

from qiao.workbench.address import Address
from qiao.workbench.config import Config
from qiao.workbench.seam import Progress

from ..patience import PATIENCE_S
from .driving import HELLO, Bench, in_loop, talk, workbench

PLACES: dict[str, tuple[list[str], str]] = {
    "moving": ([], "Capital of France?"),
    "editing": (["e"], "editing"),
    "a question": (["r", "q"], "esc  back"),
    "a line": (["N"], "esc"),
    "the help": (["question_mark"], "KEYS"),
    "the exact prompt": (["v"], "tokens"),
    "the palette": (["colon"], "any action, model"),
    "the files": (["O"], "LIBRARY"),
}


def counted(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    painted: list[bool] = []
    repaint = bench.app.repaint

    def count() -> None:
        painted.append(True)
        repaint()

    monkeypatch.setattr(bench.app, "repaint", count)
    return painted


@pytest.mark.parametrize("place", list(PLACES))
@in_loop
async def test_the_screen_can_be_painted_again_anywhere(place: str, monkeypatch: pytest.MonkeyPatch) -> None:
    keys, seen = PLACES[place]
    async with workbench(talk(*HELLO)) as bench:
        release = threading.Event()
        bench.scripted.enqueue("Paris.", hold=release)
        await bench.press(*keys)
        await bench.see(seen)
        painted = counted(bench, monkeypatch)
        screen = bench.app.screen
        await bench.press("ctrl+l")
        assert painted == [True]
        assert bench.app.screen is screen
        await bench.see(seen)
        release.set()


@in_loop
async def test_while_editing_nothing_of_the_draft_is_touched(monkeypatch: pytest.MonkeyPatch) -> None:
    async with workbench(talk(*HELLO)) as bench:
        await bench.press("e")
        await bench.see("editing")
        await bench.type("Really: ")
        await bench.press("ctrl+l")
        await bench.type("now")
        await bench.see("Really: now")


@in_loop
async def test_a_key_that_types_holds_only_where_no_text_is_typed(monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config(model="scripted:echo", keys={"repaint": "Z,f9"})
    async with workbench(talk(*HELLO), config=config) as bench:
        painted = counted(bench, monkeypatch)
        await bench.press("Z")
        assert painted == [True]
        await bench.press("e")
        await bench.see("editing")
        await bench.press("Z", "f9")
        assert painted == [True, True]
        assert "Z" in bench.text()


@in_loop
async def test_the_exact_prompt_shows_how_far_its_model_is(monkeypatch: pytest.MonkeyPatch) -> None:
    fetched = threading.Event()

    def prepare(address: Address, stop: threading.Event) -> Iterator[Progress]:
        yield Progress("fetching", 40, 100)
        assert fetched.wait(PATIENCE_S)

    async with workbench(talk(*HELLO)) as bench:
        monkeypatch.setattr(bench.app.backends, "prepare", prepare)
        await bench.press("v")
        await bench.see("fetching the model", "40%")
        fetched.set()
        await bench.see("tokens")
        await bench.miss("fetching")


@in_loop
async def test_leaving_before_it_is_there_stops_the_fetching(monkeypatch: pytest.MonkeyPatch) -> None:
    ended = threading.Event()

    def prepare(address: Address, stop: threading.Event) -> Iterator[Progress]:
        yield Progress("fetching", 40, 100)
        assert stop.wait(PATIENCE_S)
        ended.set()

    async with workbench(talk(*HELLO)) as bench:
        monkeypatch.setattr(bench.app.backends, "prepare", prepare)
        await bench.press("v")
        await bench.see("40%")
        await bench.press("escape")
        await bench.until(ended.is_set)
        await bench.miss("40%")
