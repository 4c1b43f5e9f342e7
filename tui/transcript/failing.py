"""A take that broke off: what kind of trouble it was in a word, the sentence, and what can be pressed now."""

from typing import get_args

from ...workbench.conversation import Take, TakeError
from ...workbench.seam import FailureKind
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..text.glyphs import glyphs
from ..text.wrap import Line, wrap_text

KINDS = frozenset(get_args(FailureKind))

_ADVICE: dict[str, tuple[str, ...]] = {
    "unknown_model": ("models",),
    "missing_extra": ("models",),
    "unloadable": ("models",),
    "invalid_request": ("sampling", "again"),
    "context_too_long": ("shorten", "models"),
    "out_of_memory": ("again", "models"),
    "no_key": ("key", "models"),
    "key_refused": ("key", "models"),
    "no_credit": ("again", "models"),
    "content_refused": ("edit", "models"),
    "unreachable": ("again", "models"),
}
"""What helps where; for everything else it is worth another try."""

_CONTINUABLE = frozenset({"engine_died", "server_error", "stalled", "cut_off", "bad_reply", "out_of_memory"})
"""After these, what had arrived can be gone on from."""


def failure_lines(error: TakeError, width: int) -> list[Line]:
    """The kind in a word, if it is one that is known, and the sentence."""
    kind = f"{say(f'failing.kind_{error.kind}')} · " if error.kind in KINDS else ""
    return wrap_text(f"{glyphs.failed} {kind}{visible_line(error.message)}", width, "bad")


def advice(take: Take) -> str:
    """What can be pressed now, most helpful first; empty for a take that didn't break off."""
    if take.error is None:
        return ""
    keys = list(_ADVICE.get(take.error.kind, ("again",)))
    if take.text and take.error.kind in _CONTINUABLE:
        keys.insert(1, "continue")
    return "   ".join(say(f"failing.press_{key}") for key in keys)


def thought_only(take: Take) -> str | None:
    """One line for a reply that is all thinking and no answer; None for any other."""
    if take.text or take.error is not None or not take.thinking:
        return None
    if take.finish in ("length", "cancelled"):
        return say(f"failing.thought_{take.finish}")
    return say("failing.thought_only")
