"""What answers of a server cost on their way through Qiao: tokens a second, time to first token, beside bare `openai`.

    python benchmarks/run.py client

Both ask the same server, which runs in a process of its own. They take turns, so that both see the same weather. A
stop is timed as well: from the moment it is set until the answer has ended.
"""

import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import msgspec
from openai import OpenAI
from table import Budget, Row, Section

from qiao.backends.keys.store import Keys
from qiao.backends.providers import built_in
from qiao.backends.remote.engine import RemoteBackend
from qiao.workbench.address import Address
from qiao.workbench.sampling import Sampling
from qiao.workbench.seam import Finished, Request, Text, Turn

SERVER = Path(__file__).with_name("token_server.py")
MODEL = Address("vllm", "m")
QUESTION = "Tell me a story."
BARE = "a bare openai client"
PACED_TOKENS = 100
FIRSTS_A_ROUND = 12


class Asked(NamedTuple):
    """How one answer came."""

    first_ms: float
    """From asking to the first text."""
    tokens_per_second: float
    """From the first token to the end."""


def measured(quick: bool) -> Section:
    """The rows."""
    with subprocess.Popen([sys.executable, SERVER], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            url = f"http://127.0.0.1:{int(server.stdout.readline())}/v1"
            rounds, tokens = (2, 500) if quick else (7, 3000)
            return Section("Answers of a server", _rows(rounds, tokens, url))
        finally:
            server.terminate()


def _rows(rounds: int, tokens: int, url: str) -> list[Row]:
    provider = msgspec.structs.replace(built_in()["vllm"], base_url=url)
    with (
        closing(OpenAI(base_url=url, api_key="EMPTY", max_retries=0)) as client,
        closing(RemoteBackend(provider, Keys())) as backend,
    ):
        ways: Sequence[Callable[[int, bool], Asked]] = (
            lambda count, paced: through_qiao(backend, count, paced),
            lambda count, paced: bare(client, count, paced),
        )
        fast: tuple[list[Asked], list[Asked]] = ([], [])
        paced: tuple[list[Asked], list[Asked]] = ([], [])
        firsts: tuple[list[float], list[float]] = ([], [])
        for way in ways:
            way(50, False)
        for _ in range(rounds):
            for number, way in enumerate(ways):
                fast[number].append(way(tokens, False))
                paced[number].append(way(PACED_TOKENS, True))
            for _ in range(FIRSTS_A_ROUND):
                for number, way in enumerate(ways):
                    firsts[number].append(way(2, True).first_ms)
        stops = [stop_ms(backend) for _ in range(rounds)]
    keeps_up, soon = Budget(0.97, "ratio", at_least=True), Budget(1 / 0.97, "ratio")
    rate = [statistics.median(one.tokens_per_second for one in way) for way in fast]
    paced_rate = [statistics.median(one.tokens_per_second for one in way) for way in paced]
    first = [statistics.median(way) for way in firsts]
    return [
        Row("tokens a second, as fast as the server can", rate[0], rate[1], BARE, keeps_up),
        Row("tokens a second, 200 a second sent", paced_rate[0], paced_rate[1], BARE, keeps_up),
        Row("time to first token, 20 ms of it the server's, ms", first[0], first[1], BARE, soon),
        Row("from a stop to the answer's end, the slowest, ms", max(stops), budget=Budget(200)),
    ]


def bare(client: OpenAI, tokens: int, paced: bool) -> Asked:
    """One answer through the bare client."""
    begun = time.perf_counter()
    first: float | None = None
    parts: list[str] = []
    for chunk in client.chat.completions.create(
        model="m",
        messages=[{"role": "user", "content": QUESTION}],
        max_tokens=tokens,
        seed=int(paced),
        stream=True,
        stream_options={"include_usage": True},
    ):
        if chunk.choices and (text := chunk.choices[0].delta.content):
            first = first or time.perf_counter()
            parts.append(text)
    return _told(begun, first, len(parts), tokens)


def through_qiao(backend: RemoteBackend, tokens: int, paced: bool) -> Asked:
    """One answer through the backend, as the workbench reads it."""
    request = Request(MODEL, (Turn("user", QUESTION),), Sampling(max_tokens=tokens, seed=int(paced)))
    begun = time.perf_counter()
    first: float | None = None
    parts: list[str] = []
    for event in backend.generate(request, threading.Event()):
        if isinstance(event, Text):
            first = first or time.perf_counter()
            parts.append(event.text)
    return _told(begun, first, len(parts), tokens)


def _told(begun: float, first: float | None, came: int, tokens: int) -> Asked:
    assert first is not None
    assert came == tokens, f"{came} of {tokens} tokens came"
    return Asked((first - begun) * 1000, (tokens - 1) / (time.perf_counter() - first))


def stop_ms(backend: RemoteBackend) -> float:
    """Milliseconds from a stop in the middle of a paced answer to its end."""
    stop = threading.Event()
    moment = 0.0
    request = Request(MODEL, (Turn("user", QUESTION),), Sampling(max_tokens=1000, seed=1))
    for number, event in enumerate(backend.generate(request, stop)):
        if number == 20:
            moment = time.perf_counter()
            stop.set()
        assert not isinstance(event, Finished) or event.reason == "cancelled"
    return (time.perf_counter() - moment) * 1000
