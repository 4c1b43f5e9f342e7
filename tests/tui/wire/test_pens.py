"""Pens: any is changed into any other, in as few bytes as can be."""

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.color import ColorSystem
from rich.style import Style
from textual.strip import Strip

from qiao.tui.wire.pens import PLAIN, Pen, pen_change, pen_of

from .emulator import STYLES

ENDED_BY = {
    "22": "1 2",
    "23": "3",
    "24": "4 21",
    "25": "5 6",
    "27": "7",
    "28": "8",
    "29": "9",
    "54": "51 52",
    "55": "53",
}
pens = st.builds(
    Pen,
    st.lists(st.sampled_from(["1", "2", "3", "4", "7", "9", "21", "53"]), unique=True).map(sorted).map(tuple),
    st.sampled_from(["39", "31", "97", "38;5;99", "38;2;1;2;3"]),
    st.sampled_from(["49", "41", "100", "48;5;99", "48;2;1;2;3"]),
    st.just(""),
)


def applied(pen: Pen, sequence: str) -> Pen:
    """The pen after a sequence, as ECMA-48 and xterm have it."""
    attributes, foreground, background = set(pen.attributes), pen.foreground, pen.background
    if not sequence:
        return pen
    found = re.fullmatch(r"\x1b\[([\d;]*)m", sequence)
    assert found
    for code in re.findall(r"[34]8;(?:5;\d+|2;\d+;\d+;\d+)|\d+|(?<![\d])(?=;|$)", found[1]):
        if code in ("", "0"):
            attributes, foreground, background = set(), "39", "49"
        elif code in ENDED_BY:
            attributes -= set(ENDED_BY[code].split())
        elif re.match(r"38|39|3[0-7]|9[0-7]", code) and len(code) > 1:
            foreground = code
        elif re.match(r"48|49|4[0-7]|10[0-7]", code) and len(code) > 1:
            background = code
        else:
            attributes.add(code)
    return Pen(tuple(sorted(attributes)), foreground, background)


@settings(max_examples=300)
@given(pens, pens)
def test_a_pen_is_changed_into_any_other(old: Pen, new: Pen) -> None:
    assert applied(old, pen_change(old, new)) == new


def test_a_pen_is_changed_by_what_differs() -> None:
    red = Pen(("1",), "38;2;250;10;10", "48;2;20;20;20")
    assert pen_change(red, red) == ""
    assert pen_change(red, PLAIN) == "\x1b[m"
    assert pen_change(red, red._replace(attributes=())) == "\x1b[22m"
    assert pen_change(red, red._replace(attributes=("2",))) == "\x1b[22;2m"
    assert pen_change(red, red._replace(foreground="39")) == "\x1b[39m"


@pytest.mark.parametrize("system", [ColorSystem.TRUECOLOR, ColorSystem.EIGHT_BIT, ColorSystem.STANDARD])
@pytest.mark.parametrize("style", [style for style in STYLES if style])
def test_a_pen_is_what_textual_would_write(style: Style, system: ColorSystem) -> None:
    written = Strip.render_ansi(style, system)
    style._ansi = None
    assert applied(PLAIN, f"\x1b[0;{written}m" if written else "") == pen_of(style, system)
