"""The help page: found by key or word, and carried out from there."""

import pytest

from qiao.workbench import words

from ..driving import HELLO, NARROW, WIDE, in_loop, talk, workbench


@pytest.mark.parametrize("size", [WIDE, NARROW])
@in_loop
async def test_words_find_an_action_and_enter_does_it(size: tuple[int, int]) -> None:
    async with workbench(talk(*HELLO), size=size) as bench:
        await bench.press("question_mark", "slash")
        await bench.see("a key, or words")
        await bench.type("send mute")
        await bench.see("keep the message, but don't send it", "in the settings: mute")
        await bench.miss("change the role")
        await bench.press("enter")
        await bench.see("muted, not sent", "Capital of France?")
        assert bench.session.messages[-1].muted


@in_loop
async def test_a_single_letter_asks_what_that_key_does() -> None:
    async with workbench(talk(*HELLO)) as bench:
        await bench.press("question_mark", "slash", "K")
        await bench.see("move the message up")
        await bench.miss("move the message down")


@in_loop
async def test_esc_goes_back_to_all_keys_and_then_off_the_page() -> None:
    async with workbench(talk(*HELLO)) as bench:
        await bench.press("question_mark", "slash")
        await bench.type("qqq?")
        await bench.see("no key does that")
        await bench.press("enter", "escape")
        await bench.see("to the next message")
        await bench.press("escape")
        await bench.see("Capital of France?")
        assert bench.app.screen is bench.app.workbench


@in_loop
async def test_the_selected_action_is_named_as_the_settings_name_it() -> None:
    async with workbench(talk(*HELLO)) as bench:
        await bench.press("question_mark")
        await bench.see("in the settings: next")
        await bench.press("j", "j")
        await bench.see("in the settings: first")


@in_loop
async def test_a_key_of_another_place_leads_there() -> None:
    async with workbench(talk(*HELLO)) as bench:
        await bench.press("question_mark", "slash")
        await bench.type("split caret")
        await bench.press("enter")
        await bench.see("editing")
        await bench.press("escape", "question_mark", "slash")
        await bench.type("unset")
        await bench.press("enter")
        await bench.until(lambda: bench.app.focused and bench.app.focused.id == "sampling-rows", "the sampling pane")


@in_loop
async def test_chinese_words_find_it_too() -> None:
    words.choose("zh")
    async with workbench(talk(*HELLO), size=NARROW) as bench:
        await bench.press("question_mark", "slash")
        await bench.see("它做什么")
        await bench.type("撤销 改动")
        await bench.see("撤销上一个改动", "设置中的名称：undo")
        await bench.miss("切换角色")
        assert all(len(line) <= 80 for line in bench.lines())
