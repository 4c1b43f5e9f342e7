"""The last line of the screen: what can be done now, and what the folded panes would show."""

import time
from typing import TYPE_CHECKING

from ...workbench.address import Address
from ...workbench.words import say
from ..panes.hints import Hint, Hints
from ..panes.inline_input import InlineInput
from ..panes.model_tree import Part, Recent
from ..panes.models import ModelsPane
from ..panes.picker_hints import picker_hints
from ..text.glyphs import SIDEWAYS, glyphs
from ..transcript.blocks import take_mark
from .edited import EditedPage
from .part import BenchPart

if TYPE_CHECKING:
    from .screen import WorkbenchScreen

SMALLEST = (40, 10)
ALWAYS = ("help", "quit")
"""Actions that the last line names however narrow it is."""
FOLDED_SECONDS = 3
"""How long the machine's figure at the foot of a small screen stands: it must not keep a line busy."""
ON_PAGE = frozenset({"edit", "run", "continue", "run_from_editor"})
"""Actions that are called otherwise on a page."""


class LastLine(BenchPart):
    """Says what is likely wanted first; what is always there stands at its end."""

    def __init__(self, bench: "WorkbenchScreen") -> None:
        super().__init__(bench)
        self._machine_words: tuple[float, str] = (0.0, "")

    # Hints

    def refresh(self) -> None:
        jumping = self.bench.jumping.hints()
        # Where a letter is awaited, each of them is shown.
        hints, state = (self._hints(), self._state_words()) if jumping is None else (jumping, "")
        pinned = len(ALWAYS) if hints[-1:] == self._action_hints(ALWAYS[-1]) else 0
        self.bench.query_one("#hints", Hints).show(hints, state, pinned)

    def _hints(self) -> list[Hint]:
        focused, size, editor = self.bench.focused, self.bench.size, self.bench.editor
        if size.width and (size.width < SMALLEST[0] or size.height < SMALLEST[1]):
            return [Hint("!", say("screen.too_small"))]
        if focused is not None and focused is editor:
            return self._action_hints("leave_editor", "run_from_editor", "role_in_editor", "split")
        if isinstance(focused, InlineInput):
            words = {"enter": "hint_done", "esc": "hint_back"}
        elif focused is not None and focused.id == "model-rows":
            return self._picker_hints()
        elif focused is not None and focused.id == "sampling-rows":
            words = {"enter": "hint_type", SIDEWAYS: "hint_step", "d": "hint_unset", "esc": "hint_back"}
        else:
            return self._action_hints(*self._likely_actions(), *ALWAYS)
        return [Hint(key, say(f"screen.{word}")) for key, word in words.items()]

    def _picker_hints(self) -> list[Hint]:
        key = self.bench.query_one(ModelsPane).selected_key
        address = key.address if isinstance(key, Recent) else key
        model = self.bench.known.model(address) if isinstance(address, Address) else None
        source = self.bench.known.source(key.provider) if isinstance(key, Part) else None
        unknown = source is not None and self.bench.known.is_unknown(source.provider)
        busy = self.qiao.jobs.of(address) is not None
        managed = address in [server.address for server in self.qiao.backends.servers()]
        enter, own, esc = picker_hints(key, model, source, managed=managed, unknown=unknown, busy=busy)
        return [
            Hint("enter", say(f"screen.{enter}")),
            *self._action_hints(*own),
            Hint("esc", say(f"screen.{esc}")),
            *self._action_hints("help"),
        ]

    def _likely_actions(self) -> list[str]:
        session = self.session
        message = session.message
        stop = ["stop"] if session.runs else []
        if self.bench.is_page:
            if message is None:
                return ["edit", "open", "models", "sampling"]
            takes = ["previous_take", "next_take"] if len(message.takes) > 1 else []
            return [*stop, "edit", "continue", "run", *takes, "seen", "undo", "models", "sampling"]
        if message is None:
            return ["add_below", *(["reopen"] if self.bench.closing.offers else []), "open", "models", "sampling"]
        end = ["models", "sampling", "undo"]
        if message.role == "assistant":
            takes = ["previous_take", "next_take", "compare", "star"] if len(message.takes) > 1 else []
            return [*stop, "run", "edit", "add_below", *takes, "continue", "seen", "role", *end]
        return [*stop, "run", "edit", "add_below", "role", "seen", *end]

    def _action_hints(self, *action_ids: str) -> list[Hint]:
        on_page = self.bench.is_page
        if isinstance(self.bench.drafting.edited, EditedPage):
            action_ids = tuple(id for id in action_ids if id != "role_in_editor")
            action_ids = tuple("cut_rest" if id == "split" else id for id in action_ids)
        keys = self.qiao.keys
        return [
            Hint(shown[0], say(f"page.{id}" if on_page and id in ON_PAGE else f"actions.{id}"))
            for id in action_ids
            if (shown := keys.shown(id))
        ]

    def _state_words(self) -> str:
        """What the folded panes would show, and that there is more below."""
        words: list[str] = []
        message = self.session.message if self.session.page is not None and self.bench.editor is None else None
        if message is not None and (mark := take_mark(message, coming=self.session.run_of(message.uid) is not None)):
            words.append(mark)
        if self.transcript.more_below:
            words.append(f"{glyphs.more} {say('screen.more_below')}")
        # A figure that changes by itself would be read out again and again.
        if self.bench.has_class("-narrow") and not self.qiao.plain and (machine := self._folded_machine()):
            words.append(machine)
        return " · ".join(words)

    def _folded_machine(self) -> str:
        since, words = self._machine_words
        snapshot = self.qiao.sampler.latest
        if snapshot is None or (words and time.monotonic() - since < FOLDED_SECONDS):
            return words
        busiest = snapshot.busiest
        if busiest is not None:
            words = f"{busiest.kind.upper()} {busiest.utilization:3d}%"
        elif snapshot.machine.cpu_percent is not None:
            words = f"CPU {snapshot.machine.cpu_percent:3.0f}%"
        self._machine_words = time.monotonic(), words
        return words
