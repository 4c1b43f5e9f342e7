"""What isn't sent of a conversation that is longer than the model's context."""

from hypothesis import given
from hypothesis import strategies as st

from qiao.workbench.address import Address
from qiao.workbench.errors import Refused
from qiao.workbench.sampling import Sampling
from qiao.workbench.seam import Piece, Prompt, Request, Role, Share, Turn
from qiao.workbench.window import fit, oldest, room

AROUND = 3
"""Tokens that the stand-in for a template writes around each message; a message has one for each character."""


def prompt_of(length: int | None, *, tells: bool = True):
    def make(request: Request) -> Prompt:
        shares = tuple(Share(0, len(turn.text), len(turn.text)) for turn in request.messages)
        tokens = sum(len(turn.text) + AROUND for turn in request.messages)
        return Prompt("chat", (Piece("…"),), tokens, length, shares if tells else ())

    return make


def request(*turns: tuple[Role, str], max_tokens: int | None = 10, window: bool = True) -> Request:
    sampling = Sampling(max_tokens=max_tokens)
    return Request(Address("a", "b"), tuple(Turn(*turn) for turn in turns), sampling, window=window)


TALK = request(
    ("system", "Be brief."),
    ("user", "one"),
    ("assistant", "1" * 20),
    ("user", "two"),
    ("assistant", "2"),
    ("user", "3"),
)


def test_the_answer_has_its_room() -> None:
    assert room(100, 30) == 70
    assert room(100, None) == 75
    assert room(100, 5000) == 50


def test_the_oldest_exchange_goes_and_system_messages_stay() -> None:
    fitted = fit(TALK, prompt_of(50))
    assert fitted.cut == {1, 2}
    assert [turn.text for turn in fitted.request.messages] == ["Be brief.", "two", "2", "3"]
    assert fitted.prompt is not None
    assert [share.tokens for share in fitted.prompt.shares] == [9, 0, 0, 3, 1, 1]


def test_what_fits_stays_whole() -> None:
    fitted = fit(TALK, prompt_of(5000))
    assert (fitted.request, fitted.cut) == (TALK, frozenset())
    assert fit(TALK, prompt_of(None)).request == TALK


def test_without_a_window_nothing_is_even_looked_at() -> None:
    def never(_: Request) -> Prompt:
        raise AssertionError

    plain = request(("user", "x" * 900), window=False)
    assert fit(plain, never).request == plain


def test_where_the_prompt_can_not_be_told_all_is_sent() -> None:
    def refuses(_: Request) -> Prompt:
        raise Refused("asking.nothing_to_answer")

    assert fit(TALK, refuses) == (TALK, None, frozenset())


def test_the_last_question_is_sent_however_long_it_is() -> None:
    long = request(("user", "one"), ("assistant", "1"), ("user", "x" * 900))
    assert [turn.text for turn in fit(long, prompt_of(50)).request.messages] == ["x" * 900]


@given(st.lists(st.tuples(st.sampled_from(["system", "user", "assistant"]), st.text("a", max_size=30)), max_size=12))
def test_it_fits_or_nothing_more_could_go(turns: list[tuple[Role, str]]) -> None:
    asked = request(*turns, ("user", "?"))
    for tells in (True, False):
        fitted = fit(asked, prompt_of(60, tells=tells))
        kept = fitted.request.messages
        assert [turn for turn in kept if turn.role == "system"] == [t for t in asked.messages if t.role == "system"]
        assert kept[-1] == asked.messages[-1]
        fits = prompt_of(60)(fitted.request).tokens <= room(60, 10)
        assert fits or all(turn.role == "system" for turn in kept[:-1])
        if fitted.cut:
            assert next(turn.role for turn in kept if turn.role != "system") == "user"


def test_nothing_goes_where_nothing_is_too_much() -> None:
    assert oldest(TALK.messages, [1.0] * 6, 0) == frozenset()
