"""How many tokens a draft and its prompt come to, at a cost that long texts don't raise; or about how many.

Where no tokenizer is at hand, tokens are estimated by characters: four of ASCII, one and a half of Chinese, Japanese
and Korean, two and a half of any other script make one. A text of more than `LONG` characters is judged by `SLICES`
pieces from all over it.
"""

import re
from collections.abc import Callable, Sequence
from functools import cache
from typing import NamedTuple

from .seam import Count, Request

Counter = Callable[[Sequence[str]], Sequence[int]]
"""How many tokens each of some texts is."""

LONG = 50_000
SLICES = 8
SLICE = 4_000
"""Characters of such a piece."""
MOST = 400_000
"""Characters of a conversation that are looked at, the latest; what stands above is taken to be like them."""


@cache
def _wide() -> "re.Pattern[str]":
    # Made when something is counted: the first paint doesn't wait for it.
    return re.compile("[\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef\U00020000-\U0003ffff]+")


class Tally(NamedTuple):
    """Tokens of some texts together."""

    tokens: int
    exact: bool


def estimated(texts: Sequence[str]) -> list[int]:
    """About how many tokens each text is, by its characters."""
    found: list[int] = []
    for text in texts:
        ascii = len(text) if text.isascii() else len(text.encode("ascii", "ignore"))
        wide = 0 if ascii == len(text) else sum(map(len, _wide().findall(text)))
        found.append(round(ascii / 4 + wide / 1.5 + (len(text) - ascii - wide) / 2.5) or bool(text))
    return found


def tally(texts: Sequence[str], count: Counter) -> Tally:
    """How many tokens texts are together, the latest standing last; exact as long as all of them is counted."""
    pieces: list[str] = []
    weights: list[float] = []
    looked_at = 0
    exact = True
    for text in reversed(texts):
        if looked_at >= MOST:
            exact = False
            break
        looked_at += len(text)
        if len(text) <= LONG:
            pieces.append(text)
            weights.append(1)
        else:
            exact = False
            step = (len(text) - SLICE) / (SLICES - 1)
            pieces += [text[round(i * step) : round(i * step) + SLICE] for i in range(SLICES)]
            weights += [len(text) / (SLICES * SLICE)] * SLICES
    tokens = sum(n * weight for n, weight in zip(count(pieces), weights, strict=True)) if pieces else 0
    if not exact and looked_at:
        tokens *= max(sum(map(len, texts)) / looked_at, 1)
    return Tally(round(tokens), exact)


def estimate(request: Request) -> Count:
    """The request's tokens where nobody can count them; what a chat template writes is five a message."""
    texts = [turn.text for turn in request.messages]
    last, above = tally(texts[-1:], estimated).tokens, tally(texts[:-1], estimated).tokens
    return Count(last, above + last + around(len(texts)), last_is_exact=False, whole_is_exact=False)


def around(messages: int) -> int:
    """About how many tokens a chat template writes around so many messages; ChatML writes just these."""
    return 5 * messages + 3
