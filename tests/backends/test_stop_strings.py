"""Stop strings are found however the text is split, and nothing else is held back for good."""

import itertools

import hypothesis.strategies as st
import pytest
from hypothesis import given

from qiao.backends.stop_strings import StopStrings


def shown(pieces: list[str], stops: list[str]) -> tuple[str, str | None]:
    """What is shown of the text in the end, and which stop string ended it."""
    search = StopStrings(stops)
    text = "".join(search.feed(piece) for piece in pieces)
    return text + search.flush(), search.found


def split(text: str, cuts: list[int]) -> list[str]:
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    return [text[a:b] for a, b in itertools.pairwise(places)]


# Few letters, so that stop strings occur, overlap and nearly occur.
LETTERS = st.text("ab\n", max_size=30)
STOPS = st.lists(st.text("ab\n", min_size=0, max_size=4), max_size=4)


@given(LETTERS, STOPS, st.lists(st.integers(0, 30), max_size=8))
def test_the_split_makes_no_difference(text: str, stops: list[str], cuts: list[int]) -> None:
    assert shown(split(text, cuts), stops) == shown(list(text), stops)


@given(LETTERS, STOPS)
def test_the_text_ends_before_the_stop_string_that_is_complete_first(text: str, stops: list[str]) -> None:
    result, found = shown([text], stops)
    stops = [stop for stop in stops if stop]
    if found is None:
        assert result == text
        assert not any(stop in text for stop in stops)
    else:
        assert text.startswith(result + found)
        assert not any(stop in text[: len(result) + len(found) - 1] for stop in stops)


@given(LETTERS, STOPS, st.lists(st.integers(0, 30), max_size=8))
def test_only_a_possible_beginning_is_held_back(text: str, stops: list[str], cuts: list[int]) -> None:
    search = StopStrings(stops)
    fed = out = ""
    for piece in split(text, cuts):
        fed += piece
        out += search.feed(piece)
        if search.found is not None:
            return
        held = fed[len(out) :]
        assert not held or any(stop.startswith(held) for stop in stops)


def test_nothing_comes_after_a_stop_string() -> None:
    search = StopStrings(["END"])
    assert search.feed("one E") == "one "
    assert search.feed("ND two") == ""
    assert search.feed("three") == ""
    assert search.flush() == ""
    assert search.found == "END"


@pytest.mark.parametrize(
    ("text", "stops", "expected"),
    [
        ("abcd", ["abcd", "bc"], "a"),
        ("x\n\ny", ["\n\n", "\n"], "x"),
        ("xabc", ["abc", "bc", "c"], "x"),
        ("敲门。再敲", ["。"], "敲门"),
        ("kept", [], "kept"),
    ],
)
def test_cases(text: str, stops: list[str], expected: str) -> None:
    assert shown([text], stops)[0] == expected
