"""Every action of the workbench: its keys, where they hold, and what carries it out.

The bindings, the footer, the help page and the palette are all made from this table; its words are `actions.ID` (short,
for the footer) and `actions.ID_help` (a sentence) in the catalogue. Keys are remapped in `config.toml`, `[keys]`.
"""

import re
from collections.abc import Mapping
from typing import Literal, NamedTuple

from textual.binding import Binding
from textual.keys import format_key

from ...workbench.visible import visible_line
from ...workbench.words import say
from ..text.glyphs import PLAIN, glyphs

Where = Literal["conversation", "workbench", "editor", "page", "models"]
"""conversation: while moving between messages. workbench: wherever no text is being typed. editor: while editing.
page: while editing the whole text that a base model goes on from, before what the key does in any editor.
models: in the model picker, before what the key does elsewhere.
"""

WRITING: frozenset[Where] = frozenset({"editor", "page"})
"""Where an action leaves the editor open, or closes it by itself."""


class Action(NamedTuple):
    """One thing that a person can do."""

    id: str
    keys: str
    """As Textual names them, parted by commas; none, where the help and the palette are enough."""
    where: Where
    group: str
    """Its heading on the help page: `actions.group_GROUP`."""

    @property
    def label(self) -> str:
        return say(f"actions.{self.id}")

    @property
    def help(self) -> str:
        return say(f"actions.{self.id}_help")


ACTIONS: tuple[Action, ...] = (  # Those of a group stand together, as the help page shows them.
    Action("next", "j,down", "conversation", "move"),
    Action("previous", "k,up", "conversation", "move"),
    Action("first", "g,home", "conversation", "move"),
    Action("last", "G,end", "conversation", "move"),
    Action("page_down", "pagedown,ctrl+d", "conversation", "move"),
    Action("page_up", "pageup,ctrl+u", "conversation", "move"),
    Action("jump", "apostrophe", "workbench", "move"),
    Action("edit", "e,enter", "conversation", "edit"),
    Action("external_editor", "o", "conversation", "edit"),
    Action("edit_file", "E", "conversation", "edit"),
    Action("add_below", "a", "conversation", "edit"),
    Action("add_above", "i", "conversation", "edit"),
    Action("delete", "d", "conversation", "edit"),
    Action("role", "t", "conversation", "edit"),
    Action("move_down", "J", "conversation", "edit"),
    Action("move_up", "K", "conversation", "edit"),
    Action("mute", "M", "conversation", "edit"),
    Action("join", "ampersand", "conversation", "edit"),
    Action("split_message", "vertical_line", "conversation", "edit"),
    Action("mark", "space", "conversation", "edit"),
    Action("note", "semicolon", "conversation", "edit"),
    Action("copy", "y", "conversation", "edit"),
    Action("copy_as", "Y", "conversation", "edit"),
    Action("paste", "P", "conversation", "edit"),
    Action("find", "slash", "conversation", "edit"),
    Action("undo", "u", "conversation", "edit"),
    Action("redo", "U,ctrl+y", "conversation", "edit"),
    Action("variables", "V", "workbench", "edit"),
    Action("run", "r,f5", "conversation", "run"),
    Action("several", "N", "conversation", "run"),
    Action("replay", "R", "conversation", "run"),
    Action("continue", "p", "conversation", "run"),
    Action("previous_take", "h,left", "conversation", "run"),
    Action("next_take", "l,right", "conversation", "run"),
    Action("star", "asterisk", "conversation", "run"),
    Action("next_starred", "greater_than_sign", "conversation", "run"),
    Action("compare", "c", "conversation", "run"),
    Action("history", "H", "conversation", "run"),
    Action("fork", "f", "conversation", "run"),
    Action("chances", "percent_sign", "conversation", "run"),
    Action("fold", "z", "conversation", "run"),
    Action("fold_all", "Z", "conversation", "run"),
    Action("seen", "v", "conversation", "run"),
    Action("stop", "escape,ctrl+c", "workbench", "run"),
    Action("models", "m", "workbench", "panes"),
    Action("sampling", "s", "workbench", "panes"),
    Action("sensors", "S", "workbench", "panes"),
    Action("next_pane", "tab", "workbench", "panes"),
    Action("filter_models", "slash", "models", "models"),
    Action("refresh_models", "R", "models", "models"),
    Action("fetch_model", "f", "models", "models"),
    Action("unload_model", "x", "models", "models"),
    Action("serve_model", "V", "models", "models"),
    Action("provider_key", "K", "models", "models"),
    Action("add_provider", "plus", "models", "models"),
    Action("new", "n", "workbench", "files"),
    Action("open", "O", "workbench", "files"),
    Action("next_file", "right_square_bracket", "workbench", "files"),
    Action("previous_file", "left_square_bracket", "workbench", "files"),
    Action("close", "X", "workbench", "files"),
    Action("reopen", "L", "workbench", "files"),
    Action("tags", "number_sign", "workbench", "files"),
    Action("save", "w", "workbench", "files"),
    Action("save_as", "W", "workbench", "files"),
    Action("keys", "A", "workbench", "screen"),
    Action("help", "question_mark", "workbench", "screen"),
    Action("tour", "", "workbench", "screen"),
    Action("palette", "colon,ctrl+p", "workbench", "screen"),
    Action("theme", "T", "workbench", "screen"),
    Action("repaint", "ctrl+l", "workbench", "screen"),
    Action("quit", "q", "workbench", "screen"),
    Action("leave_editor", "escape", "editor", "write"),
    Action("run_from_editor", "ctrl+r", "editor", "write"),
    Action("role_in_editor", "ctrl+t", "editor", "write"),
    Action("split", "ctrl+x", "editor", "write"),
    Action("cut_rest", "ctrl+x", "page", "write"),
)

BY_ID = {action.id: action for action in ACTIONS}


class Keys:
    """The actions with the keys that they have here, remapped ones included."""

    def __init__(self, remapped: Mapping[str, str] | None = None) -> None:
        self.problems: list[str] = []
        wanted: dict[str, list[str]] = {}
        for action_id, keys in (remapped or {}).items():
            if action_id not in BY_ID:
                self.problems.append(say("actions.unknown_action", id=visible_line(action_id)))
                continue
            names = [_key_name(key) for key in keys.split(",")]
            wrong = [key for key in names if not _KEY.fullmatch(key)]
            self.problems += [say("actions.unknown_key", id=action_id, wrong=visible_line(key)) for key in wrong]
            wanted[action_id] = [key for key in names if key not in wrong]
        self._keys: dict[str, list[str]] = {}
        taken: dict[tuple[str, str], str] = {}
        # What a person chose goes before what Qiao came with.
        for action in sorted(ACTIONS, key=lambda action: action.id not in wanted):
            own = wanted.get(action.id) or [key for key in action.keys.split(",") if key]
            place = action.where if action.where in ("editor", "page", "models") else ""
            self._keys[action.id] = [key for key in own if taken.setdefault((place, key), action.id) == action.id]
            if own and not self._keys[action.id]:
                other = taken[place, own[0]]
                key = _shown_key(own[0])
                self.problems.append(say("actions.clash", taken_key=key, one=other, other=action.id))

    def bindings(self, *where: Where) -> list[Binding]:
        """One binding a key, for all actions that hold there.

        They have priority, so that each key is carried out before the next one is looked at: what is typed in one
        burst (over a slow line, say) means what it says.
        """
        return [
            Binding(key, f"screen.do('{action.id}')", action.label, show=False, priority=True)
            for action in ACTIONS
            if action.where in where
            for key in self._keys[action.id]
        ]

    def everywhere(self, action_id: str) -> list[str]:
        """Those keys of an action that type no text, and so can hold in dialogs and while editing too."""
        return [key for key in self._keys[action_id] if re.fullmatch(r"ctrl\+.+|f\d+", key)]

    def shown(self, action_id: str) -> list[str]:
        """The keys of an action as people write them; none, if others took them all."""
        return [_shown_key(key) for key in self._keys[action_id]]


_KEY = re.compile(r"[A-Za-z0-9_+]+|[^\W\d_]")
"""A key as Textual names it."""

_NAMES = {
    "escape": "esc",
    "enter": "enter",
    "pagedown": "pgdn",
    "pageup": "pgup",
    "up": "↑",
    "down": "↓",
    "left": "←",
    "right": "→",
}


def _shown_key(key: str) -> str:
    if glyphs == PLAIN and key in ("up", "down", "left", "right"):
        return key
    return _NAMES.get(key) or (key if "+" in key else format_key(key))


def _key_name(key: str) -> str:
    """Textual's name for a key that a person wrote: `?` is question_mark."""
    from textual.keys import _character_to_key

    key = key.strip()
    return _character_to_key(key) if len(key) == 1 and not key.isalnum() else key
