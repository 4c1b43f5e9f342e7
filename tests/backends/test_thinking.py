"""Thinking is parted from the answer however the tags arrive."""

import itertools

import hypothesis.strategies as st
import pytest
from hypothesis import given

from qiao.backends.thinking import ThinkingSplitter, opens_thinking


def parts(pieces: list[str], *, opened: bool = False) -> tuple[str, str]:
    """Thinking and answer."""
    splitter = ThinkingSplitter(opened=opened)
    out = {"thinking": "", "answer": ""}
    for piece in pieces:
        for part, text in splitter.feed(piece):
            out[part] += text
    for part, text in splitter.flush():
        out[part] += text
    return out["thinking"], out["answer"]


@pytest.mark.parametrize(
    ("text", "opened", "thinking", "answer"),
    [
        ("<think>\nhm\n</think>\n\nParis.", False, "hm", "Paris."),
        ("hm\n</think>\n\nParis.", True, "hm", "Paris."),
        ("\n<think>hm</think>Paris.", False, "hm", "Paris."),
        ("<think>\n\n</think>\n\nParis.", False, "", "Paris."),
        ("</think>Paris.", True, "", "Paris."),
        ("Paris.", False, "", "Paris."),
        (" Paris.", False, "", " Paris."),
        ("<thin ice>", False, "", "<thin ice>"),
        ("  <thi", False, "", "  <thi"),
        ("The tag <think> opens, </think> closes.", False, "", "The tag <think> opens, </think> closes."),
        ("<think>one </thin ice></think>two</think>", False, "one </thin ice>", "two</think>"),
        ("<think>cut off </th", False, "cut off </th", ""),
        ("<think>two  words \n\n and more", False, "two  words \n\n and more", ""),
        ("<think>  \n", False, "", ""),
        ("", True, "", ""),
    ],
)
def test_cases(text: str, opened: bool, thinking: str, answer: str) -> None:
    assert parts([text], opened=opened) == (thinking, answer)
    assert parts(list(text), opened=opened) == (thinking, answer)


STRETCHES = st.sampled_from(["<think>", "</think>", "<", "think>", "</", " ", "\n", "a", "想"])
TEXT = st.lists(STRETCHES, max_size=12).map("".join)


@given(TEXT, st.lists(st.integers(0, 60), max_size=10), st.booleans())
def test_the_split_makes_no_difference(text: str, cuts: list[int], opened: bool) -> None:
    places = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[a:b] for a, b in itertools.pairwise(places)]
    assert parts(pieces, opened=opened) == parts([text], opened=opened)


@given(TEXT, st.booleans())
def test_nothing_is_lost_but_tags_and_blanks(text: str, opened: bool) -> None:
    thinking, answer = parts(list(text), opened=opened)
    assert _bare(thinking + answer) == _bare(text)


def _bare(text: str) -> str:
    """Without blanks, tags, and what becomes a tag when those within it are gone."""
    text = "".join(text.split())
    while (less := text.replace("<think>", "").replace("</think>", "")) != text:
        text = less
    return text


def test_thinking_says_where_it_is() -> None:
    splitter = ThinkingSplitter()
    assert not splitter.thinking
    splitter.feed("<think>")
    assert splitter.thinking
    splitter.feed("a</think>")
    assert not splitter.thinking


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [("assistant\n<think>\n", True), ("assistant\n<think>\n\n</think>\n\n", False), ("assistant\n", False)],
)
def test_opens_thinking(prompt: str, expected: bool) -> None:
    assert opens_thinking(prompt) is expected
