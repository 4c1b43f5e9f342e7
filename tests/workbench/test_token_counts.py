"""How tokens are counted and judged."""

from collections.abc import Sequence

import pytest

from qiao.workbench.address import Address
from qiao.workbench.seam import Request, Turn
from qiao.workbench.token_counts import LONG, MOST, SLICE, SLICES, Tally, around, estimate, estimated, tally


def words(texts: Sequence[str]) -> list[int]:
    return [len(text.split()) for text in texts]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [("", 0), ("a", 1), ("four words of text, say", 6), ("推敲推敲推敲", 4), ("Привет", 2), ("敲 means to knock", 4)],
)
def test_the_estimate_knows_scripts_apart(text: str, tokens: int) -> None:
    assert estimated([text]) == [tokens]


def test_what_is_counted_whole_is_exact() -> None:
    assert tally(["one two", "three"], words) == Tally(3, True)
    assert tally([], words) == Tally(0, True)


def test_a_long_text_is_judged_by_pieces_from_all_over_it() -> None:
    seen: list[str] = []

    def count(texts: Sequence[str]) -> list[int]:
        seen.extend(texts)
        return words(texts)

    told = tally(["word " * 200_000 + "a " * 500_000], count)
    assert not told.exact
    assert told.tokens == pytest.approx(700_000, rel=0.1)
    assert sum(map(len, seen)) == SLICES * SLICE


def test_of_a_long_conversation_the_latest_is_looked_at() -> None:
    texts = ["word " * 100 for _ in range(10_000)]
    told = tally(texts, words)
    assert not told.exact
    assert told.tokens == pytest.approx(1_000_000, rel=0.01)
    assert tally(["x " * LONG] * 2 + ["word " * (MOST // 5 + 1)], words).tokens > 0


def test_an_estimate_has_the_template_in_it() -> None:
    request = Request(Address("far", "away"), (Turn("system", "Be brief."), Turn("user", "Why?")))
    told = estimate(request)
    assert (told.last, told.whole) == (1, 1 + 2 + around(2))
    assert not told.last_is_exact
    assert not told.whole_is_exact
