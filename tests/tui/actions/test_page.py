"""A base model's conversation as one text: written, gone on from, changed in the middle, taken again."""

import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qiao.backends.scripted import ScriptedBackend
from qiao.tui.input import external_editor
from qiao.tui.keeping import keeper
from qiao.tui.sessions.page_items import Page
from qiao.tui.transcript.blocks import Item
from qiao.tui.transcript.editor import MessageEditor
from qiao.tui.transcript.page_lines import page_lines
from qiao.workbench import words
from qiao.workbench.config import Config
from qiao.workbench.conversation import Conversation, Message, Take
from qiao.workbench.conversation_file import dumps
from qiao.workbench.page import page_of, rewritten

from ..driving import NARROW, WIDE, Bench, in_loop, talk, workbench


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(keeper, "SAVE_AFTER", 0.05)
    monkeypatch.chdir(tmp_path)


@asynccontextmanager
async def page(
    conversation: Conversation | None, *paths: Path, says: tuple[str, ...] = (), size: tuple[int, int] = WIDE
) -> AsyncIterator[Bench]:
    """The workbench with a base model that says these one after the other."""
    scripted = ScriptedBackend(kind="base")
    for text in says:
        scripted.enqueue(text)
    async with workbench(conversation, *paths, scripted=scripted, size=size) as bench:
        yield bench


def text_of(bench: Bench) -> str:
    return page_of(bench.session.conversation.messages).text


def sent(bench: Bench) -> str:
    """What the model got last."""
    request = bench.scripted.requests[-1]
    return bench.scripted.prompt(request, threading.Event()).text


def editor(bench: Bench) -> MessageEditor:
    found = bench.app.workbench.editor
    assert found is not None
    return found


def beginning(bench: Bench, count: int) -> bytes:
    """The first messages, takes and all, as a file has them."""
    conversation = bench.session.conversation
    return dumps(conversation.with_messages(conversation.messages[:count]))


async def opened(bench: Bench) -> MessageEditor:
    await bench.press("e")
    await bench.see("the whole text, editing")
    return editor(bench)


def model(text: str, *others: str) -> Message:
    """What a base model wrote on, and other takes of it."""
    takes = tuple(Take(text=each) for each in (text, *others))
    return Message(role="assistant", takes=takes, chosen=1, runs_on=True)


STORY = Conversation(
    messages=(Message(role="user", text="Once upon a time"), model(" a fox", " a cat"), model(" met a crow."))
)


@pytest.mark.parametrize("size", [WIDE, NARROW])
@in_loop
async def test_an_empty_page_says_what_to_do_and_is_written_on(size: tuple[int, int], path: Path) -> None:
    async with page(None, path, says=("有座山，", "有条河，", "河边有棵树。"), size=size) as bench:
        await bench.see("An empty page.", "ctrl+r lets the", "e write")
        await opened(bench)
        await bench.paste("从前")
        await bench.see("从前", "ctrl+r let the model write on")
        await bench.press("ctrl+r")
        await bench.see("从前有座山，", "‹1/1›")
        await bench.idle()
        assert sent(bench) == "从前"
        await bench.press("r")
        await bench.see("从前有条河，", "‹2/2›")
        await bench.idle()
        assert sent(bench) == "从前"
        await bench.press("h")
        await bench.see("从前有座山，", "‹1/2›")
        await bench.press("l")
        await bench.see("从前有条河，", "‹2/2›")
        await bench.press("p")
        await bench.see("从前有条河，河边有棵树。")
        await bench.idle()
        assert sent(bench) == "从前有条河，"
        await bench.saved(("user", "从前"), ("assistant", "有条河，"), ("assistant", "河边有棵树。"))
        assert [len(m.takes) for m in bench.on_disk().messages] == [0, 2, 1]
        assert page_of(bench.on_disk().messages).text == "从前有条河，河边有棵树。"


@in_loop
async def test_there_are_no_headings_and_no_gaps_that_are_not_sent(path: Path) -> None:
    chat = (("system", "A list:"), ("user", "one"), ("assistant", "\ntwo"))
    async with page(talk(*chat), path) as bench:
        await bench.see("the whole text, as it is sent")
        lines = [line[30:90].strip(" █▌") for line in bench.lines()]
        start = lines.index("A list:")
        assert lines[start : start + 4] == ["A list:", "", "one", "two"]
        assert not any(role in bench.text() for role in ("assistant", "user ", "system"))
        await bench.press("v")
        await bench.see("A list:", "one")


@in_loop
async def test_a_word_in_the_middle_is_changed_and_the_rest_stays(path: Path) -> None:
    async with page(STORY, path, says=(" The end.",)) as bench:
        area = await opened(bench)
        assert area.draft == "Once upon a time a fox met a crow."
        area.move_cursor((0, len("Once upon a time a fox")))
        await bench.press("backspace", "backspace", "backspace")
        await bench.type("bear")
        await bench.press("escape")
        await bench.see("Once upon a time a bear met", "‹✎/2›")
        await bench.saved(("user", "Once upon a time"), ("assistant", " a bear"), ("assistant", " met a crow."))
        bear, crow = bench.on_disk().messages[1:]
        assert [take.text for take in bear.takes] == [" a fox", " a cat"]
        assert crow.chosen == 1
        await bench.press("p")
        await bench.see("crow. The end.")
        await bench.idle()
        assert sent(bench) == "Once upon a time a bear met a crow."
        await bench.press("u", "u")
        await bench.see("undone: edit", "a fox met")
        assert dumps(bench.session.conversation) == dumps(STORY)


@in_loop
async def test_a_page_left_as_it_was_is_no_step_of_undo(path: Path) -> None:
    async with page(STORY, path) as bench:
        await opened(bench)
        await bench.type("x")
        await bench.press("backspace", "escape")
        await bench.see("the whole text, as it is sent")
        assert dumps(bench.session.conversation) == dumps(STORY)
        assert not bench.session.document.can_undo


@in_loop
async def test_the_tail_is_cut_off_and_gone_on_from_there(path: Path) -> None:
    async with page(STORY, path, says=(" saw the sea.", " slept.")) as bench:
        area = await opened(bench)
        area.move_cursor((0, len("Once upon a time a fox")))
        await bench.press("ctrl+x", "ctrl+r")
        await bench.see("a fox saw the sea.")
        await bench.idle()
        assert sent(bench) == "Once upon a time a fox"
        assert beginning(bench, 2) == dumps(STORY.with_messages(STORY.messages[:2]))
        await bench.press("r")
        await bench.see("a fox slept.", "‹2/2›")


@in_loop
async def test_a_take_further_up_is_reached_and_told_of(path: Path) -> None:
    async with page(STORY, path) as bench:
        await bench.see("‹1/1›")
        await bench.press("k")
        await bench.see("‹1/2›")
        await bench.press("l")
        await bench.see("a cat met a crow.", "‹2/2›")
        await bench.press("k")
        await bench.miss("‹2/2›")


@in_loop
async def test_variables_stay_as_written_and_muted_messages_are_said_to_be_left_out(path: Path) -> None:
    messages = (
        Message(role="user", text="Dear {{name}},"),
        Message(role="user", text="not this", muted=True),
        Message(role="user", text="hello"),
    )
    async with page(Conversation(messages=messages, variables={"name": "李雷"}), path, says=("!",)) as bench:
        await bench.see("Dear 李雷,", "1 muted left out")
        await bench.miss("not this")
        area = await opened(bench)
        await bench.see("1 muted left out")
        assert area.draft == "Dear {{name}},\n\nhello"
        await bench.press("ctrl+r")
        await bench.see("hello!")
        await bench.idle()
        assert sent(bench) == "Dear 李雷,\n\nhello"
        await bench.press("k")
        await bench.press("k")
        assert bench.session.index == 0
        await bench.saved(("user", "Dear {{name}},"), ("user", "not this"), ("user", "hello"), ("assistant", "!"))


@in_loop
async def test_an_instruct_model_shows_the_messages_again(path: Path) -> None:
    config = Config(model="scripted:echo")
    scripted = ScriptedBackend(kind="base")
    async with workbench(STORY, path, scripted=scripted, config=config) as bench:
        await bench.see("Once upon a time a fox met a crow.")
        scripted._kind = "instruct"
        bench.app.look_for_models()
        await bench.see("user", "assistant ‹1/2›", "assistant ‹1/1›")
        await bench.press("k", "e")
        await bench.see("assistant ‹1/2›  editing")


@in_loop
async def test_the_text_waits_while_the_model_writes(path: Path) -> None:
    async with page(STORY, path) as bench:
        hold = threading.Event()
        bench.scripted.enqueue(" And then it rained.", hold=hold)
        await bench.press("p")
        await bench.see("crow. And", "esc stop")
        await bench.press("e")
        await bench.see("The model is writing.")
        assert bench.app.workbench.editor is None
        await bench.press("p")
        await bench.see("already coming")
        hold.set()
        await bench.idle()
        assert text_of(bench) == "Once upon a time a fox met a crow. And then it rained."


@in_loop
async def test_what_is_pasted_while_moving_comes_at_the_end_to_be_looked_over(path: Path) -> None:
    async with page(STORY, path) as bench:
        await bench.paste(" 完")
        await bench.see("the whole text, editing")
        assert editor(bench).draft == "Once upon a time a fox met a crow. 完"
        await bench.press("escape")
        await bench.see("crow. 完")
        assert beginning(bench, 3) == dumps(STORY)


@in_loop
async def test_another_programs_change_elsewhere_is_kept_beside_the_draft(path: Path) -> None:
    async with page(STORY, path) as bench:
        await opened(bench)
        await bench.type(" End.")
        theirs = STORY.replaced(0, STORY.messages[0].with_text("Long ago"))
        path.write_bytes(dumps(theirs))
        await bench.until(lambda: bench.session.messages[0].text == "Long ago", "their text")
        await bench.press("escape")
        await bench.see("Long ago a fox met a crow. End.")


@in_loop
async def test_another_programs_change_in_the_same_place_costs_nothing(path: Path) -> None:
    async with page(talk(("user", "mine")), path) as bench:
        await opened(bench)
        await bench.type(" too")
        path.write_bytes(dumps(talk(("user", "theirs"))))
        await bench.until(lambda: bench.session.messages[0].text == "theirs", "their text")
        await bench.press("escape")
        await bench.see("theirs", "1 muted left out", "kept in a message below")
        await bench.saved(("user", "theirs"), ("user", "mine too"))


@in_loop
async def test_an_answer_that_could_not_begin_leaves_no_gap_behind(path: Path) -> None:
    async with page(talk(("user", "从前")), path) as bench:
        bench.scripted.enqueue("", fail="unreachable", message="Nobody answers.")
        await bench.press("p")
        await bench.see("Nobody answers.")
        await bench.idle()
        bench.scripted.enqueue("有座山")
        await bench.press("r")
        await bench.see("从前有座山", "‹2/2›")
        await bench.idle()
        assert text_of(bench) == "从前有座山"


@in_loop
async def test_several_takes_come_one_after_the_other_from_the_same_place(path: Path) -> None:
    async with page(talk(("user", "Red, ")), path, says=("green", "blue")) as bench:
        await bench.press("N")
        await bench.see("How many takes?")
        await bench.press("ctrl+u", "2", "enter")
        await bench.see("Red, blue", "‹2/2›")
        await bench.idle()
        await bench.press("h")
        await bench.see("Red, green", "‹1/2›")


@in_loop
async def test_all_that_the_model_wrote_is_written_anew(path: Path) -> None:
    async with page(rewritten(STORY, "Once upon a time a bear met a crow."), path, says=(" left.",)) as bench:
        await bench.press("R", "enter")
        await bench.see("Once upon a time a bear left.", "‹2/2›")
        await bench.idle()
        assert len(bench.session.messages) == 3


@in_loop
async def test_a_long_page_is_read_piece_by_piece_and_the_end_is_followed(path: Path) -> None:
    long = "".join(f"line {i} of the story\n" for i in range(60))
    async with page(Conversation(messages=(Message(role="user", text="Title\n"), model(long))), path) as bench:
        bench.scripted.enqueue("".join(f"more {i}\n" for i in range(30)) + "end")
        await bench.see("line 59", "‹1/1›")
        await bench.press("p")
        await bench.idle()
        await bench.see("more 29", "end", "echo")
        await bench.press("g")
        await bench.see("Title", "more below")
        await bench.press("j")
        await bench.see("line 0")
        await bench.press("G")
        await bench.see("end", "echo")


@in_loop
async def test_chinese_words_fit_a_small_screen(path: Path) -> None:
    words.choose("zh")
    async with page(None, path, says=("有座山",), size=NARROW) as bench:
        await bench.see("这一页还是空的", "让模型续写")
        await bench.press("a")
        await bench.see("全文，编辑中")
        await bench.paste("从前")
        await bench.press("ctrl+r")
        await bench.see("从前有座山", "全文，照此发送", "p 续写", "r 重写一次")
        assert all(len(line) <= 80 for line in bench.lines())


@in_loop
async def test_a_read_only_page_is_not_written(path: Path) -> None:
    path.write_bytes(dumps(STORY).replace(b"qiao = 1", b"qiao = 99"))
    async with page(None, path) as bench:
        await bench.see("read-only", "a fox met")
        await bench.press("e")
        await bench.see("read-only: a newer")
        assert bench.app.workbench.editor is None


@in_loop
async def test_what_is_for_messages_is_said_to_be(path: Path) -> None:
    async with page(STORY, path) as bench:
        for key in ("t", "space", "z", "Z"):
            await bench.press(key)
            await bench.see("That is for messages")
            await bench.press("escape")
            await bench.miss("That is for messages")
        assert dumps(bench.session.conversation) == dumps(STORY)


@in_loop
async def test_an_external_editor_gets_the_whole_text(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external_editor, "edit_text", lambda _app, text: text.replace("crow", "raven"))
    async with page(STORY, path) as bench:
        await bench.press("o")
        await bench.see("a fox met a raven.")
        assert beginning(bench, 2) == dumps(STORY.with_messages(STORY.messages[:2]))


@in_loop
async def test_no_external_editor_opens_while_the_model_writes(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(external_editor, "edit_text", lambda _app, text: text.replace("crow", "raven"))
    go = threading.Event()
    async with page(STORY, path) as bench:
        bench.scripted.enqueue(" The end.", hold=go)
        await bench.press("p")
        await bench.see("esc stop")
        await bench.press("o")
        await bench.see("The model is writing.")
        go.set()
        await bench.idle()
        await bench.see("a fox met a crow.")


pieces = st.builds(
    Message,
    role=st.sampled_from(["user", "assistant"]),
    text=st.text("a \n", max_size=4),
    muted=st.integers(0, 4).map(lambda n: n == 0),
    runs_on=st.booleans(),
)


@given(st.lists(pieces, max_size=6))
def test_the_lines_shown_are_those_of_the_text(messages: list[Message]) -> None:
    items = Page().items([Item(message) for message in messages], messages, messages, len(messages) - 1, {})
    shown: list[str] = []
    for number, item in enumerate(items, start=1):
        assert item.page is not None
        lines = page_lines(item, 100, {})[item.page.heading is not None :]
        assert lines, "a part has a height"
        shown += ["".join(run.text for run in line[1:]) for line in lines]
        shown += [""] * (item.page.blank_below and number < len(items))
    assert shown == (page_of(messages).text.split("\n") if messages else [])


def test_the_file_says_what_runs_on() -> None:
    data = dumps(STORY)
    assert data.count(b"runs_on = true") == 2
    assert b"runs_on" not in dumps(talk(("user", "x"), ("assistant", "y")))
