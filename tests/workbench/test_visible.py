import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qiao.workbench.visible import _LINES, visible, visible_in_editor, visible_line, without_surrogates

AWKWARD = "\0\x07\x08\t\n\x0b\x0c\r\x1b\x1c\x7f\x80\x85\x9b\x9d\u2028\u2029\u202e\u2066\u200b\u200d\ufeff\ue000[]敲👩"
anything = st.one_of(st.text(), st.text(alphabet=AWKWARD), st.text(st.characters(exclude_categories=())))

HARMFUL = {"Cc", "Cs", "Zl", "Zp"}
BIDI = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}


def harmful(text: str) -> list[str]:
    """What must never reach a terminal, or turns the order of what it shows."""
    return [char for char in text if unicodedata.category(char) in HARMFUL or unicodedata.bidirectional(char) in BIDI]


@given(anything)
def test_nothing_harmful_is_ever_shown(text: str) -> None:
    assert set(harmful(visible(text))) <= {"\n"}
    assert harmful(visible_line(text)) == []
    visible_line(text).encode()


@given(anything)
def test_what_is_visible_stays_as_it_is(text: str) -> None:
    shown = visible(text)
    assert visible(shown) == shown
    assert visible_line(text) == visible(text.replace("\n", "␊"))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("plain [red]text[/]", "plain [red]text[/]"),
        ("\x1b[2Jgone", "␛[2Jgone"),
        ("\x1b]52;c;aGk=\x07", "␛]52;c;aGk=␇"),
        ("\x9b2J", "\ufffd2J"),
        ("a\tb\r\n", "a    b␍\n"),
        ("safe\u202etxt.exe", "safe↔txt.exe"),
        ("line\u2028line", "line␤line"),
        ("👩\u200d👧 ❤\ufe0f", "👩👧 ❤"),
        ("葛\U000e0100", "葛"),
        ("a\ud800b", "a\ufffdb"),
        ("推敲 naïve", "推敲 naïve"),
    ],
)
def test_what_is_shown(text: str, shown: str) -> None:
    assert visible(text) == shown


def test_no_character_that_is_replaced_is_overlooked() -> None:
    assert all((visible(chr(code)) == chr(code)) == (code not in _LINES) for code in range(0x110000))


def test_a_name_stays_on_one_line() -> None:
    assert visible_line("a\nb\tc") == "a␊b    c"


@given(st.text(st.characters(exclude_categories=())))
def test_what_enters_can_be_encoded(text: str) -> None:
    clean = without_surrogates(text)
    clean.encode()
    if not any("\ud800" <= char <= "\udfff" for char in text):
        assert clean == text


def test_surrogates() -> None:
    assert without_surrogates("a\ud83d\ude00b") == "a😀b"
    assert without_surrogates("\ud800") == "\ufffd"
    assert without_surrogates("a\ude00\ud83db") == "a\ufffd\ufffdb"
    assert without_surrogates("\ufeffa") == "\ufeffa"


@given(anything)
def test_what_is_edited_is_shown_character_by_character(text: str) -> None:
    shown = visible_in_editor(text)
    assert len(shown) == len(text)
    assert set(harmful(shown)) <= {"\n", "\t"}
    assert all(a == b for a, b in zip(text, shown, strict=True) if a in "\n\t" or not harmful(a))
    assert visible_in_editor("\x1b[0m") == "␛[0m"
