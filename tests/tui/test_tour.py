"""The tour of the first start, taken by its own keys."""

from pathlib import Path

import pytest

from qiao.tui.tour import is_first_start
from qiao.workbench import words

from .conftest import Terminal
from .driving import HELLO, NARROW, WIDE, in_loop, talk, workbench


@pytest.mark.parametrize("size", [WIDE, NARROW])
@in_loop
async def test_its_five_steps_lead_from_a_question_to_what_the_model_saw(size: tuple[int, int], home: Path) -> None:
    assert is_first_start()
    async with workbench(None, size=size, touring=True) as bench:
        bench.scripted.enqueue("Paris.")
        bench.scripted.enqueue("Lyon.")
        await bench.see("1/5", "a begins a message", "Nothing is written yet.")
        assert not is_first_start()
        await bench.press("a")
        await bench.see("editing", "1/5")
        await bench.type("Big city?")
        await bench.press("escape")
        await bench.see("2/5", "r has the model answer")
        await bench.press("r")
        await bench.see("Paris.", "3/5")
        await bench.press("k", "e")
        await bench.see("editing")
        await bench.type("Another ")
        await bench.press("ctrl+r")
        await bench.see("Lyon.", "4/5")
        await bench.press("h")
        await bench.see("Paris.", "4/5")
        await bench.press("c")
        await bench.until(lambda: bench.app.screen is not bench.app.workbench, "the two answers")
        await bench.press("escape")
        await bench.see("5/5", "v shows the exact text")
        await bench.press("v")
        await bench.until(lambda: bench.app.screen is not bench.app.workbench, "the exact prompt")
        await bench.press("escape")
        await bench.miss("5/5")
        await bench.see("That was the tour.")
        assert all(len(line) <= size[0] for line in bench.lines())


@in_loop
async def test_esc_leaves_it_for_good_and_the_help_has_it_again(home: Path) -> None:
    async with workbench(None, touring=True) as bench:
        await bench.see("1/5")
        await bench.press("escape")
        await bench.see("The tour is over.")
        await bench.miss("1/5")
        assert not is_first_start()
        await bench.press("question_mark", "slash")
        await bench.type("five steps")
        await bench.press("enter")
        await bench.see("1/5")


@in_loop
async def test_it_never_stands_over_work(home: Path, tmp_path: Path) -> None:
    async with workbench(talk(*HELLO), tmp_path / "talk.toml", touring=True) as bench:
        await bench.see("Capital of France?")
        assert bench.app.workbench.guide.tour is None
        # Asked for, it takes a page of its own.
        bench.app.workbench.action_do("tour")
        await bench.see("1/5", "Nothing is written yet.")
        assert len(bench.app.workbench.sessions) == 2
    assert [text for _, text in bench.said()] == [text for _, text in HELLO]


@in_loop
async def test_who_runs_from_the_editor_is_a_step_further_and_a_failed_answer_is_none(home: Path) -> None:
    async with workbench(None, touring=True) as bench:
        bench.scripted.enqueue("", fail="unknown_model", message="no such model")
        await bench.see("1/5")
        await bench.press("a")
        await bench.type("Hi")
        await bench.press("ctrl+r")
        await bench.see("no such model", "2/5")
        bench.scripted.enqueue("Hello.")
        await bench.press("r")
        await bench.see("Hello.", "3/5")


@in_loop
async def test_in_chinese_each_card_has_four_lines_at_most(home: Path) -> None:
    words.choose("zh")
    async with workbench(None, size=NARROW, touring=True) as bench:
        await bench.see("1/5  给模型写一句话。", "离开导览")
        await bench.press("a")
        await bench.type("x")
        await bench.press("escape")
        await bench.see("2/5  运行。")


def test_where_someone_has_worked_is_no_first_start(home: Path) -> None:
    (home / "data" / "untitled").mkdir(parents=True)
    assert is_first_start()
    (home / "data" / "untitled" / "x.toml").write_text("qiao = 1\n")
    assert not is_first_start()


def test_the_program_shows_it_on_its_first_start_only(home: Path, tmp_path: Path) -> None:
    for shown in (True, False):
        terminal = Terminal(cwd=tmp_path)
        try:
            # The picker is filled after the tour would have begun.
            terminal.wait("1/5" if shown else "starter")
            assert ("1/5" in terminal.text()) == shown
        finally:
            terminal.close()
