"""Notices: whole, few, and gone when they are told to."""

import pytest

from qiao.tui import few_notices

from ..driving import HELLO, NARROW, WIDE, Bench, in_loop, talk, workbench


@in_loop
async def test_a_chinese_notice_is_whole_beside_the_panes() -> None:
    words = "一二三四五六七八九十"
    for before in ("", "x"):
        async with workbench(talk(*HELLO), size=WIDE) as bench:
            bench.app.tell(before + words * 2)
            bench.app.tell(before + words * 9)
            await bench.see(before + words * 2)
            await bench.until(lambda: bench.text().count("九") == 11)
            assert bench.text().count("一") == 11


@pytest.mark.parametrize("size", [WIDE, NARROW])
@in_loop
async def test_two_notices_stand_at_once_and_esc_takes_them_away(
    size: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(few_notices, "TOGETHER_SECONDS", 0.0)
    async with workbench(talk(*HELLO), size=size) as bench:
        for words in ("the first", "the second", "the third", "the third"):
            bench.app.tell(words)
        await bench.see("the second", "the third")
        await bench.miss("the first")
        assert bench.text().count("the third") == 1
        await bench.press("escape")
        await bench.miss("the second")
        await bench.miss("the third")


@in_loop
async def test_what_is_said_in_one_breath_stays_together() -> None:
    async with workbench(talk(*HELLO), size=WIDE) as bench:
        for words in ("the first", "the second", "the third"):
            bench.app.tell(words)
        await bench.see("the first", "the second", "the third")


@pytest.mark.parametrize("size", [WIDE, NARROW])
@in_loop
async def test_a_notice_covers_neither_the_line_being_written_nor_the_selected_message(size: tuple[int, int]) -> None:
    lines = "\n".join(f"line {number}" for number in range(60))
    async with workbench(talk(("user", "first"), ("user", lines)), size=size) as bench:
        bench.app.tell("the notice")
        await bench.see("the notice", "line 59")
        assert row_of(bench, "the notice") < size[1] // 2
        await bench.press("e")
        await bench.type(" more")
        await bench.see("line 59 more", "the notice")
        assert "untitled" in bench.lines()[1]
        await bench.press("escape", "g")
        await bench.until(lambda: row_of(bench, "the notice") > size[1] // 2, "the notice to make way")
        await bench.see("first")


def row_of(bench: Bench, words: str) -> int:
    return next(row for row, line in enumerate(bench.lines()) if words in line)
