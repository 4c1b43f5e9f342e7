"""Jump mode: letters on what is in sight, and the key that goes there."""

from pathlib import Path

import pytest

from ..driving import HELLO, NARROW, WIDE, Bench, in_loop, talk, workbench

MANY = tuple((role, f"{role} {i}") for i in range(30) for role in ("user", "assistant"))


def letter_of(bench: Bench, text: str) -> str:
    """The letter beside the heading above this text."""
    lines = bench.lines()
    at = next(i for i, line in enumerate(lines) if text in line)
    heading = lines[at - 1]
    return heading[: heading.index("▌" if "▌" in heading else "█")].split()[-1]


@in_loop
async def test_a_letter_goes_to_the_message_that_has_it(path: Path) -> None:
    async with workbench(talk(*MANY), path) as bench:
        shown = 26
        await bench.see(f"user {shown}")
        await bench.press("apostrophe")
        await bench.see("a-z go to that message", "esc back")
        letter = letter_of(bench, f"user {shown}")
        await bench.press(letter)
        await bench.until(lambda: bench.session.message and bench.session.message.said == f"user {shown}")
        await bench.miss("a-z go to")
        assert bench.app.focused is bench.app.workbench.transcript


@pytest.mark.parametrize("key", ["escape", "q", "apostrophe", "Z", "1"])
@in_loop
async def test_any_other_key_leaves_and_does_nothing(path: Path, key: str) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        await bench.see("saved", "r run")

        # What the machine and the models show goes its own way.
        def middle() -> list[str]:
            return [line[29:90].rstrip() for line in bench.lines()]

        before = middle()
        await bench.press("apostrophe")
        await bench.see("a-z go to")
        assert letter_of(bench, "Be brief.") == "a"
        assert letter_of(bench, "Capital of") == "d"
        await bench.press(key)
        await bench.until(lambda: middle() == before, "the same screen as before")
        assert bench.session.index == 1


@pytest.mark.parametrize("size", [WIDE, NARROW])
@in_loop
async def test_all_that_a_letter_goes_to_is_told_whatever_the_machine_does(path: Path, size: tuple[int, int]) -> None:
    async with workbench(talk(*HELLO * 20), path, size=size) as bench:
        if size == NARROW:
            await bench.see("CPU ")
        await bench.press("apostrophe")
        await bench.see("a-z go to that message  m models  s sampling  S sensors  O open  esc back")


@pytest.mark.parametrize("size", [WIDE, NARROW])
@pytest.mark.parametrize(("letter", "focused"), [("m", "model-rows"), ("s", "sampling-rows"), ("S", "sampling-rows")])
@in_loop
async def test_panes_have_the_letters_of_their_keys(
    path: Path, size: tuple[int, int], letter: str, focused: str
) -> None:
    async with workbench(talk(*HELLO), path, size=size) as bench:
        await bench.press("apostrophe")
        await bench.see("m models", "s sampling", "S sensors", "O open")
        await bench.press(letter)
        await bench.until(lambda: bench.app.focused and bench.app.focused.id == focused)
        await bench.press("apostrophe")
        await bench.see("a-z go to")
        await bench.press("a")
        await bench.until(lambda: bench.app.focused is bench.app.workbench.transcript)
        assert bench.session.index == 0
        if size == NARROW:
            assert "temperature" not in bench.text()


@in_loop
async def test_the_library_opens_and_full_width_letters_count(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        await bench.press("apostrophe", "ａ")
        await bench.until(lambda: bench.session.index == 0)
        await bench.press("apostrophe", "O")
        await bench.until(lambda: type(bench.app.screen).__name__ == "LibraryScreen")


@in_loop
async def test_a_paste_while_letters_are_shown_is_pasted(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        await bench.press("apostrophe")
        await bench.paste("d")
        await bench.miss("a-z go to")
        await bench.until(lambda: bench.app.workbench.editor is not None)
        await bench.press("escape")
        await bench.saved(*HELLO, ("user", "d"))


@in_loop
async def test_in_an_editor_it_is_an_apostrophe(path: Path) -> None:
    async with workbench(talk(*HELLO), path) as bench:
        await bench.press("e", "apostrophe", "a", "escape")
        await bench.saved(HELLO[0], ("user", "Capital of France?'a"))


@in_loop
async def test_more_messages_than_letters_leave_the_last_without(path: Path) -> None:
    async with workbench(talk(*MANY), path, size=(120, 200)) as bench:
        await bench.press("apostrophe")
        assert letter_of(bench, "user 0") == "a"
        assert letter_of(bench, "assistant 23") == "M"
        await bench.press("M")
        await bench.until(lambda: bench.session.index == 47)
