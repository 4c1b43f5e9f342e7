"""Several conversations at once: closing and reopening them, what was open before, answers in those not shown."""

import os
import threading
import tracemalloc
from pathlib import Path

import pytest

from qiao.tui.keeping import keeper, open_before
from qiao.workbench import words
from qiao.workbench.conversation_file import dumps

from ..driving import HELLO, NARROW, WIDE, Bench, in_loop, talk, workbench


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    monkeypatch.setattr(keeper, "SAVE_AFTER", 0.05)
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def put(path: Path, *said: tuple[str, str], **fields: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(dumps(talk(*said, **fields)))
    return path


async def noted(bench: Bench, *paths: Path) -> None:
    """Waits until it is written down that these are open."""
    await bench.until(lambda: open_before.known() == list(paths), f"{paths} to be noted")


@in_loop
async def test_a_conversation_is_closed_saved_and_opened_again(here: Path) -> None:
    paths = [put(here / f"{name}.toml", ("user", f"in {name}")) for name in ("a", "b", "c")]
    async with workbench(None, *paths) as bench:
        await bench.press("right_square_bracket")
        await bench.see("in b", "2/3")
        await bench.press("e")
        await bench.type("!")
        await bench.press("escape", "X")
        await bench.see("in c", "2/2", "“b” is saved and closed. L opens it again.")
        assert bench.said(paths[1]) == [("user", "in b!")]
        await bench.press("X")
        await bench.see("in a")
        await bench.miss("2/2")
        await bench.press("X")
        await bench.see("Nothing is written yet.")
        assert len(bench.app.workbench.sessions) == 1
        for name in ("a", "c", "b!"):
            await bench.press("L")
            await bench.see(f"in {name}")
        assert [session.document.path.name for session in bench.app.workbench.sessions] == [
            "a.toml",
            "c.toml",
            "b.toml",
        ]
        await bench.press("L")
        await bench.see("Nothing was closed")


@in_loop
async def test_closing_while_an_answer_comes_asks_and_keeps_what_came(here: Path) -> None:
    path = put(here / "a.toml", *HELLO)
    async with workbench(None, path) as bench:
        bench.scripted.enqueue("Paris is", hold=threading.Event())
        await bench.press("r")
        await bench.see("Paris")
        await bench.press("X")
        await bench.see("Closing stops it")
        await bench.press("escape")
        await bench.see("esc stop")
        await bench.press("X")
        await bench.see("Closing stops it")
        await bench.press("X")
        await bench.see("Nothing is written yet.")
        await bench.saved(*HELLO, ("assistant", "Paris"), path=path)


@in_loop
async def test_what_cant_be_saved_is_closed_only_if_the_person_says_so(here: Path) -> None:
    path = put(here / "sub" / "a.toml", ("user", "in a"))
    async with workbench(None, path) as bench:
        path.unlink()
        path.parent.rmdir()
        await bench.see("its file is gone")
        await bench.press("X")
        await bench.see("Not everything could be saved:")
        await bench.press("escape")
        await bench.see("in a")
        await bench.press("X")
        await bench.see("Not everything could be saved:")
        await bench.press("X")
        await bench.see("Nothing is written yet.")


@in_loop
async def test_a_draft_that_is_closed_stays_one(home: Path) -> None:
    async with workbench(talk(*HELLO)) as bench:
        await bench.press("M", "X")
        await bench.see("“Be brief.” is closed, and stays among the drafts", "Nothing is written yet.")
        await bench.see("go on with: Be brief.")
        [draft] = (home / "data" / "untitled").glob("*.toml")
        await bench.press("L")
        await bench.see("Capital of France?", "draft · w names it")
        assert bench.session.document.path == draft


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("size", [WIDE, NARROW])
def test_an_empty_page_offers_what_was_open_before(here: Path, size: tuple[int, int], language: str) -> None:
    paths = [put(here / f"{name}.toml", ("user", f"in {name}"), title=f"The {name} 春") for name in ("a", "b")]

    @in_loop
    async def drive() -> None:
        async with workbench(None, *paths) as bench:
            await noted(bench, *paths)
        words.choose(language)
        async with workbench(talk(), size=size) as bench:
            await bench.see("go on with: " if language == "en" else "接着上次：", "The a 春", "The b 春")
            await bench.press("L")
            await bench.see("in a", "1/2")
            await bench.press("right_square_bracket")
            await bench.see("in b", "2/2")

    drive()


@in_loop
async def test_drafts_of_earlier_runs_are_offered_and_counted(home: Path) -> None:
    drafts = home / "data" / "untitled"
    put(drafts / "20260101-000000.toml", ("user", "about tea"))
    put(drafts / "20260102-000000.toml", ("user", "about cups"))
    put(drafts / "20260103-000000.toml")
    async with workbench(talk()) as bench:
        await bench.see("go on with: about cups", "1 more draft without")
        await bench.press("L")
        await bench.see("about cups", "draft · w names it")


@in_loop
async def test_an_empty_start_leaves_alone_what_was_open_before(here: Path) -> None:
    path = put(here / "a.toml", ("user", "in a"))
    async with workbench(None, path) as bench:
        await noted(bench, path)
    async with workbench(talk()) as bench:
        await bench.see("go on with: ")
        await bench.press("q")
        await bench.until(lambda: not bench.app.is_running)
    assert open_before.known() == [path]
    path.unlink()
    async with workbench(talk()) as bench:
        await bench.see("Nothing is written yet.")
        await bench.press("L")
        await bench.see("Nothing was closed")


@in_loop
async def test_answers_in_other_conversations_are_told(here: Path) -> None:
    path, other = put(here / "a.toml", *HELLO), put(here / "b.toml", ("user", "in b"))
    async with workbench(None, path, other, size=NARROW) as bench:
        bench.scripted.enqueue("Paris.", hold=(hold := threading.Event()))
        await bench.press("r")
        await bench.see("esc stop")
        await bench.press("right_square_bracket")
        await bench.see("in b", "2/2", "1 answering elsewhere")
        hold.set()
        await bench.see("“a”: the answer is there.")
        await bench.miss("1 answering elsewhere")
        await bench.saved(*HELLO, ("assistant", "Paris."), path=path)


def test_what_was_open_may_be_anything_by_now(tmp_path: Path) -> None:
    """Large, or a pipe that nobody writes to: neither is waited for."""
    large, pipe = tmp_path / "large.toml", tmp_path / "pipe.toml"
    large.write_bytes(dumps(talk(("user", "Hi."), title="A large one")))
    with large.open("r+b") as file:
        file.truncate(200_000_000)
    os.mkfifo(pipe)
    tracemalloc.start()
    try:
        before = open_before.look([pipe, large])
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert before.offer is not None
    assert before.offer.names == ("A large one",)
    assert peak < 10_000_000
