"""Stars and notes, by keys: in the headings, in the file, and in the library."""

from pathlib import Path

import pytest

from qiao.tui.keeping import keeper
from qiao.tui.text.glyphs import glyphs
from qiao.workbench import words
from qiao.workbench.conversation import Conversation, Message, Take

from ..driving import NARROW, WIDE, Bench, in_loop, workbench

TALK = Conversation(
    title="Capitals",
    messages=(
        Message(role="user", text="Capital of France?"),
        Message(role="assistant", takes=(Take(text="It is Paris."), Take(text="It is Lyon.")), chosen=2),
        Message(role="user", text="Sure?"),
        Message(role="assistant", takes=(Take(text="Yes."),), chosen=1),
    ),
)


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "SAVE_AFTER", 0.05)


def stars(bench: Bench) -> list[list[bool]]:
    return [[take.starred for take in message.takes] for message in bench.on_disk().messages]


@pytest.mark.parametrize("size", [WIDE, NARROW])
@in_loop
async def test_a_take_is_starred_and_found_again(tmp_path: Path, size: tuple[int, int]) -> None:
    async with workbench(TALK, tmp_path / "t.toml", size=size) as bench:
        await bench.press("k", "k", "h", "asterisk")
        await bench.see(f"‹1/2› {glyphs.star}", "starred: 1")
        await bench.until(lambda: stars(bench) == [[], [True, False], [], [False]])
        await bench.press("l")
        await bench.see("‹2/2›")
        await bench.miss(f"› {glyphs.star}")
        await bench.press("G", "greater_than_sign")
        await bench.see(f"‹1/2› {glyphs.star}")
        assert bench.session.index == 1
        await bench.press("asterisk")
        await bench.see("star taken away")
        await bench.until(lambda: stars(bench) == [[], [False, False], [], [False]])
        await bench.press("u")
        await bench.see("undone: star", f"‹1/2› {glyphs.star}")


@in_loop
async def test_marked_answers_are_starred_together_and_questions_have_no_star(tmp_path: Path) -> None:
    async with workbench(TALK, tmp_path / "t.toml") as bench:
        await bench.press("g", "space", "space", "space", "space", "asterisk")
        await bench.until(lambda: stars(bench) == [[], [False, True], [], [True]])
        await bench.press("escape", "g", "asterisk")
        await bench.see("Select an answer")


@in_loop
async def test_a_note_is_written_shown_changed_and_taken_away(tmp_path: Path) -> None:
    async with workbench(TALK, tmp_path / "t.toml") as bench:
        await bench.press("k", "k", "semicolon")
        await bench.see("empty takes it away")
        await bench.type("too short")
        await bench.press("enter")
        await bench.until(lambda: bench.on_disk().messages[1].takes[1].note == "too short")
        await bench.see("too short")
        await bench.press("semicolon", "!", "enter")
        await bench.see("too short!")
        await bench.press("h")
        await bench.miss("too short!")
        await bench.press("k", "semicolon", *"easy", "enter")
        await bench.see("user  note: easy")
        assert bench.on_disk().messages[1].takes[0].note is None
        await bench.press("semicolon", "ctrl+u", "enter")
        await bench.miss("user  note: easy")
        await bench.press("u")
        await bench.see("undone: note", "user  note: easy")
        await bench.press("semicolon", *"!", "escape")
        assert bench.session.conversation.messages[0].note == "easy"


@in_loop
async def test_a_note_on_marked_messages_stands_on_all_of_them(tmp_path: Path) -> None:
    async with workbench(TALK, tmp_path / "t.toml") as bench:
        await bench.press("g", "space", "space", "semicolon")
        await bench.see("all 2 of them")
        await bench.type("few-shot")
        await bench.press("enter")
        await bench.until(lambda: bench.on_disk().messages[0].note == "few-shot")
        assert bench.on_disk().messages[1].takes[1].note == "few-shot"


@in_loop
async def test_a_note_of_several_lines_stays_as_it_is_until_it_is_changed(tmp_path: Path) -> None:
    noted = TALK.replaced(3, Message(role="user", text="x", note="one\n two "))
    async with workbench(noted, tmp_path / "t.toml") as bench:
        await bench.press("semicolon")
        await bench.see("empty takes it away")
        await bench.press("enter")
        await bench.miss("empty takes it away")
        assert not bench.session.document.can_undo


@in_loop
async def test_the_library_shows_stars_and_finds_them_in_chinese_too(tmp_path: Path) -> None:
    words.choose("zh")
    async with workbench(TALK, tmp_path / "t.toml", tmp_path / "other.toml") as bench:
        await bench.press("asterisk")
        await bench.see("已加星标")
        await bench.until(lambda: stars(bench)[3] == [True])
        await bench.press("O")
        await bench.type("is:starred")
        await bench.see("找到 1 个", f"Capitals {glyphs.star}")


@in_loop
async def test_a_star_survives_another_take_and_a_comparison(tmp_path: Path) -> None:
    async with workbench(TALK, tmp_path / "t.toml") as bench:
        bench.scripted.enqueue("It is Lille.")
        await bench.press("k", "k", "asterisk", "r")
        await bench.see("‹3/3›", "It is Lille.")
        await bench.idle()
        await bench.until(lambda: stars(bench)[1] == [False, True, False])
        await bench.press("c")
        await bench.see(f"‹2/3› {glyphs.star}")
