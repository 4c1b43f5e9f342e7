"""What the command says with `--json`: one object on stdout, errors included."""

import json
import re
from collections.abc import Sequence
from typing import Any

import msgspec

from ..workbench.conversation import Take, Timing, Usage
from ..workbench.errors import QiaoError
from ..workbench.sampling import Sampling
from ..workbench.seam import Token
from ..workbench.visible import without_surrogates
from .streams import Data


def take_json(take: Take, chances: Sequence[Token] | None = None) -> dict[str, Any]:
    """A take with the names of the conversation's file; what isn't known is null, so that every key is there.

    Args:
        chances: how likely its tokens were, told as `logprobs`; None: that wasn't asked for.
    """
    usage, timing = take.usage or Usage(), take.timing or Timing()
    return {
        "text": take.text,
        "thinking": take.thinking,
        "model": take.model,
        "sampling": msgspec.to_builtins(take.sampling or Sampling()),
        "seed": take.seed,
        "prefix": take.prefix,
        "left_out": take.left_out,
        "finish": take.finish,
        "prompt_hash": take.prompt_hash,
        "created": take.created.isoformat() if take.created else None,
        "usage": _fields(usage),
        "timing": _fields(timing),
        # Asked for, but not told by the engine: null.
        **({} if chances is None else {"logprobs": msgspec.to_builtins(chances) or None}),
    }


def _fields(struct: Usage | Timing) -> dict[str, Any]:
    return {name: getattr(struct, name) for name in struct.__struct_fields__ if name != "extra"}


def error_json(kind: str, message: str) -> dict[str, Any]:
    """What went wrong, for a program: `kind` is the same in every language."""
    return {"error": {"kind": kind, "message": without_surrogates(message)}}


def write_json(data: Data, value: Any) -> None:
    """One object, indented, and a line feed."""
    try:
        text = msgspec.json.format(msgspec.json.encode(value), indent=2).decode()
    except OverflowError:
        # A whole number of more than 64 bits, among the parameters.
        text = json.dumps(msgspec.to_builtins(value), ensure_ascii=False, indent=2)
    data.write(text + "\n")


def kind_of(error: QiaoError) -> str:
    """What a program calls the error: `no_key` and the like of a model's side, else `unreadable`, `wrong_usage` …"""
    kind = getattr(error, "kind", None)
    if isinstance(kind, str):
        return kind
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__).lower()
