"""Conversations that no file holds any more: another program broke, emptied or deleted it while they are open."""

from collections.abc import Callable
from pathlib import Path

import pytest

from qiao.tui.keeping import keeper
from qiao.workbench.conversation_file import dumps
from qiao.workbench.rescuing import rescue_folder

from ..driving import HELLO, Bench, in_loop, talk, workbench


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keeper, "SAVE_AFTER", 0.05)
    monkeypatch.setattr(keeper, "RETRY_AFTER", 0.1)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def broken(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"}\n")


def rescued() -> list[Path]:
    return list(rescue_folder().glob("*.toml"))


async def ended(bench: Bench) -> None:
    await bench.until(lambda: not bench.app.is_running, "the end")


@pytest.mark.parametrize("harm", [emptied, broken, Path.unlink])
@pytest.mark.parametrize("key", ["q", "X"])
def test_leaving_and_closing_ask_at_once(path: Path, harm: Callable[[Path], None], key: str) -> None:
    @in_loop
    async def drive() -> None:
        async with workbench(talk(*HELLO), path) as bench:
            harm(path)
            await bench.press(key)
            await bench.see("Not everything could be saved:", "lose it")
            await bench.press("escape")
            await bench.see("Capital of France?")

    drive()


@pytest.mark.parametrize("harm", [emptied, broken, Path.unlink])
def test_with_nobody_to_ask_it_is_kept_in_the_data_folder(path: Path, harm: Callable[[Path], None]) -> None:
    @in_loop
    async def drive() -> None:
        async with workbench(talk(*HELLO), path) as bench:
            harm(path)
            bench.app.leave(asking=False)
            await ended(bench)
        [kept] = rescued()
        assert bench.said(kept) == list(HELLO)

    drive()


@in_loop
async def test_what_was_emptied_is_kept_elsewhere_until_it_can_be_read_again(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        whole = path.read_bytes()
        emptied(path)
        await bench.until(rescued, "a copy")
        assert bench.said(rescued()[0]) == list(HELLO)
        assert bench.app.keeper.problem(bench.session.document)
        path.write_bytes(whole)
        await bench.until(lambda: not rescued(), "the copy to go")
        await bench.see("saved")
        await bench.press("q")
        await ended(bench)


@in_loop
async def test_saving_over_what_was_broken_asks_and_keeps_it_beside(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        broken(path)
        await bench.press("w")
        await bench.see("reading what it holds now.")
        await bench.press("m")
        await bench.saved(*HELLO)
        await bench.press("q")
        await ended(bench)
    assert path.with_name("talk.theirs-1.toml").read_bytes() == dumps(talk(*HELLO)) + b"}\n"
    assert not rescued()
