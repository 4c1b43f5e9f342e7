"""What changed from one text to another: line beside line, and within lines word by word, Chinese by character."""

import re
from collections.abc import Sequence
from difflib import SequenceMatcher
from itertools import zip_longest
from typing import NamedTuple

_WORD = re.compile(r"[\u2e80-\u9fff\uac00-\ud7a3\uf900-\ufaff\uff00-\uffef]|[^\W_\u2e80-\uffff]+|\s+|.", re.S)
"""A Chinese, Japanese or Korean character; letters and digits; blanks; any other single character."""

WORD_LIMIT = 4000
"""Words on a side beyond which a pair of lines is shown as wholly changed."""


class Stretch(NamedTuple):
    """A part of a line."""

    text: str
    changed: bool = False


class Pair(NamedTuple):
    """Two lines that belong side by side; None: the line has no counterpart."""

    left: tuple[Stretch, ...] | None
    right: tuple[Stretch, ...] | None

    @property
    def same(self) -> bool:
        return self.left == self.right


def compared(left: str, right: str) -> list[Pair]:
    """Both texts, line beside line."""
    before, after = left.split("\n"), right.split("\n")
    pairs: list[Pair] = []
    for kind, i, i_end, j, j_end in _changes(before, after):
        if kind == "equal":
            pairs += [Pair((Stretch(line),), (Stretch(line),)) for line in before[i:i_end]]
        else:
            pairs += [_pair(a, b) for a, b in zip_longest(before[i:i_end], after[j:j_end])]
    return pairs


def _changes(before: Sequence[str], after: Sequence[str]) -> Sequence[tuple[str, int, int, int, int]]:
    """As `SequenceMatcher.get_opcodes`. Blanks, and in long texts whatever comes again and again, only go with what
    stands beside them: looked for by themselves they would make the time grow with the cube of the length."""
    return SequenceMatcher(lambda text: not text.strip(), before, after).get_opcodes()


def _pair(left: str | None, right: str | None) -> Pair:
    if left is None or right is None:
        return Pair(*(None if line is None else (Stretch(line, changed=True),) for line in (left, right)))
    before, after = _WORD.findall(left), _WORD.findall(right)
    if max(len(before), len(after)) > WORD_LIMIT:
        return Pair((Stretch(left, changed=True),), (Stretch(right, changed=True),))
    matches = [
        (kind == "equal", "".join(before[i:i_end]), "".join(after[j:j_end]))
        for kind, i, i_end, j, j_end in _changes(before, after)
    ]
    # Blanks alone that happen to match, between words that don't, would only make both sides restless.
    same = [equal and (bool(a.strip()) or n in (0, len(matches) - 1)) for n, (equal, a, _) in enumerate(matches)]
    return Pair(_joined(same, [a for _, a, _ in matches]), _joined(same, [b for _, _, b in matches]))


def _joined(same: Sequence[bool], texts: Sequence[str]) -> tuple[Stretch, ...]:
    stretches: list[Stretch] = []
    for equal, text in zip(same, texts, strict=True):
        if stretches and stretches[-1].changed is not equal:
            stretches[-1] = Stretch(stretches[-1].text + text, stretches[-1].changed)
        elif text:
            stretches.append(Stretch(text, not equal))
    return tuple(stretches)
