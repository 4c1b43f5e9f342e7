"""The exact prompt as lines of the screen: what is a message's, with its tokens in the margin, and what is not."""

from bisect import bisect_right
from collections.abc import Sequence
from typing import NamedTuple

from textual import events
from textual.message import Message as Event
from textual.strip import Strip
from textual.widget import Widget

from ...workbench.seam import Prompt, Request
from ...workbench.visible import visible
from ..look.inks import Inks
from ..text.glyphs import glyphs
from ..text.wrap import Line, Run, break_offsets, divide

MARGIN = 9
"""Cells: the tokens of the message that begins there, and a bar along it."""


class PageLine(NamedTuple):
    """One line of the screen."""

    text: Line
    message: int | None
    """The message that it belongs to, from 0; of several, the one that begins last."""
    begins: bool
    """Whether that message begins here."""


class _Stretch(NamedTuple):
    """A run of the prompt without a line feed, all of it one message's or the template's."""

    run: Run
    message: int | None


def lay_out(prompt: Prompt, width: int) -> list[PageLine]:
    """The prompt as lines of `width` cells at most. Takes a while for a long one: not for the thread of the screen."""
    lines: list[PageLine] = []
    begun: set[int] = set()
    for stretches, owner in _lines(prompt):
        runs = [stretch.run for stretch in stretches]
        cuts = break_offsets("".join(run.text for run in runs), width)
        ends: list[int] = []
        for run in runs:
            ends.append((ends[-1] if ends else 0) + len(run.text))
        starts = [0, *cuts]
        for line, start, end in zip(divide(runs, cuts), starts, [*cuts, None], strict=True):
            first = bisect_right(ends, start)
            last = len(stretches) if end is None else bisect_right(ends, end - 1) + 1
            owners = [stretch.message for stretch in stretches[first:last] if stretch.message is not None]
            message = owners[-1] if owners else owner
            begins = message is not None and message not in begun
            if message is not None:
                begun.add(message)
            lines.append(PageLine(line, message, begins))
    return lines


def _lines(prompt: Prompt) -> list[tuple[list[_Stretch], int | None]]:
    """The stretches of each line of the prompt, and the message whose text the line feed at its end is."""
    owned = sorted((s.start, s.end, i) for i, s in enumerate(prompt.shares) if s.end > s.start)
    starts = [start for start, _, _ in owned]
    lines: list[tuple[list[_Stretch], int | None]] = []
    current: list[_Stretch] = []
    at = 0
    for piece in prompt.pieces:
        done = 0
        while done < len(piece.text):
            index = bisect_right(starts, at) - 1
            inside = index >= 0 and at < owned[index][1]
            owner = owned[index][2] if inside else None
            border = (
                owned[index][1] if inside else (starts[index + 1] if index + 1 < len(starts) else at + len(piece.text))
            )
            part = piece.text[done : done + max(border - at, 1)]
            ink = "special" if piece.special else "text" if owner is not None or not owned else "muted"
            first, *rest = part.split("\n")
            if first:
                current.append(_Stretch(Run(visible(first), ink), owner))
            for text in rest:
                lines.append((current, owner))
                current = [_Stretch(Run(visible(text), ink), owner)] if text else []
            done, at = done + len(part), at + len(part)
    lines.append((current, None))
    return lines


class PromptPage(Widget, can_focus=True):
    """Paints a prompt that was laid out, from a line on; one message is selected."""

    class Resized(Event):
        """The width is another."""

    def __init__(self, request: Request, inks: Inks, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._request = request
        self._inks = inks
        self._lines: Sequence[PageLine] = ()
        self._tokens: Sequence[int] = ()
        self._top = 0
        self.selected = 0
        """The message, from 0."""

    @property
    def text_width(self) -> int:
        """Cells for the text."""
        return max(self.size.width - MARGIN, 8)

    @property
    def is_cut_below(self) -> bool:
        """Whether the end of the prompt is out of sight."""
        return self._top < self._lowest

    @property
    def _lowest(self) -> int:
        return max(len(self._lines) - self.size.height, 0)

    def show(self, lines: Sequence[PageLine], prompt: Prompt) -> None:
        """Shows these lines, at the height where the reader is."""
        self._lines, self._tokens = lines, [share.tokens for share in prompt.shares]
        self.move(0)

    def move(self, lines: int) -> None:
        """Scrolls, ends held."""
        self._top = min(max(self._top + lines, 0), self._lowest)
        self.refresh()

    def step(self, step: int) -> None:
        """To the next message; through one that is taller than the page, and through what stands around, first."""
        count = len(self._tokens)
        of_selected = self._places(self.selected)
        height = max(self.size.height, 1)
        at_end = not count or not 0 <= self.selected + step < count
        if at_end or (step > 0 and of_selected and of_selected[-1] >= self._top + height):
            self.move(step * max(height // 2, 1))
        elif step < 0 and of_selected and of_selected[0] < self._top:
            self.move(-max(height // 2, 1))
        else:
            self.select(self.selected + step)

    def select(self, message: int) -> None:
        """Selects a message and brings it into sight."""
        self.selected = min(max(message, 0), max(len(self._tokens) - 1, 0))
        places = self._places(self.selected)
        if places:
            height = max(self.size.height, 1)
            if places[0] < self._top or places[0] >= self._top + height:
                self._top = min(max(places[0] - 1, 0), self._lowest)
            elif places[-1] >= self._top + height:
                self._top = min(places[0] - 1 if places[0] else 0, places[-1] + 2 - height, self._lowest)
        self.refresh()

    def select_within(self) -> None:
        """Another prompt has come: the selection is held among its messages, nothing is scrolled."""
        self.selected = min(self.selected, max(len(self._tokens) - 1, 0))

    def to_end(self, step: int) -> None:
        """The first (-1) or last (1) message, and that end of the prompt."""
        self.select(0 if step < 0 else len(self._tokens) - 1)
        self.move(step * len(self._lines))

    def _places(self, message: int) -> list[int]:
        found = [i for i, line in enumerate(self._lines) if line.message == message]
        return [found[0], found[-1]] if found else []

    def on_resize(self, event: events.Resize) -> None:
        self.post_message(self.Resized())

    def render_line(self, y: int) -> Strip:
        at = y + self._top
        if at >= len(self._lines):
            return self._inks.strip((), "panel", self.size.width)
        line = self._lines[at]
        if line.message is None:
            margin: Line = (Run(" " * MARGIN),) if self._tokens else ()
            return self._inks.strip((*margin, *line.text), "panel", self.size.width)
        role = self._request.messages[line.message].role
        count = f"{self._tokens[line.message]:,}" if line.begins else ""
        chosen = line.message == self.selected
        margin = (Run(f"{count:>6} ", f"{role} strong"), Run(f"{glyphs.selected if chosen else glyphs.bar} ", role))
        return self._inks.strip((*margin, *line.text), "selection" if chosen else "panel", self.size.width)
