"""Large things: ten thousand messages, and one message of a megabyte, or ten."""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from conversations import answer, write_large, write_long
from every_key import STILL, STREAMING, Took, press_all, worst
from homes import own_home
from table import Budget, Row, Section
from terminal import Terminal

HERE = Path(__file__).parent
PATIENCE_S = 300.0
BARE_PATIENCE_S = 60.0
ROUNDS = 5
ANSWERED = Budget(50)
WORST = 8
"""So many of the keys have rows of their own."""


def measured(quick: bool) -> Section:
    """The rows."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        rows = _many_messages(place, 1_000 if quick else 10_000, 2 if quick else ROUNDS)
        rounds, megabyte = (2, 100_000) if quick else (ROUNDS, 1_000_000)
        rows += _one_message(place, megabyte, 600, "in paragraphs", rounds)
        rows += _one_message(place, megabyte, 0, "in one line", rounds)
        rows += _one_message(place, 10 * megabyte, 50, "in short lines", rounds)
        # A bare text area takes a minute a key there.
        rows += _one_message(place, 10 * megabyte, 0, "in one line", rounds, beside_bare=False)
    return Section("Large things", rows)


def _many_messages(folder: Path, count: int, rounds: int) -> list[Row]:
    talk = write_long(folder / "long.toml", count, 300)
    text = folder / "answer.txt"
    text.write_text(answer(9000), encoding="utf-8")
    arguments = [str(HERE / "scripted_workbench.py"), str(talk), "--answer", str(text)]
    bare = [str(HERE / "bare" / "read.py"), str(talk)]
    bare_opened, bare_keys = _painted(bare, "read", folder), _bare_keys(bare, folder)
    opened: list[float] = []
    still: dict[str, list[Took]] = {}
    streaming: dict[str, list[Took]] = {}
    for _ in range(rounds):
        opened.append(_painted(arguments, f"Message {count}.", folder))
    with _started(arguments, folder) as terminal:
        terminal.when(f"Message {count}.", PATIENCE_S)
        terminal.settle()
        # Code that is needed for the first time is loaded then.
        press_all(terminal, STILL, {})
        for _ in range(rounds):
            press_all(terminal, STILL, still)
        terminal.send("Gr")
        terminal.wait("esc stop")
        for _ in range(rounds):
            press_all(terminal, STREAMING, streaming)
    what = f"{count:,} messages of 300 characters:"
    beside = "an app that reads it"
    every = [each.seconds for took in still.values() for each in took]
    while_streaming = [each.seconds for took in streaming.values() for each in took]
    bare_median = _median_ms(bare_keys)
    return [
        Row(f"{what} start to first paint, s", statistics.median(opened), bare_opened, beside, Budget(1)),
        Row(f"{what} key to screen, median of {len(every)}, ms", _median_ms(every), bare_median, beside, ANSWERED),
        *_worst_rows(what, still, bare_median, beside),
        Row(
            f"{what} key to screen while 60 tokens/s stream in, median of {len(while_streaming)}, ms",
            _median_ms(while_streaming),
            bare_median,
            beside,
            ANSWERED,
        ),
        *_worst_rows(f"{what} while 60 tokens/s stream in,", streaming, bare_median, beside),
    ]


def _worst_rows(what: str, took: dict[str, list[Took]], bare_ms: float, beside: str) -> list[Row]:
    """The slowest keys, each with its time to the screen, and how much of it the program's main thread worked."""
    rows: list[Row] = []
    for name in worst(took, WORST):
        median = _median_ms([each.seconds for each in took[name]])
        rows.append(Row(f"{what} {name}, median, ms", median, bare_ms, beside, ANSWERED))
        if cpu := [each.cpu_seconds for each in took[name] if each.cpu_seconds is not None]:
            rows.append(Row(f"{what} {name}, ms of processor time", _median_ms(cpu), budget=ANSWERED))
    return rows


def _bare_keys(bare: list[str], folder: Path) -> list[float]:
    with _started(bare, folder) as terminal:
        terminal.when("read", PATIENCE_S)
        terminal.settle()
        took: list[float] = []
        for key in "jkgqjkgqjkgq":
            took.append(_answered(terminal, key, f"then {key}"))
            time.sleep(0.1)
        return took


def _one_message(
    folder: Path, characters: int, paragraph: int, how: str, rounds: int, *, beside_bare: bool = True
) -> list[Row]:
    talk = write_large(folder / "large.toml", characters, paragraph)
    arguments = [str(HERE / "scripted_workbench.py"), str(talk)]
    bare = [str(HERE / "bare" / "text_area.py"), str(talk)]
    # A word of the text: the page opens at its end.
    opened = _painted(arguments, "audience", folder)
    moved: list[float] = []
    typed: list[float] = []
    with _started(arguments, folder) as terminal:
        terminal.when("audience", PATIENCE_S)
        terminal.settle()
        for _ in range(rounds):
            for key in ("\x1b[5~", "\x1b[5~", "\x1b[6~"):
                time.sleep(0.05)
                moved.append(_answered(terminal, key, _changed(terminal)))
        # What is in sight may still be laid out when the heading says so.
        edited = _answered(terminal, "eJZ", "JZ")
        spent = terminal.spent(lambda: typed.extend(_type(terminal, "ZQXJ" * rounds)))
        left = _answered(terminal, "\x1b", lambda shown: "editing" not in shown)
    bare_opened = bare_median = bare_slowest = None
    if beside_bare:
        with _started(bare, folder) as terminal:
            bare_opened = terminal.when(lambda shown: shown.strip(), PATIENCE_S) - terminal.begun
            # It goes on wrapping, and answers once it is done; its caret blinks, so that it never settles.
            with suppress(TimeoutError):
                _answered(terminal, "J", "J", BARE_PATIENCE_S)
                bare_typed = _type(terminal, "ZQ", BARE_PATIENCE_S)
                bare_median, bare_slowest = _median_ms(bare_typed), max(bare_typed) * 1000
    what = f"{characters / 1e6:g} MB in one message, {how}:"
    area = typing = "a bare TextArea" if beside_bare else ""
    if beside_bare and bare_median is None:
        typing += f", which shows none within {BARE_PATIENCE_S:.0f} s"
    return [
        Row(f"{what} start to first paint, s", opened, bare_opened, area, Budget(1)),
        Row(f"{what} page up or down, slowest, ms", max(moved) * 1000, budget=ANSWERED),
        Row(f"{what} `e` and two letters typed at once, ms", edited * 1000),
        Row(f"{what} typed character, median, ms", _median_ms(typed), bare_median, typing, ANSWERED),
        Row(f"{what} typed character, slowest, ms", max(typed) * 1000, bare_slowest, typing),
        Row(f"{what} a typed character, ms of processor time", spent.cpu_seconds / len(typed) * 1000),
        Row(f"{what} `esc` from the editor, ms", left * 1000),
    ]


def _type(terminal: Terminal, word: str, patience: float = PATIENCE_S) -> list[float]:
    took: list[float] = []
    for end in range(1, len(word) + 1):
        time.sleep(0.05)
        took.append(_answered(terminal, word[end - 1], word[:end][-8:], patience))
    return took


def _median_ms(seconds: list[float]) -> float:
    return statistics.median(seconds) * 1000


def _answered(
    terminal: Terminal, key: str, condition: str | Callable[[str], object], patience: float = PATIENCE_S
) -> float:
    """How long it takes until the screen shows what the key does; seconds."""
    terminal.text()
    sent = time.monotonic()
    terminal.send(key)
    return terminal.when(condition, patience) - sent


def _changed(terminal: Terminal) -> Callable[[str], bool]:
    before = terminal.text()
    return lambda shown: shown != before


def _started(arguments: list[str], folder: Path) -> Terminal:
    return Terminal([sys.executable, *arguments], environment=own_home(folder))


def _painted(arguments: list[str], shown: str, folder: Path) -> float:
    with _started(arguments, folder) as terminal:
        return terminal.when(shown, PATIENCE_S) - terminal.begun
