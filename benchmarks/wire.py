"""What the workbench writes to its terminal: bytes a streamed token, a typed character, a moved selection, idle."""

import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from conversations import answer, formatted, write_short
from table import Budget, Row, Section
from terminal import Spent, Terminal

HERE = Path(__file__).parent
PACE = 60.0
"""Tokens a second."""
TYPED = "The quick brown fox jumps over the lazy dog, and the dog lets it. "
PLAIN = "its own frames as Textual writes them"
MARKDOWN = "a Textual Markdown stream"
AREA = "a bare TextArea"


class Wire(NamedTuple):
    """What one program spent."""

    token: float
    """Bytes."""
    token_cpu_ms: float
    formatted: float
    """Bytes a token of an answer that begins with thinking and goes on in Markdown."""
    formatted_cpu_ms: float
    character: float
    selection: float
    closed: float
    """Bytes a second, idle, sensors folded away."""
    open: float


def measured(quick: bool) -> Section:
    """The rows: frames compared, the same frames plain, and Textual's own parts."""
    count, seconds = (200, 3.0) if quick else (1200, 10.0)
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        text = place / "answer.txt"
        text.write_text(answer(count), encoding="utf-8")
        marked = place / "marked.txt"
        marked.write_text(formatted(count), encoding="utf-8")
        ours = _workbench(place, text, count, seconds, {"QIAO_PLAIN_FRAMES": ""})
        plain = _workbench(place, text, count, seconds, {"QIAO_PLAIN_FRAMES": "1"})
        markdown, marked_markdown = _markdown(text, count), _markdown(marked, count)
        typed, idle = _text_area(seconds)
    token, cpu = "bytes a token, 60 tokens/s", "processor time a token, ms"
    thought = "with thinking that folds, and Markdown"
    marked_bytes, marked_cpu = marked_markdown.written / count, marked_markdown.cpu_seconds / count * 1000
    return Section(
        "Bytes to the terminal, 120 × 40",
        [
            Row(token, ours.token, markdown.written / count, MARKDOWN, Budget(300)),
            Row(token, ours.token, plain.token, PLAIN),
            Row(f"{token}, {thought}", ours.formatted, marked_bytes, MARKDOWN, Budget(300)),
            Row(cpu, ours.token_cpu_ms, markdown.cpu_seconds / count * 1000, MARKDOWN),
            Row(cpu, ours.token_cpu_ms, plain.token_cpu_ms, PLAIN),
            Row(f"{cpu}, {thought}", ours.formatted_cpu_ms, marked_cpu, MARKDOWN),
            Row("bytes a typed character", ours.character, typed, AREA, Budget(300)),
            Row("bytes a moved selection", ours.selection, plain.selection, PLAIN),
            Row("bytes a second, idle, sensors folded (80 × 24)", ours.closed, plain.closed, PLAIN, Budget(50)),
            Row("bytes a second, idle, sensors open", ours.open, plain.open, PLAIN, Budget(400)),
            Row("bytes a second, idle, sensors open", ours.open, idle, AREA + ", its caret blinking"),
        ],
    )


def _workbench(folder: Path, text: Path, count: int, seconds: float, environment: Mapping[str, str]) -> Wire:
    talk = write_short(folder / "talk.toml")
    arguments = [sys.executable, str(HERE / "scripted_workbench.py"), str(talk), "--answer", str(text)]
    environment = {"QIAO_HOME": str(folder / "home"), **environment}
    # The side panes fold away on a small terminal.
    with Terminal(arguments, columns=80, rows=24, environment=environment) as terminal:
        _begin(terminal)
        closed = _a_second(terminal, seconds)
    with Terminal(arguments, environment=environment) as terminal:
        _begin(terminal)
        opened = _a_second(terminal, seconds)
        spent = _answered(terminal, count)
        selection = _pressed(terminal, "kkjkjkjkjk", 0.1)
        terminal.send("a")
        terminal.wait("editing")
        terminal.settle()
        character = _pressed(terminal, TYPED * 2, 0.06)
    talk = write_short(folder / "marked.toml")
    arguments = [sys.executable, str(HERE / "scripted_workbench.py"), str(talk), "--thinking", str(count // 3)]
    with Terminal([*arguments, "--answer", str(folder / "marked.txt")], environment=environment) as terminal:
        _begin(terminal)
        thought = _answered(terminal, count)
    return Wire(
        spent.written / count,
        spent.cpu_seconds / count * 1000,
        thought.written / count,
        thought.cpu_seconds / count * 1000,
        character,
        selection,
        closed,
        opened,
    )


def _answered(terminal: Terminal, count: int) -> Spent:
    """The whole of an answer."""

    def stream() -> None:
        terminal.send("r")
        terminal.wait("esc stop")
        terminal.wait(lambda shown: "esc stop" not in shown and "· stop" in shown, count / PACE * 2 + 30)

    spent = terminal.spent(stream)
    terminal.settle()
    return spent


def _begin(terminal: Terminal) -> None:
    terminal.wait("What is a good prompt?")
    terminal.wait("saved")
    terminal.wait("CPU" if terminal.columns < 110 else "MACHINE")
    time.sleep(2)


def _markdown(text: Path, count: int) -> Spent:
    """The whole of a stream in Textual's own widget."""
    log = text.with_suffix(".log")
    log.unlink(missing_ok=True)
    with Terminal([sys.executable, str(HERE / "bare" / "stream.py"), str(text), "--log", str(log)]) as terminal:
        terminal.wait("sampling")
        terminal.settle()

        def stream() -> None:
            terminal.send("\x1b[15~")
            terminal.wait(lambda _: log.exists(), count / PACE * 4 + 30)
            time.sleep(0.5)

        return terminal.spent(stream)


def _text_area(seconds: float) -> tuple[float, float]:
    """Bytes a typed character, and a second while idle."""
    with Terminal([sys.executable, str(HERE / "bare" / "text_area.py")]) as terminal:
        terminal.when(lambda _: terminal.is_painted)
        time.sleep(1)
        idle = _a_second(terminal, seconds)
        return _pressed(terminal, TYPED * 2, 0.06), idle


def _pressed(terminal: Terminal, keys: Sequence[str], pause_s: float) -> float:
    """Bytes a key."""

    def press() -> None:
        for key in keys:
            terminal.send(key)
            time.sleep(pause_s)
        time.sleep(0.3)

    return terminal.spent(press).written / len(keys)


def _a_second(terminal: Terminal, seconds: float) -> float:
    spent = terminal.spend(seconds)
    return spent.written / spent.seconds
