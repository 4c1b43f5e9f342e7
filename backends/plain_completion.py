"""Messages as the plain text that a base model goes on from: their texts, a blank line between."""

from collections.abc import Sequence

from ..workbench.plain_text import gaps
from ..workbench.seam import Turn
from .shares import Span


def plain_text(turns: Sequence[Turn]) -> str:
    """The text of all turns."""
    return "".join(gap + turn.text for gap, turn in zip(gaps(turns), turns, strict=True))


def plain_spans(turns: Sequence[Turn]) -> list[Span]:
    """Where each turn's text stands in `plain_text`."""
    found: list[Span] = []
    at = 0
    for gap, turn in zip(gaps(turns), turns, strict=True):
        found.append(Span(at + len(gap), at + len(gap) + len(turn.text)))
        at = found[-1].end
    return found
