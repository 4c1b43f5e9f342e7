"""What can be pressed on a row of the model picker, for the last line of the screen."""

from collections.abc import Hashable
from typing import NamedTuple

from ...workbench.address import Address
from ...workbench.seam import Model, Source
from .model_tree import Part, Recent


class PickerHints(NamedTuple):
    """Words of the catalogue for enter and esc, and ids of actions, most likely first."""

    enter: str
    actions: list[str]
    esc: str


def picker_hints(
    key: Hashable | None, model: Model | None, source: Source | None, *, managed: bool, unknown: bool, busy: bool
) -> PickerHints:
    """What a row is good for.

    Args:
        key: of the row.
        model: which it is, if it is one that is listed.
        source: whose heading it is, if it is one.
        managed: it is a server that Qiao started.
        unknown: none of its models are known, so that it is to be asked.
        busy: something is under way for it.
    """
    esc = "hint_cancel" if busy else "hint_back"
    always = ["filter_models", "refresh_models", "add_provider"]
    match key:
        case Address() | Recent():
            state = None if model is None else model.state
            own = ["fetch_model"] if state == "absent" else ["unload_model"] if state == "loaded" or managed else []
            own += ["serve_model"] if state == "on_disk" else []
            return PickerHints("hint_use", [*own, *always], esc)
        case Part():
            if source is None or source.base_url is None:
                return PickerHints("hint_unfold", always, esc)
            enter = "hint_ask" if unknown else "hint_unfold"
            return PickerHints(enter, ["provider_key", "refresh_models", "filter_models", "add_provider"], esc)
        case _:
            return PickerHints("hint_add", always[:2], esc)
