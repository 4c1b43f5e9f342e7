"""A newer Qiao writes the file while something is on its way into the conversation: it goes into a copy beside it."""

import threading
from pathlib import Path

import pytest

from qiao.tui.keeping import keeper
from qiao.workbench.conversation_file import dumps

from ..driving import HELLO, Bench, in_loop, talk, workbench


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "SAVE_AFTER", 0.05)


async def written_by_newer(bench: Bench, path: Path) -> None:
    path.write_bytes(dumps(talk(*HELLO, ("user", "theirs"))).replace(b"qiao = 1", b"qiao = 2"))
    await bench.until(lambda: bench.session.document.read_only, "read-only")


def drafts(home: Path) -> list[Path]:
    return list((home / "data" / "untitled").glob("*.toml"))


@in_loop
async def test_a_draft_is_kept_in_a_copy_that_is_shown(path: Path, home: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        await bench.press("e")
        await bench.type(" Mine.")
        await written_by_newer(bench, path)
        await bench.see("and can't be changed here")
        await bench.miss("u brings yours back")
        await bench.press("escape")
        await bench.see("2/2", "Capital of France? Mine.", "has become read-only")
        await bench.until(lambda: drafts(home), "the draft to be saved")
        assert ("user", "Capital of France? Mine.") in bench.said(drafts(home)[0])
        await bench.press("left_square_bracket")
        await bench.see("1/2", "read-only")
        await bench.miss("esc done")
        assert bench.app.workbench.editor is None


@in_loop
async def test_a_draft_that_is_split_is_kept_too(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        await bench.press("e")
        await bench.type(" Mine.")
        await written_by_newer(bench, path)
        bench.app.workbench.action_do("split")
        await bench.see("2/2", "Capital of France? Mine.")


@in_loop
async def test_an_untouched_editor_makes_no_copy(path: Path, home: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        await bench.press("e")
        await written_by_newer(bench, path)
        await bench.press("escape")
        await bench.see("read-only", "theirs")
        assert len(bench.app.workbench.sessions) == 1
        assert not drafts(home)


@in_loop
async def test_all_takes_of_an_answer_are_kept_in_one_copy(path: Path, home: Path) -> None:
    go = threading.Event()
    async with workbench(talk(*HELLO), path) as bench:
        bench.scripted.enqueue("Paris.", hold=go)
        bench.scripted.enqueue("Paris it is.")
        await bench.press("N")
        await bench.see("How many")
        await bench.type("2")
        await bench.press("enter")
        await bench.see("Paris")
        await written_by_newer(bench, path)
        go.set()
        await bench.see("kept in an untitled copy", "1/2")
        await bench.idle()
        await bench.until(lambda: drafts(home), "the answer to be saved")
        await bench.press("right_square_bracket")
        await bench.see("2/2", "Paris it is.")
        [message] = [m for m in bench.session.messages if m.role == "assistant"]
        assert [take.text for take in message.takes] == ["Paris.", "Paris it is."]


@in_loop
async def test_leaving_keeps_the_draft_and_what_has_come(path: Path, home: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        bench.scripted.enqueue("Paris.", hold=threading.Event())
        await bench.press("r")
        await bench.see("Paris")
        await bench.press("k", "e")
        await bench.type(" Mine.")
        await written_by_newer(bench, path)
        bench.app.leave(asking=False)
        await bench.until(lambda: not bench.app.is_running, "the end")
    [kept] = drafts(home)
    said = bench.said(kept)
    assert ("user", "Capital of France? Mine.") in said
    assert any(role == "assistant" and text.startswith("Paris") for role, text in said)


@in_loop
async def test_in_a_conflict_theirs_cant_take_mine_away(path: Path, home: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        await bench.press("e")
        await bench.type(" Mine.")
        path.write_bytes(dumps(talk(HELLO[0], ("user", "theirs"))).replace(b"qiao = 1", b"qiao = 2"))
        bench.app.workbench.action_do("leave_editor")
        await bench.see("and here as well")
        await bench.press("t")
        await bench.see("theirs", "has become read-only")
        await bench.until(lambda: drafts(home), "mine to be saved")
        assert bench.said(drafts(home)[0])[1] == ("user", "Capital of France? Mine.")
