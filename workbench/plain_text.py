"""What stands between messages where they are sent as one plain text, as base models get them."""

from collections.abc import Sequence

from .seam import Turn

GAP = "\n\n"
"""A blank line."""


def gaps(turns: Sequence[Turn]) -> list[str]:
    """What stands before each turn's text: a blank line, or nothing.

    Nothing before the first text, nor before an empty one, which adds nothing; nothing where a turn runs on. An answer
    that begins with a blank or a line feed does so too: it was written on from what stands above it, and would
    otherwise be gone on from in another place than the one where it stood.
    """
    found: list[str] = []
    begun = False
    for turn in turns:
        found.append(GAP if begun and turn.text and not runs_on(turn) else "")
        begun = begun or bool(turn.text)
    return found


def runs_on(turn: Turn) -> bool:
    """Whether the turn's text follows at once what stands before it."""
    return turn.runs_on or (turn.role == "assistant" and turn.text[:1].isspace())
