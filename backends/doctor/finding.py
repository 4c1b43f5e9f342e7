"""One thing that was looked at: how it is, and what to do about it."""

from typing import Literal

import msgspec

State = Literal["ok", "absent", "warn", "bad"]
"""absent: not here, and not needed for everything. warn: it works, but worse than it could. bad: it is here, but
doesn't work."""

Value = str | int | float | bool | None | list[str]


class Finding(msgspec.Struct, frozen=True):
    """A line of the report. All texts are in the person's language, and may hold text from outside."""

    name: str
    """For programs: the same in every language."""
    title: str
    state: State
    fact: str
    advice: str = ""
    """What to do; empty if there is nothing."""
    values: dict[str, Value] = {}
    """The fact, for programs."""
