"""Conversations found in the palette: those that are open, and files by their names, titles and folders."""

import asyncio
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from textual import events

from qiao.tui.dialogs import filtered
from qiao.tui.screens import palette
from qiao.workbench.conversation_file import dumps
from qiao.workbench.library import Hit, Library

from ...patience import PATIENCE_S
from ..driving import HELLO, in_loop, talk, workbench
from .palettes import burst, listed, selected


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """No file is found until this is set."""
    event = threading.Event()
    search = Library.search

    def late(*args: Any, **kwargs: Any) -> Iterator[Hit]:
        assert event.wait(60)
        yield from search(*args, **kwargs)

    monkeypatch.setattr(Library, "search", late)
    yield event
    event.set()


def put(path: Path, *said: tuple[str, str], **fields: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(dumps(talk(*said, **fields)))
    return path


@in_loop
async def test_a_file_of_this_folder_is_opened_by_its_title(here: Path) -> None:
    put(here / "x.toml", ("user", "Where is it?"), title="Late parcel 春江")
    put(here / "mail" / "refund.toml", ("user", "My money!"))
    async with workbench(talk(*HELLO)) as bench:
        await bench.press("colon")
        await bench.type("late par")
        await bench.see("File: Late parcel 春江", "x.toml")
        await bench.press("enter")
        await bench.see("Where is it?", "2/2")
        await bench.press("colon")
        await bench.type("rfnd")
        await bench.see("File: refund", "mail/refund.toml")
        await bench.press("enter")
        await bench.see("My money!", "3/3")


@in_loop
async def test_another_open_conversation_is_gone_to(here: Path) -> None:
    put(here / "a.toml", ("user", "in the first"), title="One")
    put(here / "b.toml", ("user", "in the second"), title="Two [bold]")
    async with workbench(None, here / "a.toml", here / "b.toml") as bench:
        await bench.press("colon")
        await bench.see("Switch to: Two [bold]")
        assert listed(bench)[0] == "Switch to: Two [bold]"
        assert not any("One" in title or title.startswith("File") for title in listed(bench))
        await bench.type("two")
        await bench.see("Switch to: Two [bold]")
        await bench.press("enter")
        await bench.see("in the second", "2/2")


@in_loop
async def test_before_anything_is_typed_the_latest_files_are_offered(here: Path) -> None:
    for number in range(palette.FILES_OFFERED + 3):
        put(here / f"talk-{number}.toml", ("user", "x"))
    async with workbench(talk(*HELLO)) as bench:
        await bench.press("colon", "down")
        before = selected(bench)
        await bench.until(lambda: any(title.startswith("File: talk-") for title in listed(bench)), "files")
        files = [title for title in listed(bench) if title.startswith("File")]
        assert len(files) == palette.FILES_OFFERED
        assert listed(bench)[-1].startswith("Model")
        assert selected(bench) == before == "previous"


@in_loop
async def test_an_action_goes_before_files_of_its_name(here: Path) -> None:
    put(here / "theme.toml", ("user", "x"), title="theme")
    async with workbench(talk(*HELLO)) as bench:
        await bench.press("colon")
        await bench.type("theme")
        await bench.see("File: theme")
        assert listed(bench)[:2] == ["theme", "File: theme"]


@in_loop
async def test_a_file_that_is_found_later_moves_nothing(here: Path, held: threading.Event) -> None:
    put(here / "a.toml", ("user", "x"), title="the theme of themes")
    put(here / "b.toml", ("user", "x"), title="tokens")
    async with workbench(talk(*HELLO)) as bench:
        await bench.press("colon")
        await bench.type("to")
        await bench.press("down", "down")
        before = selected(bench)
        assert "File: tokens" not in listed(bench)
        held.set()
        await bench.until(lambda: "File: tokens" in listed(bench), "it to be found")
        assert selected(bench) == before


@in_loop
async def test_enter_waits_for_a_file_that_fits_and_the_keys_behind_it_wait_too(
    here: Path, held: threading.Event
) -> None:
    put(here / "a.toml", ("user", "one"), ("user", "two"), title="Late parcel 春江")
    async with workbench(talk(*HELLO)) as bench:
        burst(bench, ":late parcel\rk:mute\r")
        await bench.see("looking")
        held.set()
        await bench.until(lambda: len(bench.app.workbench.sessions) == 2, "it to be opened")
        await bench.until(lambda: [m.muted for m in bench.session.messages] == [True, False], "the keys behind it")
        assert bench.app.screen is bench.app.workbench


@in_loop
async def test_enter_takes_no_action_with_the_letters_while_a_file_may_have_the_word(
    here: Path, held: threading.Event
) -> None:
    put(here / "rent.toml", ("user", "How much?"))
    async with workbench(talk(*HELLO)) as bench:
        burst(bench, ":rent\r")
        await bench.until(lambda: listed(bench) == ["repaint"], "what there is so far")
        held.set()
        await bench.see("How much?")
        burst(bench, ":hlp\r/palette")
        await bench.see("KEYS", "find any action")


@in_loop
async def test_enter_waits_in_vain_and_the_line_takes_what_is_typed_next(here: Path, held: threading.Event) -> None:
    async with workbench(talk(*HELLO)) as bench:
        burst(bench, ":nothing of the kind\r?")
        await bench.see("looking")
        held.set()
        await bench.see("nothing of the kind?", "nothing found")


@in_loop
async def test_esc_gives_up_an_enter_that_waits_and_what_was_typed_behind_it(
    here: Path, held: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(here / "a.toml", ("user", "one"), title="Late parcel")
    monkeypatch.setattr(filtered, "PATIENCE_S", PATIENCE_S)
    async with workbench(talk(*HELLO)) as bench:
        burst(bench, ":late parcel\rM")
        await bench.until(lambda: isinstance(bench.app.screen, palette.Palette) and bench.app.screen.is_waiting)
        await asyncio.sleep(filtered.SEEN_S)
        await bench.press("escape")
        await bench.until(lambda: bench.app.screen is bench.app.workbench, "the palette to be left")
        held.set()
        await bench.press("k")
        assert bench.session.index == 0
        assert len(bench.app.workbench.sessions) == 1
        assert not any(message.muted for message in bench.session.messages)


@in_loop
async def test_esc_in_a_burst_is_meant_for_what_enter_opens(
    here: Path, held: threading.Event, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(filtered, "SEEN_S", PATIENCE_S)
    monkeypatch.setattr(filtered, "PATIENCE_S", PATIENCE_S)
    put(here / "a.toml", ("user", "one"), title="Late parcel")
    async with workbench(talk(*HELLO)) as bench:
        burst(bench, ":late parcel\re!")
        bench.app.post_message(events.Key("escape", "\x1b"))
        await bench.until(lambda: isinstance(bench.app.screen, palette.Palette) and bench.app.screen.is_waiting)
        held.set()
        await bench.until(lambda: [m.text for m in bench.session.messages] == ["one!"], "it to be written to")
        await bench.until(lambda: bench.app.workbench.editor is None, "the editor to be left")


@in_loop
async def test_of_thousands_of_files_the_one_that_is_meant_is_found(here: Path) -> None:
    data = dumps(talk(("user", "x")))
    for number in range(3000):
        (here / f"talk-{number}.toml").write_bytes(data)
    async with workbench(talk(*HELLO)) as bench:
        await bench.press("colon")
        await bench.type("talk-29")
        await bench.until(lambda: len(listed(bench)) == palette.FILES_LISTED, "as many as are listed")
        await bench.press("ctrl+u")
        await bench.type("talk-1234")
        await bench.until(lambda: listed(bench) == ["File: talk-1234"], "the one that is meant")
