"""What is only read: whatever is chosen in a dialog or pasted there, it is said, and nothing ends."""

from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest

from qiao.backends.scripted import ScriptedBackend
from qiao.tui.keeping import keeper
from qiao.workbench.conversation import Conversation, Message, Take
from qiao.workbench.conversation_file import dumps

from ..driving import HELLO, Bench, in_loop, talk, workbench

TALK = Conversation(
    model="scripted:echo",
    messages=(
        Message(role="user", text="Capital of France?"),
        Message(role="assistant", takes=(Take(text="Paris."), Take(text="Lyon.")), chosen=2),
    ),
)


def written_by_a_newer_qiao(path: Path, conversation: Conversation) -> None:
    path.write_bytes(dumps(conversation).replace(b"qiao = 1", b"qiao = 99"))


async def refused(bench: Bench) -> None:
    await bench.until(lambda: any("but not changed" in notice.message for notice in bench.app._notifications))


async def a_command(bench: Bench) -> None:
    await bench.press("ctrl+p")
    await bench.type("other")
    await bench.press("enter")


async def a_model(bench: Bench) -> None:
    await bench.press("m", "down", "enter")


async def another_take(bench: Bench) -> None:
    await bench.press("c", "x", "enter")


@pytest.mark.parametrize("choose", [a_command, a_model, another_take])
@in_loop
async def test_what_is_chosen_for_a_conversation_that_is_only_read_is_refused(
    choose: Callable[[Bench], Awaitable[None]], path: Path
) -> None:
    written_by_a_newer_qiao(path, TALK)
    async with workbench(None, path, scripted=ScriptedBackend(("echo", "other"))) as bench:
        await bench.see("read-only", "Lyon.")
        await bench.press("escape")
        assert not bench.app._notifications
        await choose(bench)
        await refused(bench)
        await bench.until(lambda: bench.app.screen is bench.app.workbench, "the dialog to go")
        assert bench.session.conversation.model == TALK.model
        assert bench.session.conversation.messages[1].chosen == 2
        await bench.press("escape", "k")
        await bench.until(lambda: bench.session.shown_at == 0, "the next key")


@in_loop
async def test_an_earlier_prompt_is_not_brought_back_into_what_has_become_read_only(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "SAVE_AFTER", 0.05)
    async with workbench(talk(("user", "one")), path) as bench:
        for text in ("1", "2"):
            bench.scripted.enqueue(text)
            await bench.press("r")
            await bench.idle()
            await bench.press("k", "e")
            await bench.type("!")
            await bench.press("escape")
        await bench.until(lambda: not bench.session.document.unsaved, "all to be saved")
        written_by_a_newer_qiao(path, bench.session.conversation)
        await bench.until(lambda: bench.session.document.read_only, "read-only")
        await bench.press("H")
        await bench.see("2/3", "3/3 now")
        await bench.press("b")
        await refused(bench)
        assert bench.session.conversation.messages[0].text == "one!!"


@in_loop
async def test_what_is_pasted_while_a_base_model_writes_waits_for_its_end(path: Path) -> None:
    scripted = ScriptedBackend(kind="base")
    scripted.enqueue("and so on " * 5000, delay_ms=50)
    async with workbench(talk(*HELLO), path, scripted=scripted) as bench:
        await bench.press("r")
        await bench.until(lambda: bench.session.runs, "it to write")
        await bench.paste("some words")
        await bench.see("The model is writing")
        await bench.press("escape")
        await bench.idle()
