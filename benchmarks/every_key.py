"""Every key of a long conversation that could have to look at all of it, and how long each takes to the screen."""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

from terminal import Terminal

PATIENCE_S = 300.0
SETTLED_S = 0.1
"""Without a byte for so long, a key has had all its effects."""

Shows = Callable[[str], object]
"""Whether the screen's text shows what a key does."""


class Key(NamedTuple):
    """A key in the state that those before it have led to."""

    name: str
    sent: str
    shows: Shows | str | None = None
    """None: anything else than before."""
    then_s: float = 0.0
    """Seconds before the next one."""


class Took(NamedTuple):
    """How long one press took."""

    seconds: float
    """To the screen."""
    cpu_seconds: float | None
    """Of the program's main thread, until then; None: this system doesn't say."""


def _without(text: str) -> Shows:
    return lambda shown: text not in shown


FIRST: Shows = lambda shown: "Message 1. " in shown  # noqa: E731
EDITOR = "esc done"

MOVES = (
    Key("`g`", "g", FIRST),
    Key("`G`", "G", _without("Message 1. ")),
    Key("`g`", "g", FIRST),
    Key("page down", "\x1b[6~"),
    Key("page up", "\x1b[5~"),
    Key("`j`", "j"),
    Key("`k`", "k"),
)
EDITS = (
    Key("space", " ", "marked"),
    Key("`k`", "k"),
    Key("space", " ", _without("marked")),
    Key("`k`", "k"),
    Key("`M`", "M", "not sent"),
    Key("`u`", "u", _without("not sent")),
    Key("`U`", "U", "not sent"),
    Key("`u`", "u", _without("not sent")),
    Key("`t`", "t"),
    Key("`u`", "u"),
    Key("`J`", "J"),
    Key("`K`", "K"),
    Key("`d`", "d", _without("Message 1. ")),
    Key("`u`", "u", FIRST),
    Key("`&`", "&"),
    Key("`u`", "u"),
    Key("`g`", "g", then_s=0.2),
    Key("`y`", "y"),
    Key("`P`", "P"),
    Key("`u`", "u"),
    Key("`g`", "g", FIRST),
)
WRITES = (
    Key("`e`", "e", EDITOR),
    Key("a typed letter", "Z", "Z"),
    Key("a typed letter", "Q", "ZQ"),
    Key("a typed letter", "X", "ZQX"),
    Key("`esc` from the editor", "\x1b", _without(EDITOR)),
    Key("`j` during a save", "j", then_s=0.4),
    Key("`k` during a save", "k", then_s=0.1),
    Key("`u`", "u", _without("ZQX")),
    Key("`|`", "|", EDITOR),
    Key("`esc` from the editor", "\x1b", _without(EDITOR)),
    Key("`a`", "a", EDITOR),
    Key("`esc` from the editor", "\x1b", _without(EDITOR)),
    Key("a paste", "\x1b[200~ZQXJ\r\x1b[201~", "ZQXJ"),
    Key("`esc` from the editor", "\x1b", _without(EDITOR)),
    Key("`u`", "u", _without("ZQXJ")),
)
LOOKS = (
    Key("`/`", "/", "Find in this"),
    Key("a letter to find", "q"),
    Key("a letter to find", "u"),
    Key("`esc` from finding", "\x1b", _without("Find in this")),
    Key("`G`", "G", _without("Message 1. ")),
    Key("`v`", "v", _without("saved")),
    Key("`esc` from the exact text", "\x1b", "saved", then_s=0.5),
    Key("`N`", "N", "How many"),
    Key("`esc` from a dialog", "\x1b", _without("How many")),
)
RUNS = (
    Key("`R`", "R", "REPLAY"),
    Key("`esc` from a dialog", "\x1b", _without("REPLAY")),
    Key("`r`", "r", "esc stop", then_s=0.5),
    Key("`esc` that stops", "\x1b", _without("esc stop"), then_s=0.3),
    Key("`r`", "r", "esc stop", then_s=0.5),
    Key("`esc` that stops", "\x1b", _without("esc stop"), then_s=0.3),
    Key("`c`", "c", _without("saved")),
    Key("`esc` from comparing", "\x1b", "saved"),
)
STILL = MOVES + EDITS + WRITES + LOOKS + RUNS
STREAMING = MOVES + EDITS + WRITES + LOOKS
"""While an answer comes at the end."""


def press_all(terminal: Terminal, keys: Sequence[Key], took: dict[str, list[Took]]) -> None:
    """Presses these, each when the one before it has had its effect; notes how long each took, by name."""
    for key in keys:
        before = terminal.text()
        shows = key.shows if key.shows is not None else lambda shown, before=before: shown != before
        cpu, sent = terminal.main_thread_seconds(), time.monotonic()
        terminal.send(key.sent)
        try:
            seconds = terminal.when(shows, PATIENCE_S) - sent
        except TimeoutError as error:
            raise TimeoutError(f"after {key.name}: {error}") from error
        after = terminal.main_thread_seconds()
        took.setdefault(key.name, []).append(Took(seconds, None if cpu is None or after is None else after - cpu))
        terminal.settle(SETTLED_S, 1.0)
        time.sleep(key.then_s)


def worst(took: dict[str, list[Took]], count: int) -> list[str]:
    """The names of the slowest, the slowest first, by the median of each: one press may be unlucky."""
    return sorted(took, key=lambda name: -statistics.median(each.seconds for each in took[name]))[:count]
