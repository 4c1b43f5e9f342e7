"""The workbench driven by keys alone: files, other programs, and leaving."""

import threading
from pathlib import Path

import pytest

from qiao.tui.keeping import keeper
from qiao.workbench.conversation import Message, Take
from qiao.workbench.conversation_file import dumps

from .driving import HELLO, in_loop, talk, workbench


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(keeper, "SAVE_AFTER", 0.05)
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)


# Files


@in_loop
async def test_an_untitled_conversation_gets_a_name(tmp_path: Path, home: Path) -> None:
    async with workbench(talk(*HELLO)) as bench:
        await bench.see("untitled")
        await bench.press("M")
        await bench.until(lambda: list((home / "data" / "untitled").glob("*.toml")), "it to be kept in the data folder")
        await bench.press("w")
        await bench.see("Save as")
        await bench.paste(str(tmp_path / "named"))
        await bench.press("enter")
        await bench.see("saved:")
        named = tmp_path / "named.toml"
        await bench.saved(*HELLO, path=named)
        assert not list((home / "data" / "untitled").glob("*.toml"))
        await bench.see("named")


@in_loop
async def test_w_saves_a_copy_of_a_file_that_is_only_shown(path: Path) -> None:
    newer = dumps(talk(*HELLO)).replace(b"qiao = 1", b"qiao = 2")
    path.write_bytes(newer)
    async with workbench(None, path) as bench:
        await bench.press("w")
        await bench.see("read-only", "a newer Qiao wrote it.")
        await bench.press("W")
        await bench.see("talk-copy.toml")
        await bench.press("enter")
        await bench.see("it can be changed", "talk-copy  saved")
        await bench.press("a")
        await bench.type("More.")
        await bench.press("escape")
        await bench.saved(*HELLO, ("assistant", "More."), path=path.with_name("talk-copy.toml"))
    assert path.read_bytes() == newer


@in_loop
async def test_saving_over_another_file_asks(tmp_path: Path, path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_bytes(dumps(talk(("user", "other"))))
    async with workbench(talk(*HELLO), path) as bench:
        for answer, expected in (("escape", [("user", "other")]), ("o", list(HELLO))):
            await bench.press("W")
            await bench.see("Save as")
            await bench.press("ctrl+u")
            await bench.paste(str(other))
            await bench.press("enter")
            await bench.see("is there already")
            await bench.press(answer)
            await bench.miss("is there already")
            await bench.until(lambda expected=expected: bench.said(other) == expected)


@in_loop
async def test_several_files_are_open_at_once(tmp_path: Path, path: Path) -> None:
    second = tmp_path / "here" / "second.toml"
    second.write_bytes(dumps(talk(("user", "in the second"))))
    async with workbench(talk(*HELLO), path) as bench:
        bench.scripted.enqueue("Paris.", hold=(hold := threading.Event()))
        await bench.press("r")
        await bench.see("esc stop")
        await bench.press("O")
        await bench.see("second.toml")
        await bench.type("sec")
        await bench.press("enter")
        await bench.see("in the second", "2/2")
        hold.set()
        await bench.saved(*HELLO, ("assistant", "Paris."))
        assert bench.said(second) == [("user", "in the second")]
        await bench.press("left_square_bracket")
        await bench.see("Capital of France?", "Paris.", "1/2")
        await bench.press("right_square_bracket")
        await bench.see("in the second")
        await bench.press("n")
        await bench.see("Nothing is written yet.", "3/3")


@in_loop
async def test_a_file_that_cant_be_read_is_said_and_isnt_opened(tmp_path: Path, path: Path) -> None:
    broken = tmp_path / "here" / "broken.toml"
    broken.write_text('qiao = 1\n[[message]]\nrole = "wizard"\n', encoding="utf-8")
    async with workbench(talk(*HELLO), path) as bench:
        await bench.press("O")
        await bench.see("broken.toml")
        await bench.press("enter")
        await bench.see("wizard", "Capital of France?")
        assert len(bench.app.workbench.sessions) == 1


@in_loop
async def test_a_newer_programs_file_is_only_shown(path: Path) -> None:
    source = b'qiao = 99\n[[message]]\nrole = "user"\ntext = "from the future"\n'
    path.write_bytes(source)
    async with workbench(None, path) as bench:
        await bench.see("from the future", "read-only")
        for key in ("e", "a", "d", "t", "M", "r", "o"):
            await bench.press(key)
            await bench.pilot.pause()
        await bench.paste("text")
        assert [m.said for m in bench.session.messages] == ["from the future"]
        assert bench.app.workbench.editor is None
        assert not bench.scripted.requests
        assert path.read_bytes() == source


@in_loop
async def test_what_another_program_adds_is_taken_in(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        path.write_bytes(dumps(talk(*HELLO, ("assistant", "From elsewhere."))))
        await bench.see("From elsewhere.", "was changed by another program")


@in_loop
async def test_a_conflict_is_decided_by_the_person(tmp_path: Path, path: Path) -> None:
    async with workbench(talk(("user", "one")), path) as bench:
        await bench.press("e")
        await bench.see("editing")
        await bench.type(" mine")
        path.write_bytes(dumps(talk(("user", "theirs"))))
        bench.app.workbench.action_do("leave_editor")
        await bench.see("and here as well")
        await bench.press("escape")
        await bench.see("one mine", "talk.toml was changed by another program")
        await bench.press("w")
        await bench.see("and here as well")
        await bench.press("m")
        await bench.saved(("user", "one mine"))
        assert bench.said(tmp_path / "talk.theirs-1.toml") == [("user", "theirs")]
        await bench.see("saved")


# Leaving


@in_loop
async def test_leaving_saves_and_asks_nothing(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        await bench.press("e")
        await bench.type("!")
        await bench.press("escape", "q")
        await bench.until(lambda: not bench.app.is_running, "the end")
        assert not bench.scripted.closed, "that waits until the screen is gone"
    assert bench.said()[1] == ("user", "Capital of France?!")
    assert bench.app.return_code == 0


@in_loop
async def test_leaving_while_something_streams_asks_and_keeps_what_came(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        bench.scripted.enqueue("Paris is", hold=threading.Event())
        await bench.press("r")
        await bench.see("Paris")
        await bench.press("q")
        await bench.see("An answer is still coming")
        await bench.press("escape")
        await bench.see("esc stop")
        await bench.press("q")
        await bench.see("An answer is still coming")
        await bench.press("q")
        await bench.until(lambda: not bench.app.is_running, "the end")
    assert bench.said()[2] == ("assistant", "Paris")
    assert bench.on_disk().messages[2].takes[0].finish == "cancelled"


@in_loop
async def test_takes_of_a_message_can_be_deleted_one_by_one(path: Path) -> None:
    answer = Message(role="assistant").with_take(Take(text="first")).with_take(Take(text="second"))
    async with workbench(talk(*HELLO).inserted(2, answer), path) as bench:
        await bench.see("second", "2/2")
        await bench.press("d")
        await bench.see("first", "1/1")
        await bench.press("d")
        await bench.saved(*HELLO)
