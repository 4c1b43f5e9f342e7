"""Messages as the plain text that a base model goes on from: their texts, a blank line between."""

from collections.abc import Sequence

from ..workbench.seam import Turn
from .shares import Span

GAP = "\n\n"


def plain_text(turns: Sequence[Turn]) -> str:
    """The text of all turns; the empty ones add nothing.

    An answer that begins with a blank or a line feed follows what stands above it at once: it was written on from
    there, and would otherwise be gone on from in another place than the one where it stood.
    """
    return "".join(gap + turn.text for gap, turn in zip(_gaps(turns), turns, strict=True))


def plain_spans(turns: Sequence[Turn]) -> list[Span]:
    """Where each turn's text stands in `plain_text`."""
    found: list[Span] = []
    at = 0
    for gap, turn in zip(_gaps(turns), turns, strict=True):
        found.append(Span(at + len(gap), at + len(gap) + len(turn.text)))
        at = found[-1].end
    return found


def _gaps(turns: Sequence[Turn]) -> list[str]:
    """What stands before each turn's text."""
    gaps: list[str] = []
    begun = False
    for turn in turns:
        writes_on = turn.role == "assistant" and turn.text[:1].isspace()
        gaps.append(GAP if begun and turn.text and not writes_on else "")
        begun = begun or bool(turn.text)
    return gaps
