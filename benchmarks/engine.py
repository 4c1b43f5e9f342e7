"""The local engine with the starter model: tokens a second, the first token of a later turn, how soon it stops."""

import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from conversations import answer
from table import Budget, Row, Section

from qiao.backends.local import starter
from qiao.backends.registry import Backends
from qiao.workbench.address import STARTER
from qiao.workbench.config import Config
from qiao.workbench.sampling import Sampling
from qiao.workbench.seam import Event, Failed, Finished, Progress, Request, Text, Turn

STORY = "Tell me a long story about a ship and its crew."
HISTORY = 1500
"""Tokens."""
GENERATE = "bare model.generate"


class Asked(NamedTuple):
    """How one answer came."""

    text: str
    first_token_s: float
    """From asking to the first text."""
    tokens_per_second: float


def measured(quick: bool) -> Section:
    """The rows. The starter is fetched, if it isn't here."""
    for _ in starter.fetch(threading.Event()):
        pass
    file = starter.path()
    assert file is not None
    tokens, rounds = (48, 2) if quick else (160, 4)
    with closing(Backends(Config())) as backends, _bare(file) as bare:
        ask(backends, (Turn("user", "Hello."),), 8)
        bare.ask("Hello.", 8)
        rates: list[float] = []
        bare_rates: list[float] = []
        for _ in range(rounds):
            # One after the other: a busy machine meets both.
            rates.append(ask(backends, (Turn("user", STORY),), tokens).tokens_per_second)
            bare_rates.append(bare.ask(STORY, tokens))
        kept, anew = _turns(backends, 1 if quick else 3)
        stops = _stops(backends, 2 if quick else 5)
    first = f"first token of a turn after {HISTORY:,} tokens, s"
    return Section(
        "The local engine, with the starter model",
        [
            Row(
                "tokens a second while decoding",
                statistics.median(rates),
                statistics.median(bare_rates),
                GENERATE,
                Budget(0.95, "ratio", at_least=True),
            ),
            Row(first, statistics.median(kept), statistics.median(anew), "without reuse", Budget(0.3, "ratio")),
            Row("stop to the end of the answer, slowest, ms", max(stops) * 1000, budget=Budget(200)),
        ],
    )


def ask(backends: Backends, turns: tuple[Turn, ...], tokens: int) -> Asked:
    """An answer of at most so many tokens, without chance."""
    begun = time.monotonic()
    first = 0.0
    text = ""
    for event in backends.generate(_request(turns, tokens), threading.Event()):
        match event:
            case Text():
                first = first or time.monotonic()
                text += event.text
            case Failed():
                raise RuntimeError(event.message)
            case Finished():
                return Asked(text, first - begun, event.timing.tokens_per_second or 0.0)
            case _:
                pass
    raise RuntimeError("the answer has no end")


def _request(turns: tuple[Turn, ...], tokens: int) -> Request:
    return Request(STARTER, turns, Sampling(temperature=0.0, max_tokens=tokens))


def _turns(backends: Backends, rounds: int) -> tuple[list[float], list[float]]:
    """Seconds to the first token of a second turn, with what was read before and with a conversation never seen."""
    kept: list[float] = []
    anew: list[float] = []
    for number in range(rounds):
        # The tokens of the scripted backend are a little longer than the model's.
        history = f"Text {number}. " + answer(HISTORY * 3 // 4)
        turns = (Turn("user", f"Read this.\n\n{history}"),)
        said = ask(backends, turns, 16)
        anew.append(said.first_token_s)
        turns = (*turns, Turn("assistant", said.text), Turn("user", "And in one word?"))
        kept.append(ask(backends, turns, 4).first_token_s)
    return kept, anew


def _stops(backends: Backends, rounds: int) -> list[float]:
    """Seconds from stopping to the last event, while the prompt is read and while tokens come."""
    took: list[float] = []
    for number in range(rounds):
        long = (Turn("user", f"Another {number}. " + answer(HISTORY // 2)),)
        took.append(_stopped(backends, long, lambda event: isinstance(event, Progress)))
        took.append(_stopped(backends, (Turn("user", STORY),), lambda event: isinstance(event, Text)))
    return took


def _stopped(backends: Backends, turns: tuple[Turn, ...], reached: Callable[[Event], bool]) -> float:
    stop = threading.Event()
    stopped = 0.0
    for event in backends.generate(_request(turns, 400), stop):
        if not stopped and reached(event):
            stopped = time.monotonic()
            stop.set()
    return time.monotonic() - stopped


class _Bare:
    """The child that answers with transformers alone."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process

    def ask(self, text: str, tokens: int) -> float:
        """Tokens a second."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"text": text, "tokens": tokens}) + "\n")
        self._process.stdin.flush()
        return float(self.said()["tokens_per_second"])

    def said(self) -> dict[str, float]:
        """The next line."""
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


@contextmanager
def _bare(model: Path) -> Iterator[_Bare]:
    command = [sys.executable, str(Path(__file__).parent / "bare" / "generate.py"), str(model)]
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    )
    try:
        bare = _Bare(process)
        bare.said()
        yield bare
    finally:
        process.kill()
        process.wait()
