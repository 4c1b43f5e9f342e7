"""A key waits until the one before it has done its work, and no longer."""

from pathlib import Path

import pytest

from qiao.tui import keys_in_order
from qiao.workbench.conversation import Conversation, Message, Take

from .driving import HELLO, in_loop, talk, workbench
from .screens.palettes import burst


@pytest.mark.parametrize(
    "opens", ["R", "N", "semicolon", "W", "number_sign", "O", "v", "question_mark", "colon", "A", "c"]
)
@in_loop
async def test_the_key_after_one_that_closed_a_dialog_is_not_held_up(
    opens: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Whoever waited for something that is gone would wait for all of it.
    monkeypatch.setattr(keys_in_order, "SETTLE_SECONDS", 1000.0)
    answered = Message(role="assistant", takes=(Take(text="Yes."), Take(text="No.")), chosen=1)
    messages = (Message(role="user", text="one"), Message(role="user", text="two"), answered)
    async with workbench(Conversation(messages=messages), tmp_path / "t.toml") as bench:
        await bench.press(opens)
        await bench.until(lambda: len(bench.app.screen_stack) == 2, "it to open")
        await bench.press("escape", "k")
        await bench.until(lambda: bench.app.workbench.session.shown_at == 1, "k")


@pytest.mark.parametrize("keys", ["e", "a", "\r", ":", "kO"])
@in_loop
async def test_a_key_that_is_only_looked_at_when_the_app_ends_does_nothing_more(keys: str, path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        burst(bench, keys)
        bench.app.exit(0)
        await bench.until(lambda: not bench.app._running, "the end")
        assert bench.app.failure is None


@in_loop
async def test_what_is_typed_behind_the_key_that_leaves_begins_nothing(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        burst(bench, "qaWhere?")
        await bench.until(lambda: not bench.app._running, "the end")
        assert bench.app.workbench.editor is None
        assert bench.said() == list(HELLO)


@pytest.mark.parametrize("held", [False, True])
@in_loop
async def test_what_was_typed_before_the_line_dropped_is_kept(held: bool, path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        if held:
            bench.app.hold_keys(lambda: False)
        burst(bench, "aWords to keep.")
        if held:
            await bench.until(lambda: len(bench.app._typed_ahead or ()) == 15, "the keys to be held")
            bench.app.take_typed_ahead()
        bench.app.terminal_gone()
        await bench.until(lambda: not bench.app._running, "the end")
        assert bench.said()[-1][1] == "Words to keep."
