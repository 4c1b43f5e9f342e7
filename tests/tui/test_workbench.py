"""The workbench driven by keys alone: answers and edits, on the screen and in the file."""

import threading
from pathlib import Path

import pytest
from textual import events

from qiao.tui.keeping import keeper
from qiao.tui.text.glyphs import glyphs
from qiao.workbench import words
from qiao.workbench.config import Config
from qiao.workbench.conversation import Conversation, Message, Take

from .driving import HELLO, in_loop, talk, workbench


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(keeper, "SAVE_AFTER", 0.05)
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)


# Answers


@in_loop
async def test_a_question_is_answered_streaming_and_saved(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        await bench.see("Be brief.", "Capital of France?", "saved")
        hold = threading.Event()
        bench.scripted.enqueue("Is *Paris*, of course.", hold=hold)
        await bench.press("r")
        await bench.see("Is", "1 tok", "esc stop")
        hold.set()
        await bench.see("Is Paris, of course.", "echo · t 1", "stop")
        await bench.saved(*HELLO, ("assistant", "Is *Paris*, of course."))
        take = bench.on_disk().messages[2].takes[0]
        assert (take.model, take.finish) == ("scripted:echo", "stop")
        assert take.usage is not None
        assert take.usage.prompt_tokens


@in_loop
async def test_what_is_written_below_a_growing_answer_stays_in_sight(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        hold = threading.Event()
        bench.scripted.enqueue("Here it comes:\n\n" + "".join(f"line {i}\n\n" for i in range(60)) + "end", hold=hold)
        await bench.press("r")
        await bench.see("Here")
        await bench.press("a")
        await bench.see("editing")
        await bench.type("next question")
        hold.set()
        await bench.idle()
        await bench.see("next question", "line 59", "end")

        def row(text: str) -> int:
            return next((y for y, line in enumerate(bench.lines()) if text in line), -1)

        await bench.until(lambda: row("line 59") < row("next question") == bench.app.cursor_position.y, "the caret")
        stands = row("next question")
        await bench.type("s")
        await bench.see("next questions")
        assert row("next question") == stands


@in_loop
async def test_an_answer_stopped_half_way_is_kept_and_says_so(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        bench.scripted.enqueue("Paris is the capital", hold=threading.Event())
        await bench.press("r")
        await bench.see("Paris")
        await bench.press("escape")
        await bench.see("stopped")
        await bench.saved(*HELLO, ("assistant", "Paris"))
        bench.scripted.enqueue("Paris.")
        await bench.press("r")
        await bench.see("2/2", "Paris.")
        await bench.idle()
        await bench.press("h")
        await bench.see("1/2", "stopped")
        await bench.press("l")
        await bench.see("2/2")


@in_loop
async def test_an_answer_stopped_before_a_word_leaves_nothing(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        bench.scripted.enqueue("never", delay_ms=60_000)
        await bench.press("r")
        await bench.see("esc stop")
        await bench.press("ctrl+c")
        await bench.idle()
        await bench.miss("esc stop")
        assert bench.said() == list(HELLO)
        assert not bench.session.document.can_undo


@in_loop
async def test_editing_the_question_shows_the_answer_as_stale(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        bench.scripted.enqueue("Paris.")
        await bench.press("r")
        await bench.see("Paris.")
        await bench.idle()
        await bench.press("k", "e")
        await bench.type(" And Spain?")
        await bench.press("escape")
        await bench.see("Capital of France? And Spain?", "stale: what it answers has changed")
        await bench.saved(HELLO[0], ("user", "Capital of France? And Spain?"), ("assistant", "Paris."))
        await bench.press("u")
        await bench.miss("stale")
        await bench.see("undone: edit")
        await bench.press("U")
        await bench.see("stale")


@in_loop
async def test_an_error_is_a_state_and_can_be_tried_again(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        bench.scripted.enqueue("Par", fail="engine_died", message="The engine [red]ended\x1b[2J.")
        await bench.press("r")
        await bench.see("Par", f"{glyphs.failed} ended · The engine [red]ended␛[2J.", "broke off")
        await bench.until(lambda: len(bench.on_disk().messages) == 3)
        take = bench.on_disk().messages[2].takes[0]
        assert take.text == "Par"
        assert take.error is not None
        bench.scripted.enqueue("is.")
        await bench.press("p")
        await bench.see("2/2", "Paris.")
        await bench.idle()
        assert bench.scripted.requests[1].continue_last


@in_loop
async def test_an_unknown_model_is_an_error_in_its_place(path: Path) -> None:
    async with workbench(talk(*HELLO, model="nobody:x"), path) as bench:
        await bench.press("r")
        await bench.see(glyphs.failed, "nobody", "broke off")
        await bench.press("u")
        await bench.until(lambda: len(bench.session.messages) == 2)


@in_loop
async def test_several_takes_are_made_one_after_the_other(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        for text in ("one", "two"):
            bench.scripted.enqueue(text)
        await bench.press("N")
        await bench.see("How many takes?")
        await bench.press("backspace", "2", "enter")
        await bench.see("2/2")
        await bench.idle()
        await bench.until(lambda: len(bench.on_disk().messages) == 3 and len(bench.on_disk().messages[2].takes) == 2)
        await bench.press("N")
        await bench.see("How many takes?")
        await bench.press("backspace", "x", "enter")
        await bench.see("A whole number from 1 to 128")
        assert len(bench.scripted.requests) == 2


@in_loop
async def test_answers_are_walked_folded_and_looked_into(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        bench.scripted.enqueue("Paris.", thinking="The user asks about France.")
        await bench.press("r")
        await bench.see(f"{glyphs.folded} thought")
        await bench.idle()
        assert "The user asks" not in bench.text()
        await bench.press("z")
        await bench.see("The user asks about France.")
        await bench.press("z")
        await bench.miss("The user asks about France.")
        await bench.press("v")
        await bench.see("<|im_start|>", "Capital of France?", "chat template", "of 4,096 tokens")
        await bench.press("escape")
        await bench.miss("<|im_start|>")
        assert len(bench.scripted.requests) == 1, "looking asks for no answer"


# Editing


@in_loop
async def test_a_conversation_is_written_from_nothing(path: Path) -> None:
    async with workbench(None, path) as bench:
        await bench.see("Nothing is written yet.")
        await bench.press("a")
        await bench.see("user  editing")
        await bench.type("Hi")
        await bench.press("escape", "i")
        await bench.see("system  editing")
        await bench.type("Be brief.")
        await bench.press("escape", "j", "e")
        bench.scripted.enqueue("Hello.")
        await bench.type("!")
        await bench.press("ctrl+r")
        await bench.see("Hello.")
        await bench.saved(("system", "Be brief."), ("user", "Hi!"), ("assistant", "Hello."))


@in_loop
async def test_each_edit_has_its_key_and_can_be_undone(path: Path) -> None:
    start = talk(("user", "one"), ("user", "two"), ("user", "three"))
    async with workbench(start, path) as bench:

        def texts() -> list[str]:
            return [message.said for message in bench.session.messages]

        await bench.press("k", "J")
        assert texts() == ["one", "three", "two"]
        await bench.press("K", "K")
        assert texts() == ["two", "one", "three"]
        await bench.press("d")
        assert texts() == ["one", "three"]
        await bench.press("g", "ampersand")
        assert texts() == ["one\n\nthree"]
        await bench.press("M")
        await bench.see("muted, not sent")
        await bench.press("t")
        await bench.see("assistant")
        await bench.saved(("assistant", "one\n\nthree"))
        for _ in range(7):
            await bench.press("u")
        assert texts() == ["one", "two", "three"]
        await bench.press("u")
        await bench.see("nothing to undo")
        for _ in range(7):
            await bench.press("U")
        assert texts() == ["one\n\nthree"]
        await bench.press("ctrl+y")
        await bench.see("nothing to redo")


@in_loop
async def test_a_message_is_split_at_the_caret(path: Path) -> None:
    async with workbench(talk(("user", "one two")), path) as bench:
        await bench.press("e", *["left"] * 4, "ctrl+x")
        await bench.saved(("user", "one"), ("user", " two"))
        assert bench.session.index == 1
        await bench.press("u")
        await bench.saved(("user", "one two"))


@in_loop
async def test_a_message_is_opened_at_its_first_seam_to_be_split(path: Path) -> None:
    async with workbench(talk(("user", "\none\n\n\ntwo\n\nthree")), path) as bench:
        await bench.press("vertical_line")
        await bench.see("editing", "ctrl+x")
        await bench.press("escape")
        assert not bench.session.document.can_undo
        await bench.press("vertical_line", "ctrl+x")
        await bench.saved(("user", "\none\n"), ("user", "two\n\nthree"))
        await bench.press("k", "ampersand")
        await bench.saved(("user", "\none\n\n\ntwo\n\nthree"))


@in_loop
async def test_an_added_message_left_empty_was_never_there(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        await bench.press("a")
        await bench.see("editing")
        await bench.press("escape")
        await bench.miss("editing")
        assert [m.said for m in bench.session.messages] == [text for _role, text in HELLO]
        assert bench.session.index == 1
        assert not bench.session.document.can_undo


@in_loop
async def test_lines_pasted_while_moving_run_no_keys(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        await bench.paste("dd\nq\nr rr")
        await bench.see("editing")
        await bench.press("escape")
        await bench.saved(*HELLO, ("user", "dd\nq\nr rr"))
        assert not bench.scripted.requests


@in_loop
async def test_a_message_is_copied_and_pasted_below(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        await bench.press("P")
        await bench.see("Nothing was copied in Qiao yet")
        await bench.press("y")
        await bench.see("copied, 18 characters")
        assert bench.app.clipboard == "Capital of France?"
        await bench.press("P")
        await bench.saved(*HELLO, ("user", "Capital of France?"))


@in_loop
async def test_hostile_text_is_shown_as_text_and_survives(path: Path) -> None:
    text = "[red]x[/] \x1b[2J\x1b]52;c;aGk=\x07 \u202egnp \r\n 中文 👩\u200d👩\u200d👧 \x9b0m"
    async with workbench(talk(("user", text)), path) as bench:
        await bench.see("[red]x[/] ␛[2J␛]52;c;aGk=␇ ↔gnp")
        await bench.press("e")
        await bench.see("editing")
        await bench.type("!")
        await bench.press("escape")
        await bench.saved(("user", text + "!"))
        assert not [char for char in bench.text() if not char.isprintable() and char != "\n"]


@in_loop
async def test_chinese_is_written_and_shown(path: Path) -> None:
    async with workbench(None, path, config=Config(model="scripted:echo")) as bench:
        words.choose("zh")
        await bench.press("a")
        await bench.see("编辑中")
        for char in "推敲，字字推敲。":
            bench.app.post_message(events.Key(char, char))
        await bench.pilot.pause()
        await bench.press("escape")
        await bench.see("用户", "推敲，字字推敲。")
        await bench.saved(("user", "推敲，字字推敲。"))
        assert all(strip.cell_length == 120 for strip in bench.app.screen._compositor.render_strips())


@in_loop
async def test_full_width_keys_count_and_other_wide_text_hints(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        bench.scripted.enqueue("Paris.")
        bench.app.post_message(events.Key("ｒ", "ｒ"))
        await bench.see("Paris.")
        await bench.idle()
        bench.app.post_message(events.Key("中", "中"))
        await bench.see("Your input method is on")
        bench.app.post_message(events.Key("？", "？"))
        await bench.see("KEYS")
        assert [m.said for m in bench.session.messages][-1] == "Paris."


@in_loop
async def test_a_dialog_may_open_in_the_moment_in_which_the_editor_is_left(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        for key in ("question_mark", "colon", "N", "O", "W", "v"):
            await bench.press("e")
            await bench.see("editing")
            for burst in ("x", "escape", key):
                bench.app.post_message(events.Key(burst, {"x": "x", "question_mark": "?", "colon": ":"}.get(burst)))
            await bench.until(lambda: bench.app.screen is not bench.app.workbench, f"{key} to open something")
            await bench.press("escape")
            await bench.until(lambda: bench.app.screen is bench.app.workbench, "the workbench")
        await bench.saved(HELLO[0], ("user", "Capital of France?xxxxxx"))


@in_loop
async def test_takes_come_back_with_the_role(path: Path) -> None:
    answer = Message(role="assistant", takes=(Take(text="One."), Take(text="Two.")), chosen=1)
    talk = Conversation(messages=(Message(role="user", text="Count."), answer))
    async with workbench(talk, path) as bench:
        await bench.see("‹1/2›")
        await bench.press("t", "t", "t")
        await bench.see("‹1/2›", "One.")
        await bench.press("t", "t", "e")
        await bench.type(" And a half.")
        await bench.press("escape", "t")
        await bench.see("One. And a half.")
        await bench.miss("‹1/2›")
