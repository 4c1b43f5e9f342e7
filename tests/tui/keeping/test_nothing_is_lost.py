"""Words that a person wrote stay, whatever happens while they write."""

import os
import threading
from pathlib import Path

import pytest

from qiao.tui.input.typed_path import typed_path
from qiao.tui.keeping import keeper
from qiao.tui.panes.inline_input import InlineInput
from qiao.tui.panes.models import ModelsPane
from qiao.tui.panes.sampling import SamplingPane, Setting
from qiao.workbench.config import Config
from qiao.workbench.conversation_file import dumps
from qiao.workbench.document import Document
from qiao.workbench.errors import QiaoError
from qiao.workbench.rescuing import save_beside

from ..driving import HELLO, Bench, in_loop, talk, workbench


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "SAVE_AFTER", 0.05)


async def choose(bench: Bench, command: str) -> None:
    """Finds an action by name in the palette, as may be done while the editor is open."""
    await bench.press("ctrl+p")
    await bench.type(command)
    await bench.press("enter")


@in_loop
async def test_going_to_another_file_keeps_the_draft(tmp_path: Path, path: Path) -> None:
    other = tmp_path / "other.toml"
    other.write_bytes(dumps(talk(("user", "other"))))
    async with workbench(talk(("user", "one")), path, other) as bench:
        await bench.press("e")
        await bench.type(" draft")
        await choose(bench, "next file")
        await bench.see("other")
        await bench.saved(("user", "one draft"))
        assert bench.said(other) == [("user", "other")]
        assert bench.app.workbench.editor is None


@in_loop
async def test_a_second_edit_keeps_the_first_draft(path: Path) -> None:
    async with workbench(talk(("user", "one")), path) as bench:
        await bench.press("e")
        await bench.type(" draft")
        await choose(bench, "add above")
        await bench.until(
            lambda: bench.app.workbench.editor is not None and len(bench.session.messages) == 2, "a second"
        )
        await bench.type("zero")
        await bench.press("escape")
        await bench.saved(("system", "zero"), ("user", "one draft"))
        assert not bench.app.workbench.query("MessageEditor")


@in_loop
async def test_an_editor_left_untouched_takes_nothing_back(path: Path) -> None:
    async with workbench(talk(("user", "mine")), path) as bench:
        await bench.press("e")
        path.write_bytes(dumps(talk(("user", "theirs"))))
        await bench.until(lambda: bench.session.messages[0].text == "theirs", "their text")
        await bench.press("escape")
        await bench.press("M", "M")
        await bench.saved(("user", "theirs"))


@in_loop
async def test_a_draft_beside_another_programs_change_is_kept_below(path: Path) -> None:
    async with workbench(talk(("user", "mine")), path) as bench:
        await bench.press("e")
        await bench.type(" too")
        path.write_bytes(dumps(talk(("user", "theirs"))))
        await bench.until(lambda: bench.session.messages[0].text == "theirs", "their text")
        await bench.press("escape")
        await bench.saved(("user", "theirs"), ("user", "mine too"))


@pytest.mark.parametrize("typed", ["/", ".", "..", "~nosuchuser/x", "x" * 300, "a\x00b", "/tmp"])
def test_what_is_no_path_is_said(typed: str) -> None:
    with pytest.raises(QiaoError, match="no path"):
        typed_path(typed)


@in_loop
async def test_names_that_no_file_has_cost_nothing(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        for typed in ("/", "~nosuchuser/x", "x" * 300):
            await bench.press("W")
            await bench.see("Save as")
            await bench.press("ctrl+u")
            await bench.paste(typed)
            await bench.press("enter")
            # What was typed stays, to be mended.
            await bench.see("Save as")
            await bench.press("escape")
            await bench.miss("Save as")
        await bench.press("N")
        await bench.paste("9" * 5000)
        await bench.press("enter")
        await bench.see("whole number", "How many")
        assert bench.app.is_running


@in_loop
async def test_what_is_typed_takes_the_place_of_the_value_shown(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        for _ in range(3):
            bench.scripted.enqueue("Paris.")
        await bench.press("N")
        await bench.see("How many")
        await bench.type("2")
        await bench.press("enter")
        await bench.idle()
        assert len(bench.session.conversation.messages[2].takes) == 2
        await bench.press("s", "enter")
        await bench.type("0.7")
        await bench.press("enter")
        await bench.until(lambda: bench.session.conversation.sampling.temperature == 0.7, "0.7")
        await bench.press("enter")
        await bench.type("0.9")
        await bench.press("enter")
        await bench.until(lambda: bench.session.conversation.sampling.temperature == 0.9, "0.9")


@in_loop
async def test_a_value_that_cannot_be_stays_to_be_mended(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        await bench.press("s", "enter")
        await bench.type("warm")
        await bench.press("enter")
        await bench.see("temperature: found")
        box = bench.app.workbench.query_one(InlineInput)
        assert box.value == "warm"
        await bench.press("escape")
        await bench.until(lambda: not bench.app.workbench.query(InlineInput), "the input to go")
        assert bench.session.conversation.sampling.temperature is None


@in_loop
async def test_inputs_stand_in_their_rows(path: Path) -> None:
    async with workbench(talk(("user", "{{name}}")), path) as bench:
        pane = bench.app.workbench.query_one(SamplingPane)
        for keys, setting in ((("s",), Setting("temperature")), (("V",), Setting("name", True))):
            await bench.press(*keys, "enter")
            await bench.until(lambda: pane.query(InlineInput), "the input")
            await bench.pilot.pause()
            row = pane.rows.row_region(setting)
            assert row is not None
            assert pane.query_one(InlineInput).region.y == pane.rows.region.y + row.y
            await bench.press("escape", "escape")
        await bench.press("m", "slash")
        models = bench.app.workbench.query_one(ModelsPane)
        await bench.until(lambda: models.query(InlineInput), "the input")
        await bench.pilot.pause()
        assert models.query_one(InlineInput).region.y == models.rows.region.y + 1


@in_loop
async def test_while_an_answer_comes_its_takes_stay_put_and_a_question_follows_it(path: Path) -> None:
    go = threading.Event()
    async with workbench(talk(*HELLO), path) as bench:
        bench.scripted.enqueue("Paris.")
        bench.scripted.enqueue("Paris it is.", hold=go)
        await bench.press("r")
        await bench.idle()
        await bench.press("r")
        await bench.see("‹2/2›")
        before = bench.session.conversation
        await bench.press("h")
        await bench.see("An answer is coming")
        assert bench.session.conversation is before
        await bench.press("a")
        await bench.type("Thanks.")
        await bench.press("escape")
        go.set()
        await bench.idle()
        assert [m.role for m in bench.session.conversation.messages] == ["system", "user", "assistant", "user"]


@in_loop
async def test_titles_and_settings_reach_the_terminal_made_safe(path: Path) -> None:
    hostile = "T\x1b[2J\x1b]0;P\x07\u202ebidi"
    config = Config(model="scripted:echo", theme=hostile, keys={hostile: "x", "run": f"r,{hostile}"})
    async with workbench(talk(*HELLO, title=hostile), path, config=config) as bench:
        path.write_bytes(dumps(talk(("user", "theirs"), title=hostile)))
        await bench.until(lambda: bench.session.messages[0].text == "theirs", "their text")
        await bench.see("There is no theme", "is no key", "there is no action")
        shown = [n.message for n in bench.app._notifications]
        assert shown
        assert not [char for text in [*shown, bench.text()] for char in text if char in "\x1b\x07\u202e"]


@in_loop
async def test_a_model_setting_that_is_none_is_said(path: Path) -> None:
    async with workbench(talk(*HELLO), path, config=Config(model="nonsense")) as bench:
        await bench.see("nonsense")
        await bench.press("r")
        assert bench.app.is_running


def test_a_pipe_is_refused_rather_than_waited_for(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.toml"
    os.mkfifo(pipe)
    with pytest.raises(QiaoError, match="no ordinary file"):
        Document.open(pipe)


def test_what_cannot_be_saved_is_rescued(tmp_path: Path) -> None:
    document = Document.open(tmp_path / "talk.toml")
    document.change(talk(("user", "kept")), "label.edit")
    first, second = (save_beside(tmp_path / "rescued", document) for _ in range(2))
    assert first != second
    assert Document.open(first).conversation.messages[0].text == "kept"


@in_loop
async def test_a_mistake_in_the_program_saves_the_draft_and_what_has_streamed(path: Path) -> None:
    go = threading.Event()
    async with workbench(talk(*HELLO), path) as bench:
        bench.scripted.enqueue("Paris it is.", hold=go)
        await bench.press("r")
        await bench.see("Paris")
        await bench.press("k", "e")
        await bench.type(" Now.")
        bench.app._rescue()
        go.set()
        assert bench.said()[1] == ("user", "Capital of France? Now.")
        take = bench.on_disk().messages[2].take
        assert take is not None
        assert take.text.startswith("Paris")
        await bench.idle()
