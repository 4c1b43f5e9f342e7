"""How long the workbench takes to its first full paint, and how much memory it holds then, beside bare Textual apps."""

import statistics
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from conversations import write_short
from table import Budget, Row, Section
from terminal import Terminal

BARE = Path(__file__).parent / "bare"
TIMES = 20
SHOWN = ("What is a good prompt?", "MODELS", "SAMPLING", "quit")
SETTLED_S = 3.0
"""After the first paint, sensors and models are looked for."""


def measured(quick: bool) -> Section:
    """The rows; each program in turn, again and again, so that whatever else the machine does meets all of them."""
    with tempfile.TemporaryDirectory() as folder:
        talk = write_short(Path(folder) / "talk.toml")
        home = {"QIAO_HOME": str(Path(folder) / "home")}
        ours, empty, panes = [
            [sys.executable, "-m", "qiao.cli", str(talk)],
            [sys.executable, str(BARE / "empty.py")],
            [sys.executable, str(BARE / "panes.py")],
        ]
        took: dict[str, list[float]] = {"ours": [], "empty": [], "panes": []}
        for _ in range(4 if quick else TIMES + 1):
            took["ours"].append(_to_paint(ours, SHOWN, home))
            took["empty"].append(_to_paint(empty, (), home))
            took["panes"].append(_to_paint(panes, ("quit",), home))
        # The first time of each, the disk is cold.
        seconds = {name: statistics.median(each[1:]) for name, each in took.items()}
        held = _held(ours, SHOWN, home)
        bare = _held(empty, (), home)
    paint = "start to first full paint, median, s"
    return Section(
        "Start and memory",
        [
            Row(paint, seconds["ours"], seconds["empty"], "an empty Textual app", Budget(1.5, "ratio")),
            Row(paint, seconds["ours"], seconds["panes"], "three bare panes"),
            Row("memory before a model is loaded, MB", held, bare, "an empty Textual app", Budget(100)),
        ],
    )


def _to_paint(arguments: Sequence[str], shown: Sequence[str], environment: dict[str, str]) -> float:
    with Terminal(arguments, environment=environment) as terminal:
        return _painted(terminal, shown)


def _painted(terminal: Terminal, shown: Sequence[str]) -> float:
    at = terminal.when(lambda text: terminal.is_painted and all(words in text for words in shown))
    return at - terminal.begun


def _held(arguments: Sequence[str], shown: Sequence[str], environment: dict[str, str]) -> float:
    with Terminal(arguments, environment=environment) as terminal:
        _painted(terminal, shown)
        time.sleep(SETTLED_S)
        return terminal.memory() / 1e6
