"""How a model is asked to choose its tokens. Unset means the engine's own default."""

from typing import Annotated, Any, get_args, get_type_hints

import msgspec
from msgspec import Meta

Finite = float
"""A float that must be neither nan nor inf; checked where it is read, since a range alone lets inf through."""


class Sampling(msgspec.Struct, frozen=True, omit_defaults=True, forbid_unknown_fields=True):
    """Sampling parameters, in the field's common terms. None: unset, the engine's own default."""

    temperature: Annotated[Finite, Meta(ge=0)] | None = None
    """0 is greedy."""
    top_p: Annotated[Finite, Meta(gt=0, le=1)] | None = None
    top_k: Annotated[int, Meta(ge=0)] | None = None
    """0 switches it off."""
    min_p: Annotated[Finite, Meta(ge=0, le=1)] | None = None
    max_tokens: Annotated[int, Meta(ge=1)] | None = None
    """At most so many new tokens, thinking included."""
    stop: tuple[str, ...] | None = None
    """Strings that end an answer; they are not part of it."""
    seed: Annotated[int, Meta(ge=0, le=2**63 - 1)] | None = None
    repetition_penalty: Annotated[Finite, Meta(gt=0)] | None = None
    presence_penalty: Annotated[Finite, Meta(ge=-2, le=2)] | None = None
    frequency_penalty: Annotated[Finite, Meta(ge=-2, le=2)] | None = None
    n: Annotated[int, Meta(ge=1, le=128)] | None = None
    """How many takes one run makes; the i-th uses seed + i."""
    logprobs: Annotated[int, Meta(ge=0, le=20)] | None = None
    """So many likeliest alternatives a token are recorded."""
    thinking: bool | None = None
    """On, off, or the model's own default."""
    thinking_budget: Annotated[int, Meta(ge=0)] | None = None
    """At most so many thinking tokens."""
    extra: dict[str, Any] | None = None
    """Further parameters, handed to the engine as they are."""
    unknown: dict[str, Any] = {}
    """Keys of a newer program's file, kept for it; no parameters."""

    def with_defaults(self, defaults: "Sampling") -> "Sampling":
        """This sampling, with what is unset taken from `defaults`."""
        merged = {name: getattr(defaults, name) for name in NAMES if getattr(self, name) is None}
        return msgspec.structs.replace(self, **merged)


NAMES: tuple[str, ...] = tuple(name for name in Sampling.__struct_fields__ if name != "unknown")
"""Every parameter's name, in the order in which it is shown and saved."""


def clamped(name: str, value: float, before: float) -> float:
    """The value nearest to this one that a numeric parameter may have.

    Args:
        name: of a parameter that is a number.
        value: what it would become.
        before: what it is: it stays so where its range has no last value, as above 0.
    """
    for limit in _limits(name):
        if limit.gt is not None and value <= limit.gt:
            return before
        if limit.ge is not None:
            value = max(value, type(value)(limit.ge))
        if limit.le is not None:
            value = min(value, type(value)(limit.le))
    return value


def _limits(name: str) -> list[Meta]:
    """The range that the struct above gives a parameter."""
    types = get_type_hints(Sampling, include_extras=True)
    return [limit for kind in get_args(types[name]) for limit in get_args(kind)[1:] if isinstance(limit, Meta)]
