"""How a model is asked to choose its tokens. Unset means the engine's own default."""

from typing import Annotated, Any

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
