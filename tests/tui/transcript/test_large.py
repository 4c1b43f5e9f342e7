"""Long messages and drafts: what a key looks at doesn't grow with them, and nobody sees that it doesn't."""

import random
from itertools import pairwise
from pathlib import Path

import pytest
from textual.widgets.text_area import Selection

from qiao.tui.dialogs.find import Find
from qiao.tui.transcript import folds
from qiao.tui.transcript.blocks import Item, lines
from qiao.tui.transcript.breaks import breaks
from qiao.tui.transcript.long_lines import LARGE
from qiao.tui.transcript.long_text import Stretch
from qiao.tui.transcript.parts import LONG, PART, parts_of
from qiao.workbench.conversation import Message, Take

from ..driving import in_loop, talk, workbench
from ..screens.palettes import burst
from .test_long_lines import Both, cells, line_of

ROWS = 8_000
DRAFT = "\n".join(
    f"{number} 推敲 weighing every word, once more and then again, is slow work." for number in range(ROWS)
)


@in_loop
async def test_keys_in_a_long_draft_look_at_what_is_near(tmp_path: Path) -> None:
    async with workbench(talk(("user", DRAFT)), tmp_path / "long.toml") as bench:
        await bench.press("e")
        await bench.see(f"{ROWS - 1} 推敲")
        editor = bench.app.workbench.editor
        assert editor is not None
        assert editor.long_lines.looked_at < 500
        for key in (
            "z",
            "enter",
            "q",
            "backspace",
            "up",
            "pageup",
            "pageup",
            "pagedown",
            "left",
            "home",
            "x",
            "ctrl+z",
        ):
            before = editor.long_lines.looked_at
            await bench.press(key)
            assert editor.long_lines.looked_at - before < 300, key
        for row in (0, ROWS // 2):
            before = editor.long_lines.looked_at
            editor.move_cursor((row, 0))
            await bench.type("here:")
            await bench.see(f"here:{row} 推敲")
            assert editor.long_lines.looked_at - before < 500
        await bench.press("escape")
        await bench.until(lambda: f"here:{ROWS // 2} 推敲" in bench.said()[0][1])
        assert bench.said()[0][1].count("here:") == 2


@in_loop
async def test_the_caret_stays_in_sight_when_the_terminal_changes_its_size(tmp_path: Path) -> None:
    async with workbench(talk(("user", DRAFT)), tmp_path / "long.toml") as bench:
        await bench.press("e")
        await bench.see(f"{ROWS - 1} 推敲")
        editor = bench.app.workbench.editor
        assert editor is not None
        for row, size in ((ROWS // 3, (90, 30)), (ROWS // 3, (130, 44)), (5, (80, 24))):
            editor.move_cursor((row, 2))
            await bench.pilot.resize_terminal(*size)
            await bench.see(f"{row} 推敲")
            await bench.until(lambda: 0 <= editor._cursor_offset[1] - editor.scroll_offset.y < editor.size.height)


@pytest.mark.usefixtures("textual_breaks_as_the_page_does")
@pytest.mark.parametrize("seed", range(3))
@in_loop
async def test_a_draft_that_is_wrapped_as_it_comes_into_sight_looks_like_one_wrapped_at_once(seed: int) -> None:
    chance = random.Random(seed)
    rows: list[str] = []
    while sum(map(len, rows)) < LARGE + 5_000:
        rows.append(line_of(chance, chance.choice([0, 5, 60, 400, 3_000])))
    app = Both("\n".join(rows))
    theirs, ours = app.areas
    async with app.run_test(size=(60, 30)) as pilot:
        for step in range(12):
            row = chance.randrange(theirs.document.line_count)
            place = row, chance.randint(0, len(theirs.document.get_line(row)))
            keys = chance.choices(["pageup", "pagedown", "up", "down", "end", "home", "w", "enter", "backspace"], k=3)
            for area in app.areas:
                area.focus()
                await pilot.pause()
                if step % 3 == 0:
                    area.move_cursor(place, center=True)
                await pilot.press(*keys)
                await pilot.pause()
            assert ours.text == theirs.text
            assert ours.selection == theirs.selection
            looks = []
            for area in app.areas:
                area.focus()
                await pilot.pause()
                looks.append([cells(area.render_line(y)) for y in range(area.size.height)])
            assert looks[0] == looks[1]
            ours.selection = theirs.selection = Selection.cursor(ours.selection.end)


@pytest.mark.parametrize("feeds", [True, False])
def test_the_parts_of_a_message_say_what_it_says(feeds: bool) -> None:
    chance = random.Random(1)
    pieces = [line_of(chance, 400) for _ in range(5 * LONG // 400)]
    text = ("\n" if feeds else " ").join(pieces)
    message = Message(role="user", text=text)
    parts = parts_of(message)
    assert parts is not None
    assert len(parts) > 4
    assert all(part.end - part.begin <= 2 * PART for part in parts)
    assert [part.is_last for part in parts] == [False] * (len(parts) - 1) + [True]
    assert {b.begin - a.end for a, b in pairwise(parts)} == {int(feeds)}
    if feeds:
        laid = [line for part in parts for line in lines(Item(message), 60, {}, part)]
        assert laid == lines(Item(message), 60, {})
    assert parts_of(Message(role="user", text=text[: LONG - 1])) is None


def test_a_long_line_is_not_cut_within_a_variable() -> None:
    message = Message(role="user", text="x" * (2 * PART - 5) + "{{ a_name }}" + "y" * LONG)
    parts = parts_of(message)
    assert parts is not None
    assert message.text[parts[1].begin :].startswith("{{ a_name }}")


@pytest.mark.parametrize("role", ["user", "assistant"])
@in_loop
async def test_of_a_long_message_the_parts_in_sight_are_laid_out(tmp_path: Path, role: str) -> None:
    message = Message(role="user", text=DRAFT)
    if role == "assistant":
        message = Message(role="assistant", takes=(Take(text=DRAFT, thinking="hm", finish="stop"),), chosen=1)
    conversation = talk(("user", "first")).inserted(1, message)
    async with workbench(conversation, tmp_path / "long.toml") as bench:
        await bench.see(f"{ROWS - 1} 推敲")
        flow = bench.app.workbench.transcript._flow
        assert len(flow._cache) < 6
        for key in ("k", "j", "pageup", "pagedown"):
            before = len(flow._cache)
            await bench.press(key)
            assert len(flow._cache) - before < 4
        await bench.press("g", "j")
        await bench.see("0 推敲 weighing")
        shown = ""
        for _ in range(12):
            shown += bench.text()
            await bench.press("pagedown")
        # Nothing is left out where one part ends and the next begins.
        assert all(f"{number} 推敲" in shown for number in range(200))


@pytest.mark.parametrize("count", [3, 60])
@in_loop
async def test_what_is_typed_is_in_sight_when_it_moves_to_another_line(count: int, tmp_path: Path) -> None:
    text = "\n".join(f"line {number}" for number in range(count)) + " of a good many"
    async with workbench(talk(("user", text)), tmp_path / "t.toml") as bench:
        await bench.press("e")
        await bench.see("editing", "of a good many")
        await bench.type(" ")
        for end in range(1, 60):
            letters = "".join(chr(ord("a") + number % 26) for number in range(end))
            await bench.type(letters[-1])
            await bench.see(letters[-6:])


@pytest.fixture
def wrapped(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many characters were wrapped for an editor, each time."""
    lengths: list[int] = []

    def counted(line: str, width: int, *, to_stops: bool) -> list[int]:
        lengths.append(len(line))
        return breaks(line, width, to_stops=to_stops)

    monkeypatch.setattr(folds, "breaks", counted)
    return lengths


SENTENCE = "weighing every word 推敲, once more and then again"


@pytest.mark.parametrize("feed", ["\n", " "])
@in_loop
async def test_of_ten_megabytes_an_editor_looks_at_what_is_near(tmp_path: Path, wrapped: list[int], feed: str) -> None:
    text = f"begin {feed.join([SENTENCE] * (10_000_000 // 50))} end"
    async with workbench(talk(("user", "first"), ("user", text)), tmp_path / "huge.toml") as bench:
        await bench.see("again end")
        stretches: list[Stretch] = []
        for key, much in (
            *(("e", 100_000), ("z", 50_000), ("pageup", 100_000), ("up", 30_000), ("left", 30_000), ("end", 30_000)),
            *(("enter", 100_000), ("backspace", 100_000), ("ctrl+home", 100_000), ("q", 50_000), ("down", 30_000)),
            *(("ctrl+z", 100_000), ("ctrl+end", 100_000), ("x", 50_000), ("pagedown", 100_000), ("escape", 0)),
        ):
            wrapped.clear()
            await bench.press(key)
            if key == "e":
                editor = bench.app.workbench.editor
                assert editor is not None
                stretches = editor.long_document.rows.stretches
            assert sum(wrapped) <= much, key
            assert sum(stretch.folds is not None for stretch in stretches) <= 12, key
        assert bench.session.conversation.messages[1].text.startswith("begin weighing")


@in_loop
async def test_a_paste_of_a_megabyte_and_its_undo_look_at_what_is_near(tmp_path: Path, wrapped: list[int]) -> None:
    async with workbench(talk(("user", "short")), tmp_path / "huge.toml") as bench:
        await bench.press("e")
        await bench.until(lambda: bench.app.workbench.editor is not None)
        editor = bench.app.workbench.editor
        assert editor is not None
        for feed in ("\n", " "):
            wrapped.clear()
            await bench.paste(feed.join([SENTENCE] * 20_000))
            await bench.see("then again")
            await bench.press("z", "ctrl+z", "ctrl+z")
            await bench.until(lambda: editor.text == "short")
            await bench.press("ctrl+y")
            await bench.see("then again")
            await bench.press("ctrl+z")
            await bench.until(lambda: editor.text == "short")
            assert sum(wrapped) <= 500_000


@in_loop
async def test_a_letter_to_find_is_looked_for_between_keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = f"{SENTENCE}\n" * (10_000_000 // 50) + "the end"
    looks: list[str] = []
    look = Find._look

    def counted(self: Find) -> None:
        looks.append(self.typed)
        look(self)

    monkeypatch.setattr(Find, "_look", counted)
    async with workbench(talk(("user", text)), tmp_path / "huge.toml") as bench:
        await bench.press("slash")
        await bench.type("the en")
        await bench.see("1 found")
        # Ten megabytes in pieces of half a one; what was looked for before is let go of.
        assert looks.count("the en") >= 15
        await bench.press("enter")
        await bench.see("the end")


@in_loop
async def test_an_enter_that_comes_before_the_place_is_found_waits_for_it(tmp_path: Path) -> None:
    text = f"{SENTENCE}\n" * (10_000_000 // 50) + "the end"
    messages = ("user", text), ("assistant", "Yes."), ("user", "No.")
    async with workbench(talk(*messages), tmp_path / "huge.toml") as bench:
        burst(bench, "/the end\rM")
        await bench.until(lambda: [m.muted for m in bench.session.messages] == [True, False, False])
        # Nothing to go to: the next letter is for the line again.
        burst(bench, "/the ends\r here")
        await bench.see("the ends here")
