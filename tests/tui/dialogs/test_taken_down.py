"""A list that is taken down while it still looks: what has yet to come finds nothing to show it on."""

import asyncio

import pytest
from textual.widgets import Input

from qiao.tui.dialogs.filtered import FilteredList
from qiao.tui.dialogs.find import Find
from qiao.tui.dialogs.questions import Choice, Question
from qiao.tui.keeping import leaving

from ..driving import HELLO, in_loop, talk, workbench


@pytest.mark.parametrize("keys", ["slash", "ctrl+p", "O"])
@in_loop
async def test_a_list_is_no_longer_whole_before_its_first_part_is_taken_away(keys: str) -> None:
    async with workbench(talk(*HELLO)) as bench:
        await bench.press(keys)
        await bench.until(lambda: isinstance(bench.app.screen, FilteredList))
        screen = bench.app.screen
        assert isinstance(screen, FilteredList)
        await bench.until(lambda: screen.is_whole)
        taking_down = screen.remove()
        assert not screen.is_whole
        assert list(screen.walk_children())
        await taking_down


@in_loop
async def test_the_workbench_is_no_longer_whole_when_the_app_ends() -> None:
    async with workbench(talk(*HELLO)) as bench:
        shown = bench.app.workbench
        assert shown.is_whole
    assert not shown.is_whole


@pytest.mark.parametrize("rests", range(12))
@in_loop
async def test_find_that_still_looks_may_be_taken_down_at_any_moment(rests: int) -> None:
    # One text of many pieces, so that it takes thousands of looks.
    text = "The quick brown fox jumps over the lazy dog.\n" * 250_000
    async with workbench(talk(("user", text))) as bench:
        await bench.press("slash")
        find = bench.app.screen
        assert isinstance(find, Find)
        find.query_one(Input).value = "nowhere"
        await bench.until(lambda: not find._is_over, "it to look")
        taking_down = find.remove()
        for _ in range(rests):
            await asyncio.sleep(0)
        await taking_down


@pytest.mark.parametrize("opens", ["open", "find", "palette", "help", "keys", "tags", "seen", "replay", "add_provider"])
@in_loop
async def test_a_dialog_may_open_in_the_moment_in_which_the_program_ends(
    opens: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with workbench(talk(*HELLO)) as bench:

        async def save(*_: object) -> list[object]:
            bench.app.workbench.action_do(opens)
            return []

        monkeypatch.setattr(leaving, "save", save)
        bench.app.leave(asking=False)
        await bench.until(lambda: not bench.app._running, "the end")
        assert bench.app.failure is None


@in_loop
async def test_a_question_that_comes_over_a_list_whose_enter_waits_is_answered_and_the_list_is_still_there() -> None:
    answers: list[str | None] = []
    async with workbench(talk(*HELLO, ("user", "two"))) as bench:
        await bench.press("slash", "t", "w", "o")
        find = bench.app.screen
        assert isinstance(find, Find)
        await bench.until(lambda: find.selected is not None, "it to find the place")
        # As enter does where nothing is found yet.
        assert find.wait_for_more()
        bench.app.push_screen(Question("Which?", [Choice("m", "mine", "mine")]), answers.append)
        find.more_came(enough=True)
        await bench.press("m")
        await bench.until(lambda: answers == ["mine"], "the answer")
        assert bench.app.screen is find
        await bench.press("escape", "k")
        await bench.until(lambda: bench.session.shown_at == 1, "the next key")
