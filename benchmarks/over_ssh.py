"""The same over a real SSH connection on a slow line: 150 ms each way, 256 kbit/s."""

import statistics
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from conversations import answer
from keys import BARE, begin_answer, begin_bare_answer, begin_message, p95, type_letters, workbench
from keys import bare as bare_app
from slow_line import SlowLine
from ssh_server import SshServer
from table import Budget, Row, Section
from terminal import Terminal

PACE = 60.0
"""Tokens a second."""
PATIENCE_S = 240.0
BARE_TIMES = 10
"""So many characters are typed into the bare one while it streams: it falls behind by more with each token."""


class Streamed(NamedTuple):
    """How an answer came over the line."""

    down: float
    """Bytes a token, on the line, SSH's own included."""
    lag: float
    """Seconds from the last token to its being on the screen."""


class Typed(NamedTuple):
    """How long characters took, in milliseconds."""

    idle: list[float]
    streaming: list[float]


def measured(quick: bool) -> Section:
    """The rows."""
    count, times = (240, 10) if quick else (900, 40)
    with tempfile.TemporaryDirectory() as folder, SshServer() as server, SlowLine(server.port) as line:
        place = Path(folder)

        def launch(command: Sequence[str], environment: Mapping[str, str]) -> Terminal:
            return Terminal(server.command(command, environment=environment, port=line.port))

        text, longer, log = place / "answer.txt", place / "longer.txt", place / "log"
        text.write_text(answer(count), encoding="utf-8")
        longer.write_text(answer(int(PACE * (times * 0.7 + 15))), encoding="utf-8")

        def ours(text: Path) -> Terminal:
            return workbench(place, text, PACE, launch, log)

        def bare(text: Path) -> Terminal:
            return bare_app(text, PACE, launch, log)

        with ours(longer) as terminal:
            typed = _typed(terminal, times, times, begin_answer)
        with bare(longer) as terminal:
            bare_typed = _typed(terminal, times, min(times, BARE_TIMES), None)
        with ours(text) as terminal:
            streamed = _streamed(terminal, line, text, log, count, begin_answer)
        with bare(text) as terminal:
            bare_streamed = _streamed(terminal, line, text, log, count, begin_bare_answer)
        round_trip = line.round_trip_s * 1000
    slow = Budget(round_trip + 50)
    idle, during = "typed character to screen, nothing streams", f"typed character to screen while {PACE:.0f} tokens/s"
    return Section(
        f"Over SSH on a slow line: {round_trip:.0f} ms there and back, 256 kbit/s",
        [
            Row(f"{idle}, median, ms", statistics.median(typed.idle), statistics.median(bare_typed.idle), BARE),
            Row(f"{idle}, p95, ms", p95(typed.idle), p95(bare_typed.idle), BARE, slow),
            Row(f"{during}, median, ms", _median(typed.streaming), _median(bare_typed.streaming), BARE, slow),
            Row(f"{during}, p95, ms", p95(typed.streaming), p95(bare_typed.streaming), BARE),
            Row(f"bytes a token on the line, {PACE:.0f} tokens/s", streamed.down, bare_streamed.down, BARE),
            Row("last token to the screen, s", streamed.lag, bare_streamed.lag, BARE, Budget(1)),
        ],
    )


def _median(values: Sequence[float]) -> float:
    return statistics.median(values)


def _typed(terminal: Terminal, idle_times: int, times: int, begin: Callable[[Terminal], None] | None) -> Typed:
    """Types while nothing comes, and then while an answer does. `begin` is the workbench's; the bare app has F5."""
    with ExitStack() as stack:
        stack.callback(terminal.text)
        if begin is None:
            idle = type_letters(terminal, idle_times)
            begin_bare_answer(terminal)
        else:
            begin_message(terminal)
            idle = type_letters(terminal, idle_times)
            terminal.send("\x1b")
            terminal.wait(lambda shown: "editing" not in shown)
            begin(terminal)
            begin_message(terminal)
        return Typed(idle, type_letters(terminal, times, "XJ", PATIENCE_S))


def _streamed(
    terminal: Terminal, line: SlowLine, text: Path, log: Path, count: int, begin: Callable[[Terminal], None]
) -> Streamed:
    log.unlink(missing_ok=True)
    end = "".join(text.read_text(encoding="utf-8").split())[-20:]
    terminal.settle(1.0)
    before = line.down
    begin(terminal)
    at = terminal.when(lambda shown: log.exists() and end in "".join(shown.split()), PATIENCE_S)
    given = float(log.read_text(encoding="utf-8"))
    time.sleep(0.2)
    return Streamed((line.down - before) / count, max(at - given - line.delay_s, 0.0))
