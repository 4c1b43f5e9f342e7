"""Figures drawn with characters: sparklines, bars, and short sizes that keep their width."""

from collections.abc import Sequence
from typing import NamedTuple

from . import glyphs


class Strokes(NamedTuple):
    """What figures are drawn with; every character is one cell wide."""

    levels: str = "▁▂▃▄▅▆▇█"
    """From the lowest value to the highest."""
    full: str = "━"
    half: str = "╸"
    """The end of a bar that fills half of its last cell."""
    empty: str = "━"
    """The rest of a bar, told from the filled part by its colour."""


ASCII = Strokes(levels="_.:-=+*#", full="=", half="-", empty=".")
"""For terminals without them."""

PLAIN = Strokes(levels=" ", full=" ", half=" ", empty=" ")
"""Nothing: the figure beside it says the same."""

strokes = PLAIN if glyphs.glyphs == glyphs.PLAIN else ASCII if glyphs.glyphs == glyphs.ASCII else Strokes()
"""Those of this terminal."""

UNITS = "KMGT"


def sparkline(values: Sequence[float | None], width: int, maximum: float, strokes: Strokes = strokes) -> str:
    """The last `width` values as a line of columns, the newest at the right end.

    Args:
        values: oldest first; None is a gap.
        width: in cells. With fewer values the left part is blank.
        maximum: what a full column stands for, in the values' unit; higher values are drawn as full.

    Returns:
        Exactly `width` characters.
    """
    levels = strokes.levels

    def column(value: float | None) -> str:
        if value is None or maximum <= 0:
            return " "
        return levels[min(max(int(value / maximum * len(levels)), 0), len(levels) - 1)]

    shown = values[-width:] if width > 0 else ()
    return "".join(map(column, shown)).rjust(max(width, 0))


def bar(fraction: float | None, width: int, strokes: Strokes = strokes) -> tuple[str, str]:
    """A bar in steps of half a cell, as its filled and its empty part, to be coloured apart.

    Only 0 looks empty and only 1 looks full: any other fraction shows at least half a cell of the other part.

    Args:
        fraction: 0 to 1, held at the ends; None (unknown) draws an empty bar.
        width: in cells.

    Returns:
        Two texts that are `width` characters together.
    """
    steps = 2 * max(width, 0)
    part = min(max(fraction or 0.0, 0.0), 1.0)
    halves = round(part * steps)
    if 0 < part < 1 and steps >= 2:
        halves = min(max(halves, 1), steps - 1)
    filled = strokes.full * (halves // 2) + strokes.half * (halves % 2)
    return filled, strokes.empty * (max(width, 0) - len(filled))


def bytes_short(size: int | None, width: int = 4, least: str = "M") -> str:
    """A number of bytes in a fixed width: `135M`, `7.6G`, ` 41G`; with a width of 5, `24.1G`.

    Units are powers of 1024, as nvidia-smi counts. The smallest unit is taken in which the number stays below 1000,
    with one decimal if there is room for it.

    Args:
        size: in bytes; None (unknown) is a `-`.
        width: in characters, at least 4; the text is right-aligned in it.
        least: the smallest unit to use, one of K, M, G, T: with G, 400 MiB are `0.4G`.
    """
    if size is None:
        return "-".rjust(width)
    for exponent, unit in enumerate(UNITS, start=1):
        value = size / 1024**exponent
        if unit != UNITS[-1] and (UNITS.index(unit) < UNITS.index(least) or round(value) >= 1000):
            continue
        exact = f"{value:.1f}{unit}"
        return (exact if len(exact) <= width else f"{value:.0f}{unit}").rjust(width)
    raise AssertionError
