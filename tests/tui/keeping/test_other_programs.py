"""Files of open conversations that other programs change or delete: taken in, merged, asked about; not overwritten."""

from pathlib import Path

import pytest

from qiao.tui.keeping import keeper
from qiao.workbench.conversation_file import dumps

from ..driving import HELLO, NARROW, WIDE, Bench, in_loop, talk, workbench


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "SAVE_AFTER", 0.05)


async def written_here_and_there(bench: Bench, path: Path, *theirs: tuple[str, str]) -> None:
    """The second message is being written to, and another program writes these into the file."""
    await bench.press("e")
    await bench.type(" Mine.")
    path.write_bytes(dumps(talk(*theirs)))


@in_loop
async def test_edits_of_different_messages_both_stay(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        await written_here_and_there(bench, path, ("system", "Be kind."), HELLO[1])
        await bench.see("Be kind.", "was changed by another program")
        await bench.press("escape")
        await bench.saved(("system", "Be kind."), ("user", "Capital of France? Mine."))
        await bench.see("Capital of France? Mine.", "saved")


@in_loop
async def test_of_one_message_edited_in_both_theirs_stands_and_the_draft_is_a_message_below(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        await written_here_and_there(bench, path, HELLO[0], ("user", "Capital of Spain?"))
        await bench.see("was changed by another program")
        await bench.press("escape")
        await bench.see("yours is kept in a message below")
        await bench.saved(HELLO[0], ("user", "Capital of Spain?"), ("user", "Capital of France? Mine."))


@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_a_conflict_shows_both_sides(path: Path, size: tuple[int, int]) -> None:
    @in_loop
    async def drive() -> None:
        async with workbench(talk(*HELLO), path, size=size) as bench:
            await written_here_and_there(bench, path, HELLO[0], ("user", "Capital of Spain?"), ("user", "And more."))
            bench.app.workbench.action_do("leave_editor")
            await bench.see("and here as well", "in the file", "message 2 · user", "Capital of France? Mine.")
            await bench.see("Capital of Spain?", "(not there)", "message 3 · user", "And more.")
            assert bench.said()[1:] == [("user", "Capital of Spain?"), ("user", "And more.")]
            await bench.press("t")
            await bench.see("saved")
            assert [m.said for m in bench.session.messages] == [HELLO[0][1], "Capital of Spain?", "And more."]
            await bench.press("u")
            await bench.saved(HELLO[0], ("user", "Capital of France? Mine."))

    drive()


@in_loop
async def test_a_conflict_with_a_file_that_cant_be_read_is_asked_about_too(path: Path, tmp_path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        await bench.press("e")
        await bench.type("!")
        path.write_text("qiao = = 1", encoding="utf-8")
        bench.app.workbench.action_do("leave_editor")
        await bench.see("and here as well", "There is no reading what it holds now.")
        await bench.press("m")
        await bench.saved(HELLO[0], ("user", "Capital of France?!"))
    assert (tmp_path / "talk.theirs-1.toml").read_text(encoding="utf-8") == "qiao = = 1"


@pytest.mark.parametrize("theirs", ["qiao = = 1", ""])
def test_of_a_file_that_cant_be_read_both_are_kept(path: Path, theirs: str) -> None:
    @in_loop
    async def drive() -> None:
        async with workbench(talk(*HELLO), path) as bench:
            await bench.press("e")
            await bench.type("!")
            path.write_text(theirs, encoding="utf-8")
            bench.app.workbench.action_do("leave_editor")
            await bench.see("There is no reading what it holds now.")
            await bench.press("b")
            await bench.see("yours is in talk.mine-1.toml", "talk.mine-1  saved")
            await bench.press("M")
            mine = path.with_name("talk.mine-1.toml")
            await bench.until(lambda: bench.on_disk(mine).messages[1].muted, "the edit in the file beside it")
            assert bench.said(mine)[1] == ("user", "Capital of France?!")
        assert path.read_text(encoding="utf-8") == theirs

    drive()


@pytest.mark.parametrize("opens", ["a", "W", "slash"])
def test_a_conflict_is_not_asked_about_while_something_is_typed(
    path: Path, opens: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keeper, "SAVE_AFTER", 1000.0)

    @in_loop
    async def drive() -> None:
        async with workbench(talk(*HELLO), path) as bench:
            await written_here_and_there(bench, path, HELLO[0], ("user", "theirs"))
            document = bench.session.document
            await bench.press("escape", opens)
            await bench.app.keeper.save(document)
            assert bench.app.keeper.asks_about(document)
            # Each of these letters would have been an answer.
            await bench.type("b m t")
            assert document.conversation.messages[1].said == "Capital of France? Mine."
            await bench.press("escape")
            await bench.see("and here as well", "b keep both")
            await bench.press("m")
            await bench.until(lambda: bench.said()[1] == ("user", "Capital of France? Mine."), "mine in the file")

    drive()


@in_loop
async def test_of_a_conflict_both_are_kept_and_open(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        await written_here_and_there(bench, path, HELLO[0], ("user", "Capital of Spain?"))
        bench.app.workbench.action_do("leave_editor")
        await bench.see("and here as well", "b keep both")
        await bench.press("b")
        await bench.see("yours is in talk.mine-1.toml", "1/2", "Capital of Spain?")
        await bench.miss("Capital of France? Mine.")
        assert bench.said() == [HELLO[0], ("user", "Capital of Spain?")]
        mine = path.with_name("talk.mine-1.toml")
        assert bench.said(mine) == [HELLO[0], ("user", "Capital of France? Mine.")]
        await bench.press("right_square_bracket")
        await bench.see("2/2", "Capital of France? Mine.")


@in_loop
async def test_what_a_deleted_file_held_is_safe_at_once(path: Path, home: Path) -> None:
    def kept() -> list[Path]:
        return list((home / "data" / "rescued").glob("*.toml"))

    async with workbench(talk(*HELLO), path) as bench:
        path.unlink()
        await bench.until(kept, "a copy in the data folder")
        assert bench.said(kept()[0]) == list(HELLO)
        await bench.press("w")
        await bench.saved(*HELLO)
        await bench.until(lambda: not kept(), "the copy to go, as the file is there again")


@in_loop
async def test_a_deleted_file_is_said_and_written_again_by_w(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        path.unlink()
        await bench.see("was deleted or moved by another program", "its file is gone", "Capital of France?")
        assert not path.exists()
        await bench.press("w")
        await bench.saved(*HELLO)
        await bench.see("saved")
        await bench.miss("its file is gone")
        path.rename(path.with_name("elsewhere.toml"))
        await bench.see("its file is gone")
        path.with_name("elsewhere.toml").rename(path)
        await bench.miss("its file is gone")


@in_loop
async def test_leaving_a_conversation_whose_file_was_deleted_asks(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        path.unlink()
        await bench.see("its file is gone")
        await bench.until(lambda: bench.app.keeper.kept_elsewhere(bench.session.document), "a copy")
        for key in ("X", "q"):
            await bench.press(key)
            await bench.see("Not everything could be saved:", "a copy is kept")
            await bench.press("escape")
        await bench.press("w")
        await bench.saved(*HELLO)
        await bench.miss("its file is gone")
        await bench.press("q")
        await bench.until(lambda: not bench.app.is_running, "the end")


@in_loop
async def test_a_deleted_file_with_nobody_to_ask_is_kept_in_the_data_folder(path: Path, home: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        path.unlink()
        await bench.see("its file is gone")
        bench.app.leave(asking=False)
        await bench.until(lambda: not bench.app.is_running, "the end")
    [kept] = (home / "data" / "rescued").glob("*.toml")
    assert bench.said(kept) == list(HELLO)
    assert not path.exists()


@pytest.mark.parametrize("key", ["q", "X"])
def test_leaving_a_conflict_that_was_put_off_asks_one_question(path: Path, key: str) -> None:
    @in_loop
    async def drive() -> None:
        async with workbench(talk(*HELLO), path) as bench:
            await written_here_and_there(bench, path, HELLO[0], ("user", "theirs"))
            bench.app.workbench.action_do("leave_editor")
            await bench.see("and here as well")
            await bench.press("escape")
            await bench.miss("and here as well")
            await bench.press(key)
            await bench.see("Not everything could be saved:")
            assert len(bench.app.screen_stack) == 2
            await bench.press(key)
            if key == "X":
                await bench.see("Nothing is written yet.")
            await bench.until(lambda: len(bench.app.screen_stack) == 1 or not bench.app.is_running, "no page")
            assert bench.said()[1] == ("user", "theirs")

    drive()


@in_loop
async def test_leaving_that_finds_a_conflict_asks_about_that(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        await written_here_and_there(bench, path, HELLO[0], ("user", "theirs"))
        bench.app.workbench.action_do("close")
        await bench.see("and here as well")
        await bench.pilot.pause(0.2)
        assert len(bench.app.screen_stack) == 2
        await bench.press("m")
        await bench.saved(HELLO[0], ("user", "Capital of France? Mine."))
