"""Small dialogs: a question answered by one key, and a line to be typed."""

from collections.abc import Sequence
from typing import ClassVar, NamedTuple, Protocol, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, Static

from ...workbench.visible import visible
from ...workbench.words import say
from ..input.at_once import bind_at_once
from ..input.shown_input import ShownInput
from .dimmed import OverDimmed

WORTH = 8
"""Characters; a shorter text that was left is typed again as soon as it is brought back."""


class Tells(Protocol):
    """The app, as far as dialogs know it."""

    def tell(self, text: str) -> None:
        """A notice at the corner of the screen."""
        ...


class Choice(NamedTuple):
    """One answer to a question: its key, its words, and what it stands for."""

    key: str
    words: str
    result: str


class Question(OverDimmed[str | None]):
    """Asks; each answer is one key. esc is always «leave it»: the result is None."""

    CSS_PATH = "questions.tcss"
    BINDINGS = [Binding("escape,ctrl+c", "leave", show=False, priority=True)]

    def __init__(self, text: str, choices: Sequence[Choice]) -> None:
        super().__init__()
        self._text = text
        self._choices = choices

    def compose(self) -> ComposeResult:
        with Vertical(classes="dialog"):
            yield Static(Content(visible(self._text)), markup=False)
            yield Static("")
            for key, words, _result in [*self._choices, Choice("esc", say("screen.leave_it"), "")]:
                yield Static(Content.assemble((f"{key:>4}", "bold"), "  ", words))

    def on_key(self, event: events.Key) -> None:
        for key, _words, result in self._choices:
            if event.character == key or event.key == key:
                event.stop()
                self.dismiss(result)
                return

    def action_leave(self) -> None:
        self.dismiss(None)


class LineInput(OverDimmed[str | None]):
    """Asks for one line; enter gives it, esc gives None. What was left so comes back by ↑ where the same is asked."""

    CSS_PATH = "questions.tcss"
    BINDINGS = [
        Binding("escape,ctrl+c", "leave", show=False, priority=True),
        Binding("up", "bring_back", show=False, priority=True),
    ]
    left: ClassVar[dict[str, str]] = {}
    """By what was asked."""

    def __init__(self, label: str, value: str = "", suggestions: Sequence[str] = (), *, replace: bool = False) -> None:
        super().__init__()
        self._replace = replace
        self._label = label
        self._value = value
        self._suggestions = suggestions

    def compose(self) -> ComposeResult:
        from textual.suggester import SuggestFromList

        with Vertical(classes="dialog"):
            yield Static(Content(self._label), markup=False)
            suggester = SuggestFromList(self._suggestions) if self._suggestions else None
            line = ShownInput(self._value, suggester=suggester, compact=True, select_on_focus=self._replace)
            bind_at_once(line)
            line.cursor_blink = False
            yield line
            yield Static(say("screen.line_hint"), classes="hint", markup=False)

    def on_mount(self) -> None:
        if not self._replace:
            # Of a long line its end is in sight, where the caret is, once it is known how much fits.
            self.call_after_refresh(self._show_end)

    def _show_end(self) -> None:
        line = self.query_one(Input)
        line.scroll_to(x=line.max_scroll_x, animate=False, force=True)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        self.dismiss(event.value)

    def action_leave(self) -> None:
        typed = self.query_one(Input).value
        if typed != self._value and len(typed) >= WORTH:
            self.left[self._label] = typed
            cast(Tells, self.app).tell(say("screen.line_left"))
        self.dismiss(None)

    def action_bring_back(self) -> None:
        line = self.query_one(Input)
        line.value = self.left.get(self._label, line.value)
        line.action_end()
