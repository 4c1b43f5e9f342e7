"""Parts the thinking from the answer in a stream of text, by the `<think>…</think>` tags that most models write."""

from typing import Literal, NamedTuple

OPEN = "<think>"
CLOSE = "</think>"

Part = Literal["thinking", "answer"]


class Parted(NamedTuple):
    """A stretch of text, and which part it belongs to."""

    part: Part
    text: str


def opens_thinking(prompt: str) -> bool:
    """Whether a prompt ends with the opening tag, so that the model begins inside its thinking."""
    return prompt.rstrip().endswith(OPEN)


class ThinkingSplitter:
    """Splits text that comes in pieces; where it is split makes no difference to what comes out.

    Thinking counts only at the very beginning: a tag later on is part of the answer. Neither tags nor the blanks
    beside them come out; an answer without thinking keeps its leading blanks.

    Args:
        opened: the prompt already ended with the opening tag.
    """

    def __init__(self, *, opened: bool = False) -> None:
        self._held = ""
        self._state: Literal["undecided", "thinking", "answer"] = "thinking" if opened else "undecided"
        self._at_start = True
        """Blanks that come now stand beside a tag, and are dropped."""

    @property
    def thinking(self) -> bool:
        """Whether the text is inside the thinking right now."""
        return self._state == "thinking"

    def feed(self, text: str) -> list[Parted]:
        """Takes in the next piece, and returns what is settled by now."""
        self._held += text
        parted: list[Parted] = []
        if self._state == "undecided":
            self._decide()
        if self._state == "thinking":
            self._think(parted)
        if self._state == "answer":
            self._answer(parted)
        return parted

    def flush(self) -> list[Parted]:
        """The text is over: what was held back, blanks at the end of the thinking left out."""
        held, self._held = self._held, ""
        if self._state == "thinking":
            held = held.lstrip() if self._at_start else held
            return [Parted("thinking", held.rstrip())] if held.strip() else []
        return [Parted("answer", held)] if held else []

    def _decide(self) -> None:
        start = self._held.lstrip()
        if start.startswith(OPEN):
            self._state, self._held = "thinking", start[len(OPEN) :]
        elif not OPEN.startswith(start):
            self._state, self._at_start = "answer", False

    def _think(self, parted: list[Parted]) -> None:
        body, tag, rest = self._held.partition(CLOSE)
        if self._at_start:
            body = body.lstrip()
        if tag:
            shown, self._held = body.rstrip(), rest
            self._state = "answer"
        else:
            # Blanks may stand before the closing tag, and its beginning may be all that has come of it.
            begun = next((n for n in range(len(CLOSE) - 1, 0, -1) if body.endswith(CLOSE[:n])), 0)
            settled = body[: len(body) - begun].rstrip()
            shown, self._held = settled, body[len(settled) :]
        if shown:
            parted.append(Parted("thinking", shown))
        self._at_start = bool(tag) or (self._at_start and not shown)

    def _answer(self, parted: list[Parted]) -> None:
        shown, self._held = self._held, ""
        if self._at_start:
            shown = shown.lstrip()
        if shown:
            self._at_start = False
            parted.append(Parted("answer", shown))
