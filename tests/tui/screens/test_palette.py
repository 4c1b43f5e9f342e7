"""The palette: what fits what is typed, in which order; enter takes what is selected, and the next key comes after."""

from pathlib import Path

import pytest

from qiao.tui.screens.fitting import Fit, Names
from qiao.workbench import words
from qiao.workbench.address import Address
from qiao.workbench.conversation_file import dumps
from qiao.workbench.seam import Model
from qiao.workbench.words import say

from ..driving import HELLO, in_loop, talk, workbench
from .palettes import burst, listed, selected


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file in a folder without others."""
    monkeypatch.chdir(tmp_path)
    return tmp_path / "talk.toml"


NAMES = ("next file", "the file", "profile", "file", "close", "fiddle", "文件")
TOLD = ("to the next one", "", "", "", "a file is closed", "", "下一个文件")


def fitting(typed: str, most: int = 100) -> list[tuple[str, Fit]]:
    return [(NAMES[number], fit) for fit, number in Names("", NAMES, TOLD).fitting(typed, most)]


def test_the_best_comes_first() -> None:
    assert fitting("file") == [
        ("file", Fit.BEGINS),
        ("next file", Fit.WORD),
        ("the file", Fit.WORD),
        ("profile", Fit.HELD),
        ("close", Fit.HELP),
    ]
    assert fitting("file", 2) == fitting("file")[:2]
    assert fitting("FILE Ne") == [("next file", Fit.HELD)]
    assert fitting("file one") == [("next file", Fit.HELP)]
    assert fitting("nxfl") == [("next file", Fit.LETTERS)]
    assert fitting("ｆｉｄ") == [("fiddle", Fit.BEGINS)]
    assert fitting("文件") == [("文件", Fit.BEGINS)]
    assert fitting("件") == [("文件", Fit.HELD)]
    assert fitting("^[a") == fitting("zz") == []


def test_the_kind_may_be_typed_before_the_name() -> None:
    typed = {"Model: ": ("model 4O", "Model:gpt-4o"), "模型：": ("模型：gpt-4", "模型 4o")}
    for kind, lines in typed.items():
        names = Names(kind, ["qwen", "gpt-4o"])
        assert [[number for _, number in names.fitting(line, 10)] for line in lines] == [[1], [1]]
    every = Names("Model: ", ["qwen", "a model", "gpt-4o"]).fitting("mod", 10)
    assert every == [(Fit.WORD, 1), (Fit.HELD, 0), (Fit.HELD, 2)]


def test_letters_count_where_no_name_has_the_words() -> None:
    names = Names("Model: ", ["gp-tiny", "qwen-plus", "big-gpt"])
    assert names.fitting("gpt", 10) == [(Fit.WORD, 2)]
    assert names.fitting("qwenplus", 10) == [(Fit.LETTERS, 1)]


@pytest.mark.parametrize(
    ("name", "typed", "fit", "marked"),
    [
        ("next file", "FI ext", Fit.HELD, ["ext", "fi"]),
        ("next file", "nfl", Fit.LETTERS, ["n", "f", "l"]),
        ("文件［", "件[", Fit.HELD, ["件［"]),
        ("İfile", "file", Fit.HELD, []),
    ],
)
def test_what_was_typed_is_marked(name: str, typed: str, fit: Fit, marked: list[str]) -> None:
    line = Names("", [name]).marked(name, typed, fit)
    assert "".join(run.text for run in line) == name
    assert [run.text for run in line if run.ink != "text"] == marked


@in_loop
async def test_all_there_is_stands_there_before_anything_is_typed(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        await bench.press("colon")
        kinds = [title.partition(":")[0] for title in listed(bench)]
        assert kinds[0] == selected(bench) == "next"
        named = [kind for kind in kinds if kind[0].isupper()]
        assert list(dict.fromkeys(named)) == ["API keys", "Theme", "Model"]
        await bench.see("j ↓", say("actions.next_help"))
        await bench.press("down")
        await bench.see(say("actions.previous_help"))
        await bench.type("qui")
        await bench.until(lambda: listed(bench) == ["quit"], "what fits")
        await bench.see(say("actions.quit_help"))
        await bench.press("ctrl+u")
        await bench.type("no such thing")
        await bench.see("nothing found")
        await bench.press("enter")
        await bench.see("no such thing")


@in_loop
async def test_a_burst_carries_out_what_it_names_and_then_the_keys_behind_it(path: Path) -> None:
    async with workbench(talk(*HELLO, ("user", "And of Spain?")), path) as bench:
        burst(bench, ":Model: scripted:other\rk")
        await bench.until(lambda: bench.on_disk().model == "scripted:other", "the model")
        await bench.until(lambda: bench.session.shown_at == 1, "k")
        burst(bench, ":mute\rk:mute\rj")
        await bench.until(lambda: [m.muted for m in bench.session.messages] == [True, True, False], "both")
        await bench.until(lambda: bench.session.shown_at == 1, "j")


@in_loop
async def test_keys_behind_a_command_reach_what_it_opens(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        burst(bench, ":add\rIn a word.")
        await bench.see("In a word.")
        await bench.press("escape")
        burst(bench, ":several\r")
        await bench.see("How many takes?")
        await bench.press("escape")
        burst(bench, ":help\r/conversation file")
        await bench.see("edit the whole conversation file")


@in_loop
async def test_models_that_come_meanwhile_show_and_move_nothing(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        await bench.press("colon")
        await bench.type("scripted")
        await bench.press("down")
        assert selected(bench) == "Model: scripted:other"
        app = bench.app
        new = [Model(Address("hub", f"scripted-{number}"), "x", "remote") for number in range(200)]
        app.post_message(app.ModelsFound([*new, *app.workbench.known.models], app.workbench.known.sources))
        await bench.until(lambda: "Model: hub:scripted-0" in listed(bench), "new ones")
        assert selected(bench) == "Model: scripted:other"
        await bench.press("enter")
        await bench.until(lambda: bench.on_disk().model == "scripted:other", "the model")


@in_loop
async def test_in_chinese(path: Path) -> None:
    words.choose("zh")
    path.write_bytes(dumps(talk(*HELLO, title="春江花月夜")))
    async with workbench(talk(*HELLO), path.with_name("a.toml"), path) as bench:
        await bench.press("colon")
        burst(bench, "模型：scripted:o")
        await bench.until(lambda: selected(bench) == "模型：scripted:other", "the model")
        await bench.press("ctrl+u")
        await bench.type("花月")
        await bench.press("enter")
        await bench.until(lambda: bench.app.workbench.current == 1, "the other")
