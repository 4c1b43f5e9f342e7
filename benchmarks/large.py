"""Large things: ten thousand messages, and one message of a megabyte."""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from conversations import answer, write_large, write_long
from homes import own_home
from table import Budget, Row, Section
from terminal import Terminal

HERE = Path(__file__).parent
PATIENCE_S = 300.0
ROUNDS = 5
ANSWERED = Budget(50)


def measured(quick: bool) -> Section:
    """The rows."""
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        rows = _many_messages(place, 1_000 if quick else 10_000, 2 if quick else ROUNDS)
        rows += _one_message(place, 100_000 if quick else 1_000_000, 600, "in paragraphs", 2 if quick else ROUNDS)
        rows += _one_message(place, 100_000 if quick else 1_000_000, 0, "in one line", 2 if quick else ROUNDS)
    return Section("Large things", rows)


def _many_messages(folder: Path, count: int, rounds: int) -> list[Row]:
    talk = write_long(folder / "long.toml", count, 300)
    text = folder / "answer.txt"
    text.write_text(answer(3000), encoding="utf-8")
    arguments = [str(HERE / "scripted_workbench.py"), str(talk), "--answer", str(text)]
    bare = _painted([str(HERE / "bare" / "read.py"), str(talk)], "read", folder)
    opened: list[float] = []
    still: list[float] = []
    streaming: list[float] = []
    for _ in range(rounds):
        opened.append(_painted(arguments, f"Message {count}.", folder))
    with _started(arguments, folder) as terminal:
        terminal.when(f"Message {count}.", PATIENCE_S)
        terminal.settle()
        for _ in range(rounds):
            still += _through_many(terminal, count)
        terminal.send("Gr")
        terminal.wait("esc stop")
        for _ in range(rounds):
            streaming += _through_many(terminal, count)
    what = f"{count:,} messages of 300 characters:"
    return [
        Row(f"{what} start to first paint, s", statistics.median(opened), bare, "an app that reads it", Budget(1)),
        Row(f"{what} key to screen, median, ms", statistics.median(still) * 1000),
        Row(f"{what} key to screen, slowest of {len(still)}, ms", max(still) * 1000, budget=ANSWERED),
        Row(f"{what} the same while 60 tokens/s stream in, ms", max(streaming) * 1000, budget=ANSWERED),
    ]


def _through_many(terminal: Terminal, count: int) -> list[float]:
    """Through the file and back, with an edit that is saved meanwhile; how long each key took, in seconds."""
    took = [
        _answered(terminal, "g", lambda shown: "Message 1. " in shown),
        _answered(terminal, "j", _moved(terminal)),
        _answered(terminal, "k", _moved(terminal)),
        _answered(terminal, "e", "editing"),
    ]
    for typed in ("Z", "ZQ", "ZQX", "ZQXJ"):
        took.append(_answered(terminal, typed[-1], typed))
        time.sleep(0.05)
    took.append(_answered(terminal, "\x1b", lambda shown: "editing" not in shown))
    # The file is being saved: keys go on being answered.
    for _ in range(6):
        time.sleep(0.11)
        took.append(_answered(terminal, "j", _moved(terminal)))
    took.append(_answered(terminal, "g", lambda shown: "Message 1. " in shown))
    took.append(_answered(terminal, "u", lambda shown: "ZQXJ" not in shown))
    took.append(_answered(terminal, "G", lambda shown: "Message 1. " not in shown))
    return took


def _one_message(folder: Path, characters: int, paragraph: int, how: str, rounds: int) -> list[Row]:
    talk = write_large(folder / "large.toml", characters, paragraph)
    arguments = [str(HERE / "scripted_workbench.py"), str(talk)]
    bare = [str(HERE / "bare" / "text_area.py"), str(talk)]
    # A word of the text: the page opens at its end.
    opened = _painted(arguments, "audience", folder)
    moved: list[float] = []
    edited: list[float] = []
    typed: list[float] = []
    with _started(arguments, folder) as terminal:
        terminal.when("audience", PATIENCE_S)
        terminal.settle()
        for _ in range(rounds):
            for key in ("\x1b[5~", "\x1b[5~", "\x1b[6~"):
                time.sleep(0.05)
                moved.append(_answered(terminal, key, _changed(terminal)))
        edited.append(_answered(terminal, "e", "editing"))
        typed += _type(terminal, "ZQXJ" * rounds)
        left = _answered(terminal, "\x1b", lambda shown: "editing" not in shown)
    with _started(bare, folder) as terminal:
        bare_opened = terminal.when(lambda shown: shown.strip(), PATIENCE_S) - terminal.begun
        terminal.settle(1.0, PATIENCE_S)
        bare_typed = _type(terminal, "ZQ")
    what = f"{characters / 1e6:g} MB in one message, {how}:"
    area = "a bare TextArea"
    return [
        Row(f"{what} start to first paint, s", opened, bare_opened, area, Budget(1)),
        Row(f"{what} page up or down, slowest, ms", max(moved) * 1000, budget=ANSWERED),
        Row(f"{what} `e` to the editor, ms", edited[0] * 1000),
        Row(f"{what} typed character, median, ms", _median_ms(typed), _median_ms(bare_typed), area, ANSWERED),
        Row(f"{what} typed character, slowest, ms", max(typed) * 1000, max(bare_typed) * 1000, area),
        Row(f"{what} `esc` from the editor, ms", left * 1000),
    ]


def _type(terminal: Terminal, word: str) -> list[float]:
    took: list[float] = []
    for end in range(1, len(word) + 1):
        time.sleep(0.05)
        took.append(_answered(terminal, word[end - 1], word[:end][-8:]))
    return took


def _median_ms(seconds: list[float]) -> float:
    return statistics.median(seconds) * 1000


def _answered(terminal: Terminal, key: str, condition: str | Callable[[str], object]) -> float:
    """How long it takes until the screen shows what the key does; seconds."""
    terminal.text()
    sent = time.monotonic()
    terminal.send(key)
    return terminal.when(condition, PATIENCE_S) - sent


def _changed(terminal: Terminal) -> Callable[[str], bool]:
    before = terminal.text()
    return lambda shown: shown != before


def _moved(terminal: Terminal) -> Callable[[str], bool]:
    """Another message is marked than now. The mark is the bar's own glyph."""
    before = _marked(terminal.text())
    return lambda shown: _marked(shown) != before


def _marked(shown: str) -> list[str]:
    return [line[:60] for line in shown.splitlines() if "█" in line[:40]]


def _started(arguments: list[str], folder: Path) -> Terminal:
    return Terminal([sys.executable, *arguments], environment=own_home(folder))


def _painted(arguments: list[str], shown: str, folder: Path) -> float:
    with _started(arguments, folder) as terminal:
        return terminal.when(shown, PATIENCE_S) - terminal.begun
