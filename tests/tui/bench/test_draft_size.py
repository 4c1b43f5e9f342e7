"""How many tokens a draft has, while it is written."""

import threading
from pathlib import Path

import pytest

from qiao.backends.scripted import ScriptedBackend
from qiao.tui.bench import draft_size
from qiao.workbench.config import Config
from qiao.workbench.seam import Count, Request

from ...patience import PATIENCE_S
from ..driving import HELLO, NARROW, WIDE, Bench, in_loop, talk, workbench


class Counting(ScriptedBackend):
    """Keeps what it was asked to count; answers when `go` is set."""

    def __init__(self, tells: bool = True) -> None:
        super().__init__(("echo", "other"))
        self.asked: list[Request] = []
        self.tells = tells
        self.go = threading.Event()
        self.go.set()

    def count(self, request: Request, stop: threading.Event) -> Count | None:
        self.asked.append(request)
        self.go.wait(PATIENCE_S)
        return super().count(request, stop) if self.tells else None


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draft_size, "WAIT", 0.02)


def line_below(bench: Bench) -> str:
    return next(line for line in bench.lines() if " of 4,096" in line)


@pytest.mark.parametrize("size", [WIDE, NARROW])
@in_loop
async def test_the_count_stands_below_the_editor_and_keeps_its_place(path: Path, size: tuple[int, int]) -> None:
    async with workbench(talk(*HELLO), path, size=size) as bench:
        assert " of 4,096" not in bench.text()
        await bench.press("e")
        await bench.see("5 tokens ·     20 of 4,096")
        first = line_below(bench).index("of 4,096")
        await bench.type(" and of Italy, and of all the other countries that there are")
        await bench.see("19 tokens ·     34 of 4,096")
        assert line_below(bench).index("of 4,096") == first
        await bench.press("escape", "v")
        await bench.see("34 of 4,096 tokens")


@in_loop
async def test_a_new_message_counts_with_what_stands_above(path: Path) -> None:
    async with workbench(talk(*HELLO, ("user", "{{who}}?"), variables={"who": "Li Lei"}), path) as bench:
        await bench.press("a")
        await bench.see("0 tokens")
        await bench.type("Yes, {{who}}, {{nobody}}.")
        await bench.until(lambda: "0 tokens" not in line_below(bench))
        await bench.press("escape")
        assert bench.session.conversation.messages[-1].said == "Yes, {{who}}, {{nobody}}."


@in_loop
async def test_where_nobody_can_count_it_is_about(path: Path) -> None:
    scripted = Counting(tells=False)
    async with workbench(talk(*HELLO), path, scripted=scripted) as bench:
        await bench.press("e")
        await bench.see("~4 tokens ·    ~19 of 4,096")
        await bench.type(" 敲门敲门敲门")
        await bench.see("~9 tokens ·    ~24 of 4,096")
        assert len(scripted.asked) == 1


@in_loop
async def test_keys_dont_wait_for_a_count_and_what_is_left_behind_is_dropped(path: Path) -> None:
    scripted = Counting()
    scripted.go.clear()
    async with workbench(talk(*HELLO), path, scripted=scripted) as bench:
        await bench.press("e")
        await bench.until(lambda: scripted.asked, "a count to begin")
        await bench.type(" And then some more")
        await bench.see("And then some more")
        assert len(scripted.asked) == 1
        await bench.press("escape", "k", "e")
        await bench.see("Be brief.")
        scripted.go.set()
        await bench.see("3 tokens ·     11 of 4,096")
        assert [request.messages[-1].text for request in scripted.asked] == ["Capital of France?", "Be brief."]


@in_loop
async def test_a_burst_of_keys_is_counted_once_or_twice(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draft_size, "WAIT", 0.5)
    scripted = Counting()
    async with workbench(talk(*HELLO), path, scripted=scripted) as bench:
        await bench.press("e")
        await bench.type("a word " * 10)
        await bench.until(lambda: scripted.asked and scripted.asked[-1].messages[-1].text.endswith("a word a word "))
        await bench.see("26 tokens")
        assert len(scripted.asked) < 14


@in_loop
async def test_a_megabyte_is_judged_and_waits_for_a_pause(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(draft_size, "LONG_WAIT", 0.3)
    scripted = Counting(tells=False)
    async with workbench(talk(*HELLO), path, scripted=scripted) as bench:
        await bench.press("e")
        await bench.see("~4 tokens")
        await bench.paste("words and lines\n" * 60_000)
        await bench.see("~240,0")
        await bench.type("abc")
        await bench.press("escape")
        await bench.until(lambda: bench.said()[1][1].endswith("abc"))


@in_loop
async def test_for_ears_no_figure_changes_by_itself(path: Path) -> None:
    scripted = Counting()
    config = Config(model="scripted:echo", plain=True)
    async with workbench(talk(*HELLO), path, scripted=scripted, config=config) as bench:
        await bench.press("e")
        await bench.type(" Now")
        await bench.see("France? Now")
        await bench.press("escape")
        assert not scripted.asked


@in_loop
async def test_the_starter_counts_without_being_loaded(path: Path, starter_home: Path) -> None:
    config = Config(model="local:starter")
    async with workbench(talk(*HELLO), path, config=config) as bench:
        await bench.press("e")
        await bench.see(" 4 tokens ·    ~20 of 8,192")
        assert next(model for model in bench.app.backends.models() if model.title.startswith("Smol")).state == "on_disk"
