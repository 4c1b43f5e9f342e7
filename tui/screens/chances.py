"""An answer coloured by how likely each token was; what else might have stood there, and going on from that."""

import math
from collections.abc import Sequence
from typing import NamedTuple

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.screen import ModalScreen
from textual.strip import Strip
from textual.widget import Widget

from ...workbench.seam import Alternative, Token
from ...workbench.visible import visible, visible_line
from ...workbench.words import say
from ..look.inks import Inks
from ..panes.hints import Hint, Hints
from ..text.glyphs import glyphs
from ..text.wrap import Line, Run, break_offsets, divide, line_width, truncate

LEVELS = ((0.9, "text"), (0.5, "muted"), (0.2, "warn"), (0.0, "bad link"))
"""From which probability on, a token has which ink; the least likely are underlined as well."""
LISTED = 8
"""Alternatives that are shown."""
BAR = 20
"""Cells of a bar that stands for certainty."""


class Wanted(NamedTuple):
    """A text to go on from: what the answer said up to a place, and another token there."""

    prefix: str


class Chances(ModalScreen[Wanted | None]):
    """Shows the tokens of an answer, one of them selected, with its alternatives below.

    Args:
        tokens: of the answer.
        prefix: what the answer was to go on from; it has no tokens here.
        inks: of the theme.
    """

    CSS_PATH = "chances.tcss"
    BINDINGS = [
        Binding("escape,q,percent_sign,ctrl+c", "leave", show=False, priority=True),
        Binding("l,right", "token(1)", show=False, priority=True),
        Binding("h,left", "token(-1)", show=False, priority=True),
        Binding("j,down", "alternative(1)", show=False, priority=True),
        Binding("k,up", "alternative(-1)", show=False, priority=True),
        Binding("n,tab", "unsure(1)", show=False, priority=True),
        Binding("N,shift+tab", "unsure(-1)", show=False, priority=True),
        Binding("g,home", "token(-1000000)", show=False, priority=True),
        Binding("G,end", "token(1000000)", show=False, priority=True),
        Binding("enter", "go_on", show=False, priority=True),
    ]

    def __init__(self, tokens: Sequence[Token], prefix: str, inks: Inks) -> None:
        super().__init__()
        self._tokens = tokens
        self._prefix = prefix
        self._inks = inks

    def compose(self) -> ComposeResult:
        yield TokenPage(self._tokens, self._inks)
        yield Hints(self._inks)

    def on_mount(self) -> None:
        self.set_focus(self.query_one(TokenPage))
        keys = [line.split("|") for line in say("chances.keys").split("\n")]
        self.query_one(Hints).show([Hint(key, words) for key, words in keys])

    @property
    def page(self) -> "TokenPage":
        return self.query_one(TokenPage)

    def action_token(self, step: int) -> None:
        self.page.select(self.page.selected + step)

    def action_unsure(self, step: int) -> None:
        """To the next token that was less likely than not."""
        places = range(self.page.selected + step, len(self._tokens) if step > 0 else -1, step)
        found = next((i for i in places if share(self._tokens[i].logprob) < 0.5), None)
        if found is not None:
            self.page.select(found)

    def action_alternative(self, step: int) -> None:
        self.page.pick(self.page.picked + step)

    def action_go_on(self) -> None:
        page = self.page
        choices = alternatives(self._tokens[page.selected])
        before = "".join(token.text for token in self._tokens[: page.selected])
        self.dismiss(Wanted(self._prefix + before + choices[page.picked].text))

    def action_leave(self) -> None:
        self.dismiss(None)


def alternatives(token: Token) -> list[Alternative]:
    """What might have stood there, the likeliest first; the token itself is among them."""
    others = [each for each in token.alternatives if each.text != token.text]
    return sorted([Alternative(token.text, token.logprob), *others], key=lambda each: -each.logprob)


def share(logprob: float) -> float:
    """The probability, whatever a server calls one."""
    return math.exp(min(logprob, 0.0)) if math.isfinite(logprob) else 0.0


def ink_of(logprob: float) -> str:
    """The ink for a token of this probability."""
    return next(ink for least, ink in LEVELS if share(logprob) >= least)


def token_lines(tokens: Sequence[Token], selected: int, width: int) -> tuple[list[Line], int]:
    """The answer's lines at this width, and in which of them the selected token begins."""
    lines: list[Line] = []
    runs: list[Run] = []

    def end_line() -> None:
        lines.extend(divide(runs, break_offsets("".join(run.text for run in runs), width)) if runs else [()])
        runs.clear()

    for number, token in enumerate(tokens):
        ink = ink_of(token.logprob) + (" picked" if number == selected else "")
        first, *others = visible(token.text).split("\n")
        # A token of a line feed alone has to be seen when it is selected.
        runs.append(Run(first + ("↵" if others and number == selected else ""), ink))
        for part in others:
            end_line()
            runs.append(Run(part, ink))
    end_line()
    at = (i for i, line in enumerate(lines) if any(run.ink.endswith("picked") for run in line))
    return lines, next(at, 0)


class TokenPage(Widget, can_focus=True):
    """Paints the tokens, and below them what might have stood at the selected place."""

    def __init__(self, tokens: Sequence[Token], inks: Inks) -> None:
        super().__init__()
        self._tokens = tokens
        self._inks = inks
        self.selected = 0
        self.picked = 0
        self._lines: list[Line] = []
        self._top = 0

    def on_resize(self, event: events.Resize) -> None:
        self.select(self.selected)

    def select(self, number: int) -> None:
        """Another token, ends held; the one that stands there is picked."""
        self.selected = min(max(number, 0), len(self._tokens) - 1)
        token = self._tokens[self.selected]
        self.picked = [each.text for each in alternatives(token)].index(token.text)
        self._lines, at = token_lines(self._tokens, self.selected, max(self.size.width - 4, 8))
        self._top = min(max(self._top, at - self._room + 1), at)
        self.refresh()

    def pick(self, number: int) -> None:
        """Another alternative of the selected token, ends held."""
        last = min(len(alternatives(self._tokens[self.selected])), LISTED) - 1
        self.picked = min(max(number, 0), last)
        self.refresh()

    @property
    def _room(self) -> int:
        """Lines for the answer."""
        return max(self.size.height - LISTED - 4, 1)

    def render_line(self, y: int) -> Strip:
        width = self.size.width
        if y >= self._room + 1:
            line = self._below(y - self._room - 2)
            return self._inks.strip((Run("  "), *line), "panel", width)
        at = y - 1 + self._top
        line = self._lines[at] if y and at < len(self._lines) else ()
        return self._inks.strip((Run("  "), *line), "page", width)

    def _below(self, row: int) -> Line:
        token = self._tokens[self.selected]
        if row < 0:
            return ()
        if row == 0:
            place = say("chances.place", n=self.selected + 1, of=len(self._tokens))
            return (Run(place, "muted"),)
        choices = alternatives(token)
        if row > min(len(choices), LISTED):
            return ()
        each = choices[row - 1]
        chance = share(each.logprob)
        text = truncate(visible_line(each.text.replace("\n", "↵")), 24)
        text = f"“{text}”"
        own = each.text == token.text
        filled = glyphs.full * round(chance * BAR)
        return (
            Run(f"{glyphs.row if row - 1 == self.picked else ' '} ", "text"),
            Run(text + " " * max(28 - line_width((Run(text),)), 1), "strong" if own else "text"),
            Run(f"{chance:6.1%} ", "text"),
            Run(filled, ink_of(each.logprob).split()[0]),
            Run(f"  {say('chances.chosen')}" if own else "", "muted"),
        )
