"""Few-shot examples pasted as pairs, and messages carried from one open conversation to another."""

from pathlib import Path

import pytest

from qiao.tui.keeping import keeper
from qiao.workbench.conversation import Conversation, Message, Take
from qiao.workbench.conversation_file import dumps

from ..driving import HELLO, in_loop, talk, workbench


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "SAVE_AFTER", 0.05)


@in_loop
async def test_two_columns_become_messages_and_one_undo_takes_them_back(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        await bench.paste('good\tpositive\n"so\nso"\tneutral\n')
        await bench.see("4 messages put in, from two columns")
        await bench.saved(
            *HELLO, ("user", "good"), ("assistant", "positive"), ("user", "so\nso"), ("assistant", "neutral")
        )
        await bench.press("u")
        await bench.saved(*HELLO)


@in_loop
async def test_marked_pairs_become_messages_but_in_an_editor_they_are_text(path: Path) -> None:
    text = "问：一加一？\n答：二。\n问：二加二？"
    async with workbench(talk(*HELLO), path) as bench:
        await bench.paste(text)
        await bench.see("3 messages put in, by the marks")
        await bench.saved(*HELLO, ("user", "一加一？"), ("assistant", "二。"), ("user", "二加二？"))
        await bench.press("u", "a")
        await bench.paste(text)
        await bench.press("escape")
        await bench.saved(*HELLO, ("assistant", text))


@in_loop
async def test_messages_keep_their_takes_in_another_conversation(path: Path, tmp_path: Path) -> None:
    takes = tuple(
        Take(text=text, model="scripted:echo", seed=seed) for seed, text in enumerate(("Paris.", "It is Paris."))
    )
    answer = Message(role="assistant", text="By hand.", takes=takes, chosen=2, note="good")
    other = tmp_path / "other.toml"
    other.write_bytes(dumps(Conversation(messages=(Message(role="user", text="Capital?"), answer))))
    async with workbench(talk(*HELLO), path, other) as bench:
        await bench.press("right_square_bracket")
        await bench.see("It is Paris.")
        await bench.press("g", "space", "space", "y", "left_square_bracket")
        await bench.see("Capital of France?")
        await bench.press("G", "P")
        await bench.until(lambda: len(bench.said()) == 4)
        came = bench.on_disk().messages[3]
        assert (came.takes, came.chosen, came.text, came.note) == (takes, 2, "By hand.", "good")
        await bench.press("h")
        await bench.until(lambda: bench.on_disk().messages[3].chosen == 1)
        assert bench.on_disk(other).messages[1].chosen == 2
