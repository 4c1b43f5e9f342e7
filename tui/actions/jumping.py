"""Jump mode: one key, then the letter that stands on what one wants to go to."""

from textual import events

from ...workbench.words import say
from ..panes.hints import Hint
from ..panes.machine import MachinePane
from ..panes.rows import Rows
from ..panes.title import Title
from .group import Actions

PANES = {"m": "models", "s": "sampling", "S": "sensors", "O": "open"}
"""The letters of what always stands at the same place: the keys that its actions come with."""

MESSAGES = "adfghjklqwertyuiopzxcvbnADFGHJKLQWERTYUIPZXCVBNM"
"""Those of messages, the home row first; where more are in sight, the last ones have none."""


class Jumping(Actions):
    """Letters are shown until the next key, which goes to what has it, or nowhere."""

    _letters: dict[str, int] | None = None
    """The uid of the message that has each letter; None: none are shown."""

    def do_jump(self) -> None:
        if self.bench.has_class("-narrow"):
            # An open pane lies over the messages.
            self.bench.close_overlays()
        self._show_letters(dict(zip(MESSAGES, self.transcript.in_sight, strict=False)))

    def _show_letters(self, letters: dict[str, int] | None) -> None:
        self._letters = letters
        self.transcript.show_letters({uid: letter for letter, uid in (letters or {}).items()})
        models, sampling, machine, library = ("", "", "", "") if letters is None else PANES
        self.bench.query_one("#model-rows", Rows).show_letter(models)
        self.bench.query_one("#sampling-rows", Rows).show_letter(sampling)
        self.bench.query_one(MachinePane).show_letter(machine)
        self.bench.query_one(Title).show_letter(library)
        self.bench.refresh_hints()

    def took(self, event: events.Event) -> bool:
        """Whether letters were shown, and this is the key that goes to one, or just takes them away."""
        letters = self._letters
        if letters is None:
            return False
        self._show_letters(None)
        if not isinstance(event, events.Key):
            return False
        letter = event.character or ""
        if letter in PANES:
            self.bench.action_do(PANES[letter])
        elif letter in letters:
            self._go_to_message(letters[letter])
        return True

    def leave(self) -> None:
        """Takes the letters away, if there are any."""
        if self._letters is not None:
            self._show_letters(None)

    def _go_to_message(self, uid: int) -> None:
        self.bench.set_focus(self.transcript)
        self.session.selected = uid
        self.bench.refresh_conversation()
        self.transcript.reveal()
        self.bench.refresh_hints()

    def hints(self) -> list[Hint] | None:
        """What can be pressed while letters are shown; None: none are."""
        if self._letters is None:
            return None
        panes = [Hint(letter, say(f"actions.{action}")) for letter, action in PANES.items()]
        a_z = [Hint("a-z", say("screen.hint_go"))] if self._letters else []
        return [*a_z, *panes, Hint("esc", say("screen.hint_back"))]
