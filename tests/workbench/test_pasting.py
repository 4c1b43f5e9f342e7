"""What is taken for messages when it is pasted, and what stays text."""

import csv
import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qiao.workbench.pasting import MARKS, pasted


def said(text: str) -> list[tuple[str, str]] | None:
    found = pasted(text)
    return None if found is None else [(message.role, message.text) for message in found.messages]


def in_turn(*texts: str) -> list[tuple[str, str]]:
    return [(("user", "assistant")[i % 2], text) for i, text in enumerate(texts)]


CELLS = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r\x00")).filter(str.strip)


@given(st.lists(st.tuples(CELLS, CELLS), min_size=2))
def test_two_columns_come_back_as_a_spreadsheet_wrote_them(rows: list[tuple[str, str]]) -> None:
    out = io.StringIO()
    csv.writer(out, "excel-tab", lineterminator="\n").writerows(rows)
    if out.getvalue().lstrip().startswith(("{", "[")):
        return
    assert said(out.getvalue()) == in_turn(*(cell for row in rows for cell in row))


def test_a_cell_may_hold_lines_tabs_and_quotes() -> None:
    assert said('"two\nlines"\tone\n"a\ttab"\t"said ""so"""') == in_turn("two\nlines", "one", "a\ttab", 'said "so"')


@pytest.mark.parametrize(
    "text",
    [
        "one\ttwo",
        "a\tb\nc",
        "a\tb\nc\td\te",
        "a\tb\n\nc\td",
        "\tif it:\n\t\tgo()",
        "\tfirst\n\tsecond",
        "all:\tone\n\techo",
        '"never closed\tb\nc\td',
        '"a" b\tc\nd\te',
        "no tab\nat all",
    ],
)
def test_what_isnt_surely_two_columns_stays_text(text: str) -> None:
    assert said(text) is None


WORDS = st.text("abc 敲 ?。", min_size=1).filter(str.strip)


@given(st.sampled_from(MARKS), st.lists(WORDS, min_size=2), st.sampled_from(":："), st.sampled_from(["\n", "\n\n"]))
def test_marks_in_turn_are_pairs(marks: tuple[str, str], texts: list[str], colon: str, gap: str) -> None:
    text = gap.join(f"{marks[i % 2]}{colon} {each}" for i, each in enumerate(texts))
    assert said(text) == in_turn(*(each.strip() for each in texts))


@pytest.mark.parametrize(
    ("text", "texts"),
    [
        ("Q: one\nA: two\n\nmore of two\nQ: three\nA: four\n", ("one", "two\n\nmore of two", "three", "four")),
        ("\nQ: one\nA: two\nQ: three\nA:", ("one", "two", "three")),
        ("Q: Input: a\nInput: b\nA: c", ("Input: a\nInput: b", "c")),
        ("问：首都？\n答：巴黎。", ("首都？", "巴黎。")),
        ("User : one\nAssistant :two", ("one", "two")),
    ],
)
def test_a_block_goes_on_to_the_next_mark(text: str, texts: tuple[str, ...]) -> None:
    assert said(text) == in_turn(*texts)


@pytest.mark.parametrize(
    "text",
    [
        "Q: only a question",
        "Q: one\nA:",
        "A: two\nQ: one",
        "Q: one\nQ: two\nA: three",
        "Q: one\nA: two\nA: three",
        "Q: one\nA:\nQ: three\nA: four",
        "Answer these.\nQ: one\nA: two",
        "Quick: one\nAny: two",
        "  Q: one\n  A: two",
        "Q one\nA two",
        "",
    ],
)
def test_what_isnt_surely_pairs_stays_text(text: str) -> None:
    assert said(text) is None


def test_json_of_messages_goes_before_all_else() -> None:
    assert said('[{"role": "user", "content": "Q: a"}]') == [("user", "Q: a")]
    assert said('{"this": "is nothing known"}') is None


def test_a_long_text_costs_little() -> None:
    assert said("Q: word\n" * 100_000) is None
    assert said("a\tb\n" * 100_000) is not None
