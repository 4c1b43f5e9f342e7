"""The dialogs of API keys: by keyboard alone at 80 × 24, with whatever keyring there is; no key is ever shown."""

import base64
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qiao.backends.keys.store import Keys
from qiao.tui.dialogs.keys import KeyDialog
from qiao.workbench.config import Config, load

from ...keyrings import use_keyring
from ...leaks import leaks
from ...listing_server import ListingServer, listing_server
from ..conftest import Terminal
from ..driving import HELLO, NARROW, Bench, in_loop, talk, workbench

KEY, WRONG = "sk-5entinel-0123456789abcdef", "sk-wr0ng-0123456789abcdefgh"
PASSPHRASE = "correct horse battery"


@pytest.fixture
def server(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[ListingServer]:
    for name in ("DBUS_SESSION_BUS_ADDRESS", "PYTHON_KEYRING_BACKEND", "MYBOX_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    with listing_server(KEY) as started:
        started.configure(home)
        yield started


def config() -> Config:
    loaded, warnings = load()
    assert not warnings
    return loaded


async def open_dialog(bench: Bench) -> None:
    """From the workbench: the list, then the dialog of mybox, which is first since it is the person's own."""
    await bench.press("A")
    await bench.see("API keys")
    await bench.press("g", "enter")
    await bench.see("API key for mybox")


@in_loop
async def test_what_is_done_just_as_the_dialog_is_left_takes_nothing_else_off_the_screen(
    server: ListingServer, tmp_path: Path
) -> None:
    async with workbench(talk(*HELLO), tmp_path / "talk.toml", config=config()) as bench:
        await open_dialog(bench)
        dialog = bench.app.screen
        assert isinstance(dialog, KeyDialog)
        below = bench.app.screen_stack[:-1]
        # As by the thread that unlocks the file, in the moment before esc is looked at.
        dialog.post_message(KeyDialog.Done(lambda: dialog.dismiss(True), busy=True))
        dialog.action_leave()
        await bench.until(lambda: not dialog.is_running, "it to go")
        assert bench.app.screen_stack == below


@in_loop
async def test_a_pasted_key_for_this_run_is_kept_tested_and_deleted(server: ListingServer, tmp_path: Path) -> None:
    async with workbench(talk(*HELLO), tmp_path / "talk.toml", size=NARROW, config=config()) as bench:
        await open_dialog(bench)
        await bench.see("No keyring runs here", "a file encrypted with a passphrase", "this run only")
        await bench.press("down")
        await bench.see("● this run only")
        await bench.paste(f"\n  {KEY}\n")
        await bench.see("•" * len(KEY))
        assert KEY not in bench.app.export_screenshot()
        await bench.press("enter")
        await bench.see("Kept: this run only", "Now from: this run only")
        await bench.press("ctrl+t")
        await bench.see("The key works: 2 models are listed.")
        assert server.given == [KEY]
        await bench.press("ctrl+x")
        await bench.see("ctrl+x again")
        await bench.press("ctrl+x")
        await bench.see("Deleted: this run only.", "No key is known")
        await bench.press("escape", "escape")
        await bench.miss("API key")
        # The paste went nowhere else, and there is nothing to undo.
        assert not bench.session.document.unsaved
        assert bench.said() == list(HELLO)
        assert bench.app.clipboard == ""
    assert not leaks(tmp_path, KEY)


@in_loop
async def test_the_file_wants_its_new_passphrase_twice_and_in_the_next_run_once(
    server: ListingServer, tmp_path: Path
) -> None:
    async with workbench(talk(*HELLO), tmp_path / "talk.toml", size=NARROW, config=config()) as bench:
        await open_dialog(bench)
        await bench.type(KEY)
        # Before the keyring was looked for: it is kept once that is known.
        await bench.press("enter")
        await bench.see("Choose a passphrase")
        await bench.type("short")
        await bench.press("enter")
        await bench.see("once more.")
        await bench.type("sh0rt")
        await bench.press("enter")
        await bench.see("not the same")
        await bench.press("ctrl+u")
        await bench.type("short")
        await bench.press("enter")
        await bench.see("8 characters or more.")
        for name in ("passphrase", "again"):
            box = bench.app.screen.query_one(f"#{name}")
            bench.app.screen.set_focus(box)
            await bench.press("end", "ctrl+u")
            await bench.type(PASSPHRASE)
        await bench.press("enter")
        await bench.see("Kept: a file encrypted", "fingerprint")
    conversation = talk(*HELLO, model="mybox:small")
    async with workbench(conversation, tmp_path / "talk.toml", size=NARROW, config=config()) as bench:
        await open_dialog(bench)
        await bench.see("Now from: encrypted file · locked")
        await bench.press("escape", "escape")
        # The picker asks for it too, and can be told to go on without.
        await bench.press("m", "R")
        await bench.see("Its key is in the encrypted file")
        await bench.press("escape")
        await bench.see("which is locked")
        await bench.press("escape")
        await bench.press("r")
        await bench.see("Its key is in the encrypted file")
        await bench.type("not it at all")
        await bench.press("enter")
        await bench.see("That is not the passphrase")
        await bench.press("ctrl+u")
        await bench.type(PASSPHRASE)
        await bench.press("enter")
        await bench.until(lambda: not isinstance(bench.app.screen, KeyDialog), "the dialog to go")
        key = bench.app.backends.keys.find("mybox", ())
        assert key is not None
        assert key.value == KEY
        await bench.idle()
        # Once a run.
        await bench.press("r")
        assert not isinstance(bench.app.screen, KeyDialog)
        await bench.idle()
    assert not leaks(tmp_path, KEY, PASSPHRASE)


@in_loop
async def test_a_keyring_that_works_goes_first_and_the_environment_before_it(
    server: ListingServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_keyring(monkeypatch, "InFile")
    async with workbench(talk(*HELLO), size=NARROW, config=config()) as bench:
        await open_dialog(bench)
        await bench.see("● the system's keyring (InFile)")
        await bench.paste(KEY)
        await bench.press("enter")
        await bench.see("Now from: keyring (InFile)")
        await bench.press("escape")
        await bench.see("keyring")
        monkeypatch.setenv("MYBOX_API_KEY", WRONG)
        await bench.press("enter")
        await bench.see("environment (MYBOX_API_KEY)", "goes first")
        await bench.press("ctrl+t")
        await bench.until(lambda: WRONG in server.given, "the server to be asked")
        await bench.miss("Asking mybox")
        # The server quotes the key that it refuses.
        assert WRONG not in bench.app.export_screenshot().replace("&#160;", " ")
        assert WRONG[:10] not in bench.text()
    monkeypatch.delenv("MYBOX_API_KEY")
    kept = Keys().find("mybox", ["MYBOX_API_KEY"])
    assert kept is not None
    assert kept.value == KEY


@in_loop
async def test_a_keyring_that_hangs_holds_nobody_up(server: ListingServer, monkeypatch: pytest.MonkeyPatch) -> None:
    use_keyring(monkeypatch, "Hanging")
    async with workbench(talk(*HELLO), size=NARROW, config=config()) as bench:
        await open_dialog(bench)
        await bench.type("sk-ty")
        await bench.see("•••••", "Looking where keys are kept")
        await bench.press("ctrl+u")
        await bench.see("The keyring gives no answer.", "● a file encrypted")
        await bench.press("escape", "escape")
        await bench.miss("API key")


@in_loop
async def test_what_is_masked_is_copied_nowhere_and_what_is_no_key_is_refused(server: ListingServer) -> None:
    async with workbench(talk(*HELLO), size=NARROW, config=config()) as bench:
        await open_dialog(bench)
        await bench.see("this run only")
        await bench.press("up")
        await bench.paste("two words")
        await bench.press("enter")
        await bench.see("character 4 of 9 can't be part of a key")
        await bench.press("shift+home", "super+c", "super+x", "ctrl+insert", "shift+delete")
        assert bench.app.clipboard == ""
        await bench.press("ctrl+c")
        await bench.miss("API key for")


def test_in_a_real_terminal_nothing_that_is_left_holds_the_key(
    server: ListingServer, open_terminal: Callable[..., Terminal], tmp_path: Path
) -> None:
    terminal = open_terminal("--", str(tmp_path / "talk.toml"), columns=80, rows=24)
    terminal.wait("Nothing is written yet")
    terminal.send("A")
    terminal.wait("mybox")
    terminal.send("g\r")
    terminal.wait("this run only")
    terminal.send("\x1b[A")
    terminal.wait("● this run only")
    terminal.paste(f"{WRONG}\n")
    terminal.wait("•" * len(WRONG))
    terminal.send("\r")
    terminal.wait("Kept: this run only")
    terminal.send("\x14")
    terminal.wait(lambda text: "Asking" not in text and "Kept" not in text)
    terminal.paste(KEY)
    terminal.send("\r")
    terminal.wait("Kept: this run only")
    terminal.send("\x14")
    terminal.wait("The key works")
    terminal.send("\x1b")
    terminal.wait(lambda text: "API key for" not in text)
    terminal.send("\x1b")
    terminal.wait(lambda text: "API keys" not in text)
    terminal.send("q")
    assert terminal.ended() == 0
    assert server.given == [WRONG, KEY]
    assert not leaks(tmp_path, KEY, WRONG)
    for secret in (KEY, WRONG):
        assert secret.encode() not in terminal.output
        assert base64.b64encode(secret.encode())[:16] not in terminal.output
