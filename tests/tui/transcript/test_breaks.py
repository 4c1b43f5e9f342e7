"""An editor breaks lines where the page does: the text stands still when one opens, and the caret is in sight."""

import random
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len
from textual._wrap import compute_wrap_offsets
from textual.expand_tabs import get_tab_widths
from textual.geometry import Offset

from qiao.tui.text.wrap import NOT_FIRST, break_offsets
from qiao.tui.transcript.breaks import breaks
from qiao.tui.transcript.editor import MessageEditor
from qiao.tui.transcript.long_lines import LongLines, Place
from qiao.tui.transcript.long_text import LongDocument
from qiao.tui.transcript.parts import LONG as PIECE
from qiao.workbench.visible import visible_in_editor

from ..driving import Bench, in_loop, talk, workbench
from ..text.test_wrap import any_text, texts, widths

FAMILY = "\U0001f469\u200d\U0001f469\u200d\U0001f467"
HEART = "\u2764\ufe0f"
WORDS = ["a", "word", "，", "敲", "僧推月下门", "  ", " ", "😀", "e\u0301", "字" * 40, "x" * 70, "(", ").", "“", "…"]
SPECIAL = [*WORDS, "\t", FAMILY, HEART]

LONG = 8_000

ROW = "Row 26 这是第26行，很长很长的一行中文，用来看换行在哪里发生，会不会跳动（括号也算）；“引号”也在。"


def sections(line: str, width: int) -> list[str]:
    return [line[a:b] for a, b in pairwise([0, *breaks(line, width), len(line)])]


@settings(max_examples=400)
@given(texts | any_text, st.integers(-1, 24))
def test_a_line_breaks_where_the_page_breaks_it(text: str, width: int) -> None:
    assert breaks(text, width) == break_offsets(text, width)


@pytest.mark.parametrize("seed", range(20))
def test_so_does_a_long_line(seed: int) -> None:
    chance = random.Random(seed)
    words = chance.choices(WORDS, k=5) if seed % 2 else WORDS
    line = "".join(chance.choices(words, k=4_096)) + "字" * LONG
    width = chance.choice([2, 10, 33, 100])
    assert breaks(line, width) == break_offsets(line, width)


@pytest.mark.parametrize("mark", [" ", "\u0301", ",", "（"])
def test_so_does_a_line_that_a_single_stretch_fills(mark: str) -> None:
    line = f"one{mark * 3 * LONG}two 三"
    assert breaks(line, 40) == break_offsets(line, 40)


@settings(max_examples=200)
@given(st.lists(st.text("abc,.", min_size=1, max_size=8), max_size=40), st.integers(9, 30))
def test_words_break_where_textual_breaks_them(words: list[str], width: int) -> None:
    """But that the blank behind the last word of a line may hang over the edge."""
    line = "".join(f"{word} " for word in words)
    assert breaks(line, width) == compute_wrap_offsets(line, width + 1, 4)


@pytest.mark.parametrize("line", ["\tone two three", "x" * 4 + "\t" + "字" * 30, "\t\t\t\t\tdeep", "，\t" * LONG])
@pytest.mark.parametrize("to_stops", [True, False])
def test_a_tab_is_blanks(line: str, to_stops: bool) -> None:
    on_the_page = line.expandtabs(4) if to_stops and "，" not in line else line.replace("\t", "    ")
    to_stops = to_stops and "，" not in line
    offsets = [0, *break_offsets(on_the_page, 14), len(on_the_page)]
    cuts = breaks(line, 14, to_stops=to_stops)
    shown = [line[a:b].replace("\t", "").rstrip() for a, b in pairwise([0, *cuts, len(line)])]
    assert shown == [on_the_page[a:b].replace("    ", "").rstrip() for a, b in pairwise(offsets)]


@settings(max_examples=300)
@given(st.lists(st.sampled_from(SPECIAL), max_size=60), widths)
def test_nothing_is_wider_than_the_page_and_what_is_one_character_stays_whole(pieces: list[str], width: int) -> None:
    line = "".join(pieces)
    tabs = iter([cells for _, cells in get_tab_widths(line)])
    for part in sections(line, width):
        assert part or not line
        assert not part.startswith(("\u200d", "\ufe0f", "\u0301")) or line.startswith(part)
        assert not part.endswith("\u200d")
        cells = [" " * next(tabs) if char == "\t" else char for char in part]
        assert cell_len("".join(cells).rstrip(" ")) <= width


def some_text(chance: random.Random, count: int) -> str:
    return "".join(chance.choices([*SPECIAL, "\n", "\x1b"] if count < 10 else SPECIAL, k=count))


def edited_anywhere(chance: random.Random, document: LongDocument) -> None:
    rows = sorted(chance.randrange(document.line_count) for _ in range(2))
    rows[1] = min(rows[1], rows[0] + chance.choice([0, 1]))
    top, bottom = ((row, chance.randint(0, len(document[row]))) for row in rows)
    if top[0] == bottom[0] and chance.random() < 0.7:
        bottom = top[0], min(max(top[1], bottom[1]), top[1] + 3)
    before = document.text
    start, end = sorted(map(document.index, (top, bottom)))
    new = some_text(chance, chance.choice([0, 1, 1, 3, 600, LONG]))
    result = document.replace_range(top, bottom, new)
    assert document.text == before[:start] + new + before[end:]
    assert result.replaced_text == before[start:end]
    assert document.index(result.end_location) == start + len(new)


@pytest.mark.parametrize("seed", range(20))
def test_a_text_breaks_where_its_lines_would_after_any_edits(seed: int) -> None:
    """And a long line where each of its pieces would."""
    chance = random.Random(seed)
    document = LongDocument("\n".join(some_text(chance, chance.choice([0, 5, 500, LONG])) for _ in range(6)))
    wrapped = LongLines(document, 33)
    for _ in range(20):
        edited_anywhere(chance, document)
        for row in range(document.line_count):
            line, edges = document[row], pieces(wrapped, row)
            assert all(end - begin <= PIECE for begin, end in edges)
            assert len(edges) < 4 * len(line) / PIECE + 2
            expected: list[int] = []
            for begin, end in edges:
                cuts = breaks(visible_in_editor(line[begin:end]), 33, to_stops=len(edges) == 1)
                expected += [begin] * bool(begin) + [begin + cut for cut in cuts]
            assert wrapped.get_offsets(row) == expected


def pieces(wrapped: LongLines, row: int) -> list[tuple[int, int]]:
    """From where to where the pieces of a line go."""
    found: list[tuple[int, int]] = []
    while not found or found[-1][1] < len(wrapped.document[row]):
        folds = wrapped._folds(*wrapped.document.rows.find(row))
        found.append(folds.piece_of(found[-1][1] if found else 0)[:2])
    return found


@pytest.mark.parametrize("seed", range(20))
def test_what_was_looked_at_stays_where_it_is_whatever_else_is(seed: int) -> None:
    chance = random.Random(seed)
    counts = [0, 5, 500] if seed % 2 else [LONG, 4 * LONG]
    document = LongDocument("\n".join(some_text(chance, chance.choice(counts)) for _ in range(300 if seed % 2 else 5)))
    lines = LongLines(document, 33)
    for _ in range(30):
        if chance.random() < 0.5:
            edited_anywhere(chance, document)
        row = chance.randrange(document.line_count)
        location = row, chance.randint(0, len(document[row]))
        if chance.random() < 0.5:
            lines.look_around(location, 40)
        place = lines.at(*location)
        if chance.random() < 0.5:
            place = lines.place_at(chance.randrange(lines.height))
        for step in (lines.below, lines.above):
            at: Place | None = lines.at(place.row, place.begin)
            for _ in range(chance.randrange(50)):
                assert at is not None
                assert lines.place_at(at.y) == at == lines.at(at.row, at.begin)
                before, at = at, step(at)
                if at is None:
                    break
                # What is above may have turned out otherwise than was thought.
                before = lines.at(before.row, before.begin)
                assert at.y - before.y == (1 if step == lines.below else -1)
                first, second = (before, at) if step == lines.below else (at, before)
                if first.row == second.row:
                    assert first.end == second.begin
                else:
                    assert (second.begin, first.end, first.row) == (0, len(document[first.row]), second.row - 1)


def editor(bench: Bench) -> MessageEditor:
    found = bench.app.workbench.editor
    assert found is not None
    return found


@pytest.mark.parametrize("size", [(120, 40), (81, 24)])
@pytest.mark.parametrize(
    "text",
    [
        ROW,
        "字" * 300,
        "敲" * 36 + "，" + "推" * 50,
        "word " * 60,
        "x" * 72 + " y",
        "x" * 500,
        "e\u0301" * 200,
        ROW * 30,
    ],
)
@in_loop
async def test_the_text_stands_still_when_an_editor_opens(tmp_path: Path, text: str, size: tuple[int, int]) -> None:
    async with workbench(talk(("user", text)), tmp_path / "still.toml", size=size) as bench:
        offsets = break_offsets(text, bench.app.workbench.transcript.text_width)
        parts = [text[a:b].rstrip() for a, b in pairwise([0, *offsets, len(text)])]
        await bench.see(parts[-1])
        await bench.press("e")
        await bench.until(lambda: editor(bench).has_focus and editor(bench).size.height > 1)
        assert editor(bench).long_lines.get_offsets(0) == offsets
        shown = [editor(bench).render_line(y).text.rstrip() for y in range(editor(bench).size.height)]
        assert shown == parts[-len(shown) :]


@in_loop
async def test_the_caret_is_in_sight_behind_a_full_line_and_behind_blanks_that_hang_over_the_edge(
    tmp_path: Path,
) -> None:
    async with workbench(talk(("user", "one")), tmp_path / "caret.toml", size=(80, 24)) as bench:
        await bench.press("e")
        await bench.until(lambda: bench.app.workbench.editor is not None and editor(bench).has_focus)
        area = editor(bench)
        width = area.wrap_width
        assert width == bench.app.workbench.transcript.text_width
        await bench.press("backspace", "backspace", "backspace")

        def caret() -> int:
            line = [style for text, style, _ in area.render_line(0) for _ in text]
            found = [x for x, style in enumerate(line) if style is not None and style.reverse]
            assert len(found) == 1
            return found[0]

        await bench.type("x" * width)
        assert caret() == width == area._cursor_offset[0]
        for _ in range(3):
            await bench.press("space")
            assert caret() == width == area._cursor_offset[0]
            assert area.lines_wanted == 1
        await bench.type("y")
        assert area.long_lines.get_offsets(0) == [width + 3]
        assert area.lines_wanted == 2


@in_loop
async def test_the_caret_moves_over_screen_lines_and_never_into_a_character(tmp_path: Path) -> None:
    text = "推敲，" * 40 + "e\u0301" * 200
    async with workbench(talk(("user", text)), tmp_path / "moves.toml", size=(80, 24)) as bench:
        await bench.press("e")
        await bench.until(lambda: bench.app.workbench.editor is not None and editor(bench).size.height > 1)
        area = editor(bench)
        offsets = area.long_lines.get_offsets(0)
        assert all(text[cut] not in NOT_FIRST and text[cut] != "\u0301" for cut in offsets)
        area.move_cursor((0, 0))
        for number, cut in enumerate(offsets):
            await bench.press("end")
            column = area.cursor_location[1]
            assert column == cut - (2 if text[cut - 1] == "\u0301" else 1)
            assert area._cursor_offset[1] == number
            below = area.long_lines.offset_to_location(Offset(500, number))
            assert below == (0, column)
            await bench.press("home")
            assert area.cursor_location[1] == ([0, *offsets])[number]
            await bench.press("down")
            assert area.cursor_location[1] == cut
        await bench.press("up")
        assert area.cursor_location[1] == offsets[-2]
