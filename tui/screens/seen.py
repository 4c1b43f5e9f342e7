"""The exact text that the model sees: the template applied, special tokens marked, the tokens counted."""

import threading

from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message as Event
from textual.screen import ModalScreen
from textual.style import Style
from textual.widgets import Static

from ...backends.registry import Backends
from ...workbench.errors import QiaoError
from ...workbench.seam import Progress, Prompt, Request
from ...workbench.visible import visible, visible_line
from ...workbench.words import say
from ..inks import Inks
from ..transcript.blocks import progress_words


class Seen(ModalScreen[None]):
    """Asks the backend in a thread, and shows what it says."""

    CSS_PATH = "help.tcss"
    BINDINGS = [
        Binding("escape,q,v,ctrl+c", "leave", show=False, priority=True),
        Binding("j,down", "move(1)", show=False, priority=True),
        Binding("k,up", "move(-1)", show=False, priority=True),
        Binding("pagedown,space", "move(12)", show=False, priority=True),
        Binding("pageup", "move(-12)", show=False, priority=True),
    ]

    class Arrived(Event):
        """The prompt, or why there is none."""

        def __init__(self, prompt: Prompt | str) -> None:
            super().__init__()
            self.prompt = prompt

    class Coming(Event):
        """How far the model is, where it has to be fetched first."""

        def __init__(self, progress: Progress) -> None:
            super().__init__()
            self.progress = progress

    def __init__(self, request: Request, backends: Backends, inks: Inks) -> None:
        super().__init__()
        self._request = request
        self._backends = backends
        self._inks = inks
        self._stop = threading.Event()

    def compose(self) -> ComposeResult:
        with Vertical(id="seen"):
            yield Static(say("screen.seen_waiting"), id="seen-head", markup=False)
            with VerticalScroll():
                yield Static("", id="seen-text", markup=False)

    def on_mount(self) -> None:
        backends = self._backends

        def ask() -> None:
            try:
                for progress in backends.prepare(self._request.address, self._stop):
                    self.post_message(self.Coming(progress))
                if self._stop.is_set():
                    return
                prompt: Prompt | str = backends.prompt(self._request, self._stop)
            except QiaoError as error:
                prompt = str(error)
            if not self._stop.is_set():
                self.post_message(self.Arrived(prompt))

        # Not before the first layout: text that comes in the middle of that is given one line.
        self.call_after_refresh(threading.Thread(target=ask, name="seen", daemon=True).start)

    def on_seen_coming(self, event: Coming) -> None:
        self.query_one("#seen-head", Static).update(Content(progress_words(event.progress)))

    def on_seen_arrived(self, event: Arrived) -> None:
        head, text = self.query_one("#seen-head", Static), self.query_one("#seen-text", Static)
        if isinstance(event.prompt, str):
            head.update(Content(visible_line(event.prompt)))
            return
        prompt = event.prompt
        mode = say(f"screen.mode_{prompt.mode}")
        length = "" if prompt.context_length is None else f"{prompt.context_length:,}"
        key = "screen.seen_head_of" if length else "screen.seen_head"
        words = say(
            key, address=visible_line(str(self._request.address)), mode=mode, tokens=f"{prompt.tokens:,}", length=length
        )
        head.update(Content(words))
        special = Style.from_rich_style(self._inks.style("special", "panel"))
        pieces = [(visible(piece.text), special) if piece.special else visible(piece.text) for piece in prompt.pieces]
        text.update(Content.assemble(*pieces))

    def action_move(self, lines: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=lines, animate=False)

    def action_leave(self) -> None:
        self._stop.set()
        self.dismiss(None)
