"""Lines are broken by terminal cells: nothing lost, nothing too wide, Chinese punctuation where it belongs."""

import gc
import time
from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len, get_character_cell_size

from qiao.tui.text.wrap import (
    NOT_FIRST,
    NOT_LAST,
    Line,
    Run,
    break_offsets,
    divide,
    line_width,
    truncate,
    wrap,
    wrap_text,
)
from qiao.workbench.visible import visible

FULL_WIDTH = "、。，．：；？！）》」』】〕〉〗"
PIECES = [
    *"ab yz -%(),.:[]{}'",
    *"你好世界的一",
    *FULL_WIDTH,
    *"（《「『【“”‘’…—",
    "é",
    "e\u0301",
    "😀",
    "한",
    "ｶ",
    "  ",
]

texts = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)
any_text = (
    st.text(st.characters(exclude_categories=["Cs"]), max_size=80).map(visible).map(lambda t: t.replace("\n", ""))
)
widths = st.integers(2, 24)


def text_of(line: Line) -> str:
    return "".join(run.text for run in line)


def parts(text: str, width: int) -> list[str]:
    """The text cut where it is to be broken, blanks and all."""
    offsets = [0, *break_offsets(text, width), len(text)]
    return [text[a:b] for a, b in pairwise(offsets)]


@settings(max_examples=400)
@given(texts | any_text, st.integers(-1, 24))
def test_no_line_is_wider_than_the_width(text: str, width: int) -> None:
    assert all(line_width(line) <= max(width, 2) for line in wrap((Run(text),), width))


@settings(max_examples=400)
@given(texts | any_text, widths)
def test_nothing_is_lost_but_blanks_that_hang_over_the_edge(text: str, width: int) -> None:
    broken = parts(text, width)
    assert "".join(broken) == text
    assert all(broken) or not text
    lines = wrap((Run(text),), width)
    for part, line in zip(broken, lines, strict=True):
        kept = text_of(line)
        assert kept == part if cell_len(part) <= width else kept == part.rstrip(" ")


@settings(max_examples=400)
@given(texts, widths)
def test_a_mark_stands_wrongly_only_where_there_is_no_other_way(text: str, width: int) -> None:
    def wrong(cut: int) -> bool:
        return text[cut] in NOT_FIRST or text[cut - 1] in NOT_LAST or not get_character_cell_size(text[cut])

    for start, cut in pairwise([0, *break_offsets(text, width)]):
        if wrong(cut) and text[cut - 1] != " ":
            assert all(wrong(other) or text[other] == " " for other in range(start + 1, cut + 1))


@settings(max_examples=400)
@given(
    st.lists(st.sampled_from(["a", "be", "see,", "(deep)", "eight's!", "ninety-9"]), max_size=40), st.integers(8, 30)
)
def test_english_words_are_kept_whole(words: list[str], width: int) -> None:
    lines = wrap((Run(" ".join(words)),), width)
    assert [word for line in lines for word in text_of(line).split()] == words
    for line, following in pairwise(lines):
        first = text_of(following).split()[0]
        assert len(text_of(line).rstrip()) + 1 + len(first) > width, "the line had room for it"


@settings(max_examples=400)
@given(st.lists(st.tuples(texts, st.sampled_from(["text", "code", "muted em"])), max_size=8), widths)
def test_runs_keep_their_inks(pairs: list[tuple[str, str]], width: int) -> None:
    def inked(runs: Sequence[Run]) -> list[tuple[str, str]]:
        return [(char, run.ink) for run in runs for char in run.text]

    runs = [Run(*pair) for pair in pairs]
    text = "".join(run.text for run in runs)
    whole = divide(runs, break_offsets(text, width))
    assert inked([run for line in whole for run in line]) == inked(runs)
    lines = wrap(runs, width)
    assert all(line_width(line) <= width for line in lines)
    for line, full in zip(lines, whole, strict=True):
        kept = inked(line)
        assert kept == inked(full)[: len(kept)]
        assert all(char == " " for char, _ink in inked(full)[len(kept) :])


@pytest.mark.parametrize("mark", FULL_WIDTH + "…—”")
def test_a_mark_that_overflows_takes_the_character_before_it_along(mark: str) -> None:
    assert parts(f"春眠不觉{mark}处处", 8) == ["春眠不", f"觉{mark}处处"]


@pytest.mark.parametrize("mark", "（《「『【“‘")
def test_an_opening_mark_goes_along_to_the_next_line(mark: str) -> None:
    width = 6 + cell_len(mark)
    assert parts(f"处处闻{mark}啼鸟", width) == ["处处闻", f"{mark}啼鸟"]


def test_several_marks_in_a_row_stay_with_the_character_before_them() -> None:
    assert parts("他说：“好的。”然后走了", 12) == ["他说：“好", "的。”然后走", "了"]


def test_a_mark_after_a_word_that_fills_the_line_takes_a_letter_along() -> None:
    assert parts("abcdefgh。ok", 8) == ["abcdefg", "h。ok"]


@pytest.mark.parametrize("marks", ["，" * 1000, "（" * 1000, "！？" * 500, ")" * 1000])
def test_a_long_run_of_marks_ends_all_the_same(marks: str) -> None:
    lines = wrap((Run(marks),), 20)
    assert "".join(map(text_of, lines)) == marks
    assert all(line_width(line) == 20 for line in lines[:-1])


def test_a_word_longer_than_the_line_is_cut() -> None:
    assert parts("a " + "x" * 10, 4) == ["a ", "xxxx", "xxxx", "xx"]


def test_a_combining_mark_stays_on_its_character() -> None:
    assert parts("你e\u0301好e\u0301", 2) == ["你", "e\u0301", "好", "e\u0301"]


def test_blanks_at_a_break_are_not_painted_and_others_are() -> None:
    assert [text_of(line) for line in wrap((Run("ab    cd  "),), 4)] == ["ab", "cd  "]
    several = wrap((Run("abcd"), Run(" ", "code"), Run(" ", "em"), Run("x")), 4)
    assert several == [(Run("abcd"),), (Run("x"),)]
    assert wrap((Run("ab  "), Run("")), 2) == [(Run("ab"),)]


def test_nothing_is_one_empty_line() -> None:
    assert wrap((), 10) == [()]
    assert [text_of(line) for line in wrap_text("", 10)] == [""]


def test_line_feeds_part_lines() -> None:
    assert [text_of(line) for line in wrap_text("one\n\ntwo three\n", 5)] == ["one", "", "two ", "three", ""]


@pytest.mark.parametrize(
    "sentence",
    ["The quick brown fox (it never tires) jumps. ", "人工智能研究“思考”，它包括学习（以及更多）；", "，", "a,"],
)
def test_wrapping_takes_time_in_proportion_to_the_text(sentence: str) -> None:
    def seconds(length: int) -> float:
        text = (sentence * length)[:length]
        best = float("inf")
        for _ in range(3):
            begun = time.process_time()
            wrap((Run(text),), 60)
            best = min(best, time.process_time() - begun)
        return best

    assert seconds(80_000) < 30 * max(seconds(8_000), 0.0005), "ten times the text, some ten times the time"


@given(texts | any_text, st.integers(-2, 30))
def test_a_cut_text_fits_and_ends_in_an_ellipsis(text: str, width: int) -> None:
    shown = truncate(text, width)
    assert cell_len(shown) <= max(width, 0)
    if cell_len(text) <= width:
        assert shown == text
    elif width > 0:
        assert shown.endswith("…")
        assert text.startswith(shown[:-1])


@pytest.mark.parametrize("piece", ["word ", "词语，", "a 词"])
def test_a_megabyte_in_one_line_costs_in_step_with_its_length(piece: str) -> None:
    """Cut off at each break, or measured from the beginning, ten times the text would take a hundred times as long."""

    def seconds(length: int) -> float:
        text = piece * (length // len(piece))
        # Whatever else the process holds would be looked through, more often for the longer text.
        gc.disable()
        begun = time.process_time()
        lines = wrap((Run(text),), 60)
        took = time.process_time() - begun
        gc.enable()
        assert sum(len(run.text) for line in lines for run in line) >= len(text) - len(lines)
        return took

    short = min(seconds(50_000) for _ in range(5))
    assert min(seconds(1_000_000) for _ in range(3)) < 20 * 4 * short
