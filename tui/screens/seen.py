"""The exact text that the model sees, what each message costs of it, and how it would be with other settings."""

import threading
from collections.abc import Iterator
from pathlib import Path

import msgspec
from textual.app import ComposeResult
from textual.binding import Binding
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message as Event
from textual.screen import ModalScreen
from textual.widgets import Static

from ...backends.registry import Backends
from ...workbench.errors import QiaoError
from ...workbench.sampling import Sampling
from ...workbench.seam import Progress, Prompt, Request
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..dialogs.choose_template import ChooseTemplate
from ..look.inks import Inks
from ..panes.hints import Hint, Hints
from ..transcript.blocks import progress_words
from .prompt_page import PageLine, PromptPage, lay_out

TEMPLATE = "chat_template"
"""What `extra` calls another chat template's source; local models take it, and vLLM's servers if started with
--trust-request-chat-template."""


class Tried(msgspec.Struct, frozen=True):
    """What was changed for a look, and how it was before."""

    thinking: bool | None
    template: str | None
    """Source of a chat template; None: the model's own."""
    window: bool
    """Where the messages don't fit, the oldest are left out."""

    @classmethod
    def of(cls, request: Request) -> "Tried":
        """What a request says of it."""
        template = (request.sampling.extra or {}).get(TEMPLATE)
        return cls(request.sampling.thinking, template if isinstance(template, str) else None, request.window)

    def on(self, sampling: Sampling) -> Sampling:
        """The sampling with it."""
        extra = {name: value for name, value in (sampling.extra or {}).items() if name != TEMPLATE}
        if self.template is not None:
            extra[TEMPLATE] = self.template
        return msgspec.structs.replace(sampling, thinking=self.thinking, extra=extra or None)


class Seen(ModalScreen[Tried | None]):
    """Asks the backend in a thread, and shows what it says. The result is what was tried and is to be kept."""

    CSS_PATH = "seen.tcss"
    BINDINGS = [
        Binding("escape,q,v,ctrl+c", "leave", show=False, priority=True),
        Binding("j,down", "step(1)", show=False, priority=True),
        Binding("k,up", "step(-1)", show=False, priority=True),
        Binding("g,home", "to_end(-1)", show=False, priority=True),
        Binding("G,end", "to_end(1)", show=False, priority=True),
        Binding("pagedown,space", "move(12)", show=False, priority=True),
        Binding("pageup", "move(-12)", show=False, priority=True),
        Binding("t", "thinking", show=False, priority=True),
        Binding("T", "template", show=False, priority=True),
        Binding("c", "window", show=False, priority=True),
        Binding("w", "keep", show=False, priority=True),
    ]

    class Arrived(Event):
        """The prompt as lines of the screen."""

        def __init__(self, asked: Request, prompt: Prompt, width: int, lines: list[PageLine]) -> None:
            super().__init__()
            self.asked = asked
            self.prompt = prompt
            self.width = width
            self.lines = lines

    class Refused(Event):
        """Why there is none."""

        def __init__(self, asked: Request, reason: str) -> None:
            super().__init__()
            self.asked = asked
            self.reason = reason

    class Coming(Event):
        """How far the model is, where it has to be fetched first."""

        def __init__(self, progress: Progress) -> None:
            super().__init__()
            self.progress = progress

    def __init__(self, request: Request, backends: Backends, inks: Inks) -> None:
        super().__init__()
        self._original = Tried.of(request)
        self._request = request
        self._backends = backends
        self._inks = inks
        self._stop = threading.Event()
        self._prompt: Prompt | None = None
        self._template_name = ""
        self.shown: tuple[Request, Prompt] | None = None
        """What was asked last and answered, and the prompt that came of it."""

    def compose(self) -> ComposeResult:
        with Vertical(id="seen"):
            yield Static(say("seen.waiting"), id="seen-head", markup=False)
            yield Static("", id="seen-message", markup=False)
            yield PromptPage(self._request, self._inks, id="seen-text")
        yield Hints(self._inks)

    def on_mount(self) -> None:
        self.set_focus(self.query_one(PromptPage))
        self._show_hints()
        # Not before the first layout: the page has no width yet.
        self.call_after_refresh(self._ask)

    @property
    def _tried(self) -> Tried:
        return Tried.of(self._request)

    def _ask(self) -> None:
        self._stop.set()
        self._stop = stop = threading.Event()
        request, backends, width = self._request, self._backends, self.query_one(PromptPage).text_width

        def ask() -> None:
            try:
                for progress in backends.prepare(request.address, stop):
                    self.post_message(self.Coming(progress))
                if stop.is_set():
                    return
                prompt = backends.prompt(request, stop)
            except QiaoError as error:
                if not stop.is_set():
                    self.post_message(self.Refused(request, str(error)))
                return
            self._lay_out(request, prompt, width, stop)

        threading.Thread(target=ask, name="seen", daemon=True).start()

    def _lay_out(self, request: Request, prompt: Prompt, width: int, stop: threading.Event) -> None:
        if not stop.is_set():
            self.post_message(self.Arrived(request, prompt, width, lay_out(prompt, width)))

    def on_prompt_page_resized(self) -> None:
        prompt, width = self._prompt, self.query_one(PromptPage).text_width
        if prompt is not None:
            arguments = (self._request, prompt, width, self._stop)
            threading.Thread(target=self._lay_out, args=arguments, name="seen layout", daemon=True).start()

    def on_seen_coming(self, event: Coming) -> None:
        self.query_one("#seen-head", Static).update(Content(progress_words(event.progress)))

    def on_seen_refused(self, event: Refused) -> None:
        if event.asked is not self._request:
            return
        self._prompt = None
        self.query_one("#seen-head", Static).update(Content(visible_line(event.reason)))
        self.query_one("#seen-message", Static).update("")
        self.query_one(PromptPage).show((), Prompt("chat", (), 0))
        self._show_hints()

    def on_seen_arrived(self, event: Arrived) -> None:
        if event.asked is not self._request:
            return
        page = self.query_one(PromptPage)
        self._prompt = event.prompt
        self.shown = event.asked, event.prompt
        page.show(event.lines, event.prompt)
        page.select_within()
        self.query_one("#seen-head", Static).update(Content("\n".join(self._head(event.prompt))))
        self._show_message()
        self._show_hints()
        if event.width != page.text_width:
            self.on_prompt_page_resized()

    def _head(self, prompt: Prompt) -> Iterator[str]:
        tokens, length = f"{prompt.tokens:,}", prompt.context_length
        parts = [visible_line(str(self._request.address)), say(f"seen.mode_{prompt.mode}")]
        if length:
            percent = _percent(prompt.tokens, length)
            parts.append(say("seen.tokens_of", tokens=tokens, length=f"{length:,}", percent=percent))
        else:
            parts.append(say("seen.tokens", tokens=tokens))
        yield " · ".join(parts)
        tried = self._tried
        parts = []
        if prompt.shares:
            own = sum(share.tokens for share in prompt.shares)
            key = "seen.parts_completion" if prompt.mode == "completion" else "seen.parts"
            parts.append(say(key, messages=f"{own:,}", around=f"{prompt.tokens - own:,}"))
        else:
            parts.append(say("seen.not_told"))
        if prompt.cut:
            parts.append(say("seen.cut", n=len(prompt.cut)))
        elif tried.window:
            parts.append(say("seen.all_fit"))
        elif length and prompt.tokens >= length:
            parts.append(say("seen.does_not_fit"))
        if tried.thinking is not None:
            parts.append(say("seen.thinking_on" if tried.thinking else "seen.thinking_off"))
        if tried.template is not None:
            parts.append(say("seen.template", name=visible_line(self._template_name or say("seen.of_conversation"))))
        yield " · ".join(parts)

    def _show_message(self) -> None:
        prompt = self._prompt
        line = ""
        if prompt is not None and prompt.shares:
            number = self.query_one(PromptPage).selected
            share, turn = prompt.shares[number], self._request.messages[number]
            role = say(f"screen.role_{turn.role}")
            if number in prompt.cut:
                words = say("seen.cut_message")
            elif share.tokens or not turn.text.strip():
                percent = _percent(share.tokens, prompt.tokens)
                words = say("seen.message", tokens=f"{share.tokens:,}", percent=percent)
            else:
                words = say("seen.left_out")
            line = f"{number + 1}/{len(prompt.shares)} {role} · {words}"
        self.query_one("#seen-message", Static).update(Content(line))

    def _show_hints(self) -> None:
        keys = [line.split("|") for line in say("seen.keys").split("\n")]
        if self._tried == self._original:
            keys = [line for line in keys if line[0] != "w"]
        self.query_one(Hints).show([Hint(key, words) for key, words in keys])

    def _try(self, tried: Tried) -> None:
        sampling = tried.on(self._request.sampling)
        self._request = msgspec.structs.replace(self._request, sampling=sampling, window=tried.window)
        self._ask()

    def action_thinking(self) -> None:
        following = {None: True, True: False, False: None}[self._tried.thinking]
        self._try(msgspec.structs.replace(self._tried, thinking=following))

    def action_window(self) -> None:
        self._try(msgspec.structs.replace(self._tried, window=not self._tried.window))

    def action_template(self) -> None:
        def chosen(path: Path | None) -> None:
            if path is None:
                return
            try:
                source = path.read_text(encoding="utf-8") if path.name else None
            except (OSError, UnicodeDecodeError) as error:
                reason = error.strerror if isinstance(error, OSError) else "UTF-8"
                words = say("seen.template_unreadable", path=visible_line(str(path)), reason=visible_line(str(reason)))
                self.app.notify(words, severity="error", markup=False)
                return
            self._template_name = path.name
            self._try(msgspec.structs.replace(self._tried, template=source))

        self.app.push_screen(ChooseTemplate(self._inks), chosen)

    def action_keep(self) -> None:
        if self._tried != self._original and self._prompt is not None:
            self._stop.set()
            self.dismiss(self._tried)

    def action_step(self, step: int) -> None:
        self.query_one(PromptPage).step(step)
        self._show_message()

    def action_to_end(self, step: int) -> None:
        self.query_one(PromptPage).to_end(step)
        self._show_message()

    def action_move(self, lines: int) -> None:
        self.query_one(PromptPage).move(lines)

    def action_leave(self) -> None:
        self._stop.set()
        self.dismiss(None)


def _percent(part: int, whole: int) -> str:
    percent = 100 * part / max(whole, 1)
    return f"{percent:.0f}" if percent >= 10 or not part else f"{percent:.1f}"
