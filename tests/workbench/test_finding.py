"""Text found in a conversation, and replaced."""

from hypothesis import given
from hypothesis import strategies as st

from qiao.workbench.conversation import Conversation, Message, Take
from qiao.workbench.finding import PIECE, Found, find, looking, replaced

TALK = Conversation(
    messages=(
        Message(role="user", text="first\nWhere is Paris, and\nparis again?", note="about Paris"),
        Message(
            role="assistant",
            text="By hand: Paris",
            takes=(Take(text="In France.", thinking="Paris… hm"), Take(text="巴黎 is Paris")),
            chosen=2,
        ),
    )
)


def test_every_text_is_looked_through_a_place_a_line() -> None:
    assert list(find(TALK, "paris")) == [
        Found(0, "text", None, "Where is Paris, and", 9, 14, 15),
        Found(0, "text", None, "paris again?", 0, 5, 26),
        Found(0, "note", None, "about Paris", 6, 11, 6),
        Found(1, "text", None, "By hand: Paris", 9, 14, 9),
        Found(1, "thinking", 1, "Paris… hm", 0, 5, 0),
        Found(1, "take", 2, "巴黎 is Paris", 6, 11, 6),
    ]


def test_a_capital_letter_means_what_it_says() -> None:
    assert [found.line for found in find(TALK, "Paris")].count("paris again?") == 0


def test_marks_mean_themselves_and_nothing_finds_nothing() -> None:
    assert [found.at for found in find(TALK, "again?")] == [0]
    assert not list(find(TALK, ".*"))
    assert not list(find(TALK, ""))


def test_only_what_is_written_by_hand_is_replaced() -> None:
    changed, count = replaced(TALK, "Paris", "\\1 Rome")
    assert count == 2
    assert changed.messages[0].text == "first\nWhere is \\1 Rome, and\nparis again?"
    assert changed.messages[1].text == "By hand: \\1 Rome"
    assert changed.messages[1].takes == TALK.messages[1].takes
    assert replaced(TALK, "France", "x") == (TALK, 0)


@given(st.text(st.sampled_from("ab\n界"), max_size=40), st.text(st.sampled_from("ab界"), min_size=1, max_size=3))
def test_each_line_with_it_is_found_once(text: str, wanted: str) -> None:
    found = list(find(Conversation(messages=(Message(role="user", text=text),)), wanted))
    assert [each.line for each in found] == [line for line in text.split("\n") if wanted in line]
    assert all(each.line[each.start : each.end] == wanted for each in found)


@given(st.integers(0, 3), st.integers(-4, 4), st.booleans())
def test_a_long_text_is_looked_through_in_pieces(pieces: int, at: int, feeds: bool) -> None:
    text = ("some of it\n" if feeds else "some of it ") * (3 * PIECE // 11)
    place = min(max(pieces * PIECE + at, 0), len(text))
    talk = Conversation(messages=(Message(role="user", text=text[:place] + "敲Q" + text[place:]),))
    steps = list(looking(talk, "敲q"))
    assert [found.offset for found in steps if found] == [place]
    # In a line that was found nothing more is looked for.
    assert steps.count(None) >= (pieces if not feeds else 2)
    assert list(looking(talk, "q敲")) == [None] * 3
