"""Tables and wrapped help with Chinese in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qiao.cli.cells import padded, table, width, wrapped


@pytest.mark.parametrize(
    ("text", "cells"),
    [("", 0), ("abc", 3), ("推敲", 4), ("Qwen 通义", 9), ("é", 1), ("e\u0301", 1), ("，", 2), ("“x”", 3), ("😀", 2)],
)
def test_width_counts_cells(text: str, cells: int) -> None:
    assert width(text) == cells


def test_columns_line_up_under_wide_headings() -> None:
    said = table([["地址", "大小"], ["local:x", "1 GB"], ["local:推敲", "98 MB"]], right=[False, True])
    assert said == "地址         大小\nlocal:x      1 GB\nlocal:推敲  98 MB\n"


def test_no_line_ends_in_blanks() -> None:
    assert table([["a", "b"], ["ccc", ""]], right=[False, False]) == "a    b\nccc\n"


def test_padding_to_less_than_the_width_leaves_the_text() -> None:
    assert padded("推敲", 3) == "推敲"


@given(st.text(alphabet="ab 推敲，。（”", max_size=60), st.integers(6, 30))
def test_wrapping_loses_only_blanks_and_keeps_to_the_width(text: str, cells: int) -> None:
    lines = wrapped(text, cells)
    assert "".join(lines).replace(" ", "") == text.replace(" ", "")
    for line in lines:
        # A single stretch that can't be broken may be longer than a line.
        assert width(line) <= cells or not any(mark in line.strip() for mark in " ")


def test_chinese_is_wrapped_without_blanks_and_marks_stay_with_their_words() -> None:
    assert wrapped("在工作台里打开的对话，尚不存在的会新建", 20) == ["在工作台里打开的对", "话，尚不存在的会新建"]
    assert wrapped("a word and another one", 10) == ["a word and", "another", "one"]
