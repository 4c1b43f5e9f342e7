"""Conversations found in the palette: those that are open, and files by their names, titles and folders."""

import time
from pathlib import Path

import pytest
from textual.command import CommandInput
from textual.widgets import OptionList

from qiao.tui.actions.table import ACTIONS
from qiao.tui.screens import palette_files
from qiao.workbench.conversation_file import dumps

from .bench import HELLO, Bench, in_loop, talk, workbench


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def put(path: Path, *said: tuple[str, str], **fields: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(dumps(talk(*said, **fields)))
    return path


def options(bench: Bench) -> list[str]:
    found = bench.app.screen.query_one(OptionList)
    return [str(found.get_option_at_index(n).prompt).split("\n")[0] for n in range(found.option_count)]


@in_loop
async def test_a_file_of_this_folder_is_opened_by_its_title(here: Path) -> None:
    put(here / "x.toml", ("user", "Where is it?"), title="Late parcel 春江")
    put(here / "mail" / "refund.toml", ("user", "My money!"))
    async with workbench(talk(*HELLO)) as bench:
        await bench.press("colon")
        await bench.type("late par")
        await bench.see("File: Late parcel 春江", "x.toml")
        await bench.press("down", "enter")
        await bench.see("Where is it?", "2/2")
        await bench.press("colon")
        await bench.type("rfnd")
        await bench.see("File: refund", "mail/refund.toml")
        await bench.press("down", "enter")
        await bench.see("My money!", "3/3")


@in_loop
async def test_another_open_conversation_is_gone_to(here: Path) -> None:
    put(here / "a.toml", ("user", "in the first"), title="One")
    put(here / "b.toml", ("user", "in the second"), title="Two [bold]")
    async with workbench(None, here / "a.toml", here / "b.toml") as bench:
        await bench.press("colon")
        await bench.see("Switch to: Two [bold]")
        assert options(bench)[0] == "Switch to: Two [bold]"
        assert not any("One" in option or option.startswith("File") for option in options(bench))
        await bench.type("two")
        await bench.see("Switch to: Two [bold]")
        await bench.press("down", "enter")
        await bench.see("in the second", "2/2")


@in_loop
async def test_before_anything_is_typed_the_latest_files_are_offered(here: Path) -> None:
    for number in range(palette_files.FILES_OFFERED + 3):
        put(here / f"talk-{number}.toml", ("user", "x"))
    async with workbench(talk(*HELLO)) as bench:
        await bench.press("colon")
        await bench.until(lambda: any(option.startswith("File: talk-") for option in options(bench)))
        await bench.until(lambda: len(options(bench)) > len(ACTIONS) - 10, "all that is offered")
        files = [option for option in options(bench) if option.startswith("File")]
        assert len(files) == palette_files.FILES_OFFERED


@in_loop
async def test_an_action_goes_before_files_of_its_name(here: Path) -> None:
    put(here / "theme.toml", ("user", "x"), title="next theme")
    async with workbench(talk(*HELLO)) as bench:
        await bench.press("colon")
        await bench.type("theme")
        await bench.see("File: next theme")
        assert not options(bench)[0].startswith("File")


@in_loop
async def test_the_palette_stays_quick_with_thousands_of_files(here: Path) -> None:
    data = dumps(talk(("user", "x")))
    for number in range(3000):
        (here / f"talk-{number}.toml").write_bytes(data)
    async with workbench(talk(*HELLO)) as bench:
        await bench.press("colon")
        begun = time.monotonic()
        await bench.type("talk-29")
        await bench.see("File: talk-29")
        assert len(options(bench)) <= palette_files.FILES_LISTED + 10
        bench.app.screen.query_one(CommandInput).value = "talk-1234"
        await bench.until(lambda: options(bench) == ["File: talk-1234"], "the one that is meant")
        assert time.monotonic() - begun < 10
