"""Sparklines, bars and short sizes: what they show, and that they keep their width."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from qiao.tui.text.bars import ASCII, Strokes, bar, bytes_short, sparkline

WIDE = Strokes()
K, M, G, T = (1024**power for power in (1, 2, 3, 4))

fractions = st.none() | st.floats(allow_nan=False)
widths = st.integers(min_value=-1, max_value=60)


@pytest.mark.parametrize(
    ("values", "width", "line"),
    [
        ([0, 12.5, 25, 37.5, 50, 62.5, 75, 100], 8, "▁▂▃▄▅▆▇█"),
        ([0, 0, 0], 3, "▁▁▁"),
        ([12.4], 1, "▁"),
        ([87.5], 1, "█"),
        ([50, 100], 5, "   ▅█"),  # It grows from the right end.
        ([0, 0, 0, 50, 100], 2, "▅█"),  # The newest are shown.
        ([100, None, 100], 3, "█ █"),
        ([-5, 250], 2, "▁█"),
        ([], 3, "   "),
        ([50], 0, ""),
    ],
)
def test_sparkline(values: list[float | None], width: int, line: str) -> None:
    assert sparkline(values, width, 100, WIDE) == line


def test_sparkline_of_no_range_is_blank() -> None:
    assert sparkline([1, 2], 3, 0, WIDE) == "   "


def test_sparkline_in_ascii() -> None:
    assert sparkline([0, 12.5, 25, 37.5, 50, 62.5, 75, 100], 8, 100, ASCII) == "_.:-=+*#"


@given(st.lists(st.none() | st.floats(0, 1e15)), widths, st.floats(1e-3, 1e15))
def test_a_sparkline_keeps_its_width(values: list[float | None], width: int, maximum: float) -> None:
    for strokes in (WIDE, ASCII):
        assert cell_len(sparkline(values, width, maximum, strokes)) == max(width, 0)


@pytest.mark.parametrize(
    ("fraction", "filled", "empty"),
    [
        (0.0, "", "━━━━"),
        (0.125, "╸", "━━━"),
        (0.25, "━", "━━━"),
        (0.5, "━━", "━━"),
        (0.6, "━━╸", "━"),
        (1.0, "━━━━", ""),
        (0.001, "╸", "━━━"),
        (0.999, "━━━╸", ""),
        (1.7, "━━━━", ""),
        (-1.0, "", "━━━━"),
        (None, "", "━━━━"),
    ],
)
def test_bar(fraction: float | None, filled: str, empty: str) -> None:
    assert bar(fraction, 4, WIDE) == (filled, empty)


def test_bar_in_ascii_is_told_apart_without_colour() -> None:
    assert bar(0.6, 4, ASCII) == ("==-", ".")


@given(fractions, widths)
def test_a_bar_keeps_its_width(fraction: float | None, width: int) -> None:
    for strokes in (WIDE, ASCII):
        assert cell_len("".join(bar(fraction, width, strokes))) == max(width, 0)


@pytest.mark.parametrize(
    ("size", "text"),
    [
        (0, "0.0M"),
        (98 * M, " 98M"),
        (135 * M, "135M"),
        (999 * M, "999M"),
        (1000 * M, "1.0G"),
        (1023 * M, "1.0G"),
        (G, "1.0G"),
        (int(7.6 * G), "7.6G"),
        (int(9.96 * G), " 10G"),
        (41 * G, " 41G"),
        (999 * G, "999G"),
        (1000 * G, "1.0T"),
        (1500 * T, "1500T"),
        (None, "   -"),
    ],
)
def test_sizes_in_four_cells(size: int | None, text: str) -> None:
    assert bytes_short(size) == text


@pytest.mark.parametrize(
    ("size", "text"),
    [(int(24.1 * G), "24.1G"), (int(135.4 * M), " 135M"), (int(16.8 * G), "16.8G"), (0, " 0.0M"), (None, "    -")],
)
def test_sizes_in_five_cells(size: int | None, text: str) -> None:
    assert bytes_short(size, 5) == text


@pytest.mark.parametrize(
    ("size", "least", "text"),
    [(400 * M, "G", "0.4G"), (0, "G", "0.0G"), (41 * G, "G", " 41G"), (500 * K, "K", "500K"), (500 * K, "M", "0.5M")],
)
def test_the_smallest_unit_to_use(size: int, least: str, text: str) -> None:
    assert bytes_short(size, least=least) == text


@given(st.integers(0, 999 * T), st.integers(4, 8), st.sampled_from("KMGT"))
def test_a_size_keeps_its_width(size: int, width: int, least: str) -> None:
    assert len(bytes_short(size, width, least)) == width
