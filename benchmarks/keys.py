"""How long a key takes to the screen while tokens stream in fast, beside Textual's own parts."""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from conversations import answer, write_short
from homes import own_home
from table import Budget, Row, Section
from terminal import PATIENCE_S, Terminal

HERE = Path(__file__).parent
PACE = 200.0
"""Tokens a second."""
MARK = "ZQ"
"""What a word begins with that stands nowhere else on the screen."""
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
BARE = "a Textual Markdown stream and TextArea"

Launch = Callable[[Sequence[str], Mapping[str, str]], Terminal]
"""Starts a command with further environment variables in a terminal, here or over a line."""


def measured(quick: bool) -> Section:
    """The rows."""
    times = 20 if quick else 120
    with tempfile.TemporaryDirectory() as folder:
        text = Path(folder) / "answer.txt"
        text.write_text(answer(int(PACE * (times * 0.2 + 10))), encoding="utf-8")
        with workbench(Path(folder), text, PACE) as terminal:
            begin_answer(terminal)
            begin_message(terminal)
            ours = type_letters(terminal, times)
        with bare(text, PACE) as terminal:
            begin_bare_answer(terminal)
            beside = type_letters(terminal, times)
    what = f"typed character to screen while {PACE:.0f} tokens/s stream in"
    return Section(
        "Keys while an answer streams",
        [
            Row(f"{what}, median, ms", statistics.median(ours), statistics.median(beside), BARE),
            Row(f"{what}, p95, ms", p95(ours), p95(beside), BARE, Budget(50)),
        ],
    )


def here(command: Sequence[str], environment: Mapping[str, str]) -> Terminal:
    """Starts a command in a terminal of this machine."""
    return Terminal(command, environment=environment)


def workbench(folder: Path, text: Path, pace: float, launch: Launch = here, log: Path | None = None) -> Terminal:
    """The workbench with a question, ready for keys; `text` is what every answer says."""
    talk = write_short(folder / "talk.toml")
    command = [sys.executable, str(HERE / "scripted_workbench.py"), str(talk), "--answer", str(text)]
    command += ["--tokens-per-second", str(pace), *(["--log", str(log)] if log else [])]
    terminal = launch(command, own_home(folder))
    terminal.wait("What is a good prompt?")
    terminal.settle()
    return terminal


def begin_answer(terminal: Terminal) -> None:
    """An answer begins to stream in the workbench."""
    terminal.send("r")
    terminal.wait("esc stop")


def begin_message(terminal: Terminal) -> None:
    """A message is begun below the selected one."""
    terminal.send("a")
    terminal.wait("editing")


def bare(text: Path, pace: float, launch: Launch = here, log: Path | None = None) -> Terminal:
    """Textual's own widgets for the same, one above the other, ready for keys."""
    command = [sys.executable, str(HERE / "bare" / "stream.py"), str(text), "--tokens-per-second", str(pace)]
    terminal = launch([*command, *(["--log", str(log)] if log else [])], {})
    terminal.wait("sampling")
    terminal.settle()
    return terminal


def begin_bare_answer(terminal: Terminal) -> None:
    """The stream begins."""
    before = terminal.text()
    terminal.send("\x1b[15~")
    terminal.wait(lambda shown: shown != before)


def type_letters(terminal: Terminal, times: int, mark: str = MARK, patience_s: float = PATIENCE_S) -> list[float]:
    """Types so many letters, one after the other is seen; milliseconds that each took."""
    took: list[float] = []
    word = ""
    for number in range(times):
        letter = number % len(LETTERS)
        if letter == 0:
            word = mark + LETTERS[number // len(LETTERS) % len(LETTERS)]
            terminal.send(" " + word)
            terminal.wait(word, patience_s)
        word += LETTERS[letter]
        terminal.text()
        sent = time.monotonic()
        terminal.send(word[-1])
        took.append((terminal.when(word, patience_s) - sent) * 1000)
        # Not in step with the paintings.
        time.sleep(0.1 + 0.013 * (number % 5))
    return took


def p95(values: Sequence[float]) -> float:
    """The 95th percentile."""
    return statistics.quantiles(values, n=20)[-1]
