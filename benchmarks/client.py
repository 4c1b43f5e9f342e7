"""What answers of a server cost on their way through Qiao: tokens a second, time to first token, beside bare `openai`.

    python benchmarks/client.py [--rounds 7] [--tokens 3000]

Both ask the same server, which runs in a process of its own and sends a token an event, as fast as it can or 200 a
second, after a fixed wait for the first. They take turns, so that both see the same weather. A stop is timed as well:
from the moment it is set until the answer has ended.
"""

import argparse
import asyncio
import json
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import msgspec
from openai import OpenAI

from qiao.backends.keys.store import Keys
from qiao.backends.providers import built_in
from qiao.backends.remote.engine import RemoteBackend
from qiao.workbench.address import Address
from qiao.workbench.sampling import Sampling
from qiao.workbench.seam import Finished, Request, Text, Turn

BUDGET = 0.97
FIRST_WAIT_S = 0.02
PACE_S = 0.005
QUESTION = "Tell me a story."


Row = tuple[str, float, float, float]
"""What, bare, through Qiao, and the ratio: greater is better."""


class Answer(NamedTuple):
    """What one answer took."""

    first_ms: float
    tokens_per_second: float
    """From the first token to the end."""


async def serve() -> None:
    """Answers every request with as many tokens as it asks for; prints its port."""
    server = await asyncio.start_server(_answer, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    event = _event({"index": 0, "delta": {"content": " word"}, "logprobs": None, "finish_reason": None})
    try:
        while head := await reader.readuntil(b"\r\n\r\n"):
            length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
            body = json.loads(await reader.readexactly(int(length.partition(b":")[2])))
            writer.write(
                b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n"
                + _event({"index": 0, "delta": {"role": "assistant", "content": ""}, "finish_reason": None})
            )
            await asyncio.sleep(FIRST_WAIT_S)
            for _ in range(body["max_tokens"]):
                writer.write(event)
                await writer.drain()
                if body.get("seed"):
                    await asyncio.sleep(PACE_S)
            writer.write(_event({"index": 0, "delta": {}, "finish_reason": "stop"}))
            writer.write(_chunk(b"data: [DONE]\n\n") + b"0\r\n\r\n")
            await writer.drain()
    except (asyncio.IncompleteReadError, ConnectionError):
        writer.close()


def _event(choice: object) -> bytes:
    chunk = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
    return _chunk(f"data: {json.dumps(chunk)}\n\n".encode())


def _chunk(data: bytes) -> bytes:
    return b"%x\r\n%s\r\n" % (len(data), data)


def bare(client: OpenAI, tokens: int, paced: bool) -> Answer:
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


def through_qiao(backend: RemoteBackend, tokens: int, paced: bool) -> Answer:
    """One answer through the backend, as the workbench reads it."""
    request = Request(Address("vllm", "m"), (Turn("user", QUESTION),), Sampling(max_tokens=tokens, seed=int(paced)))
    begun = time.perf_counter()
    first: float | None = None
    parts: list[str] = []
    for event in backend.generate(request, threading.Event()):
        if isinstance(event, Text):
            first = first or time.perf_counter()
            parts.append(event.text)
    return _told(begun, first, len(parts), tokens)


def _told(begun: float, first: float | None, came: int, tokens: int) -> Answer:
    assert first is not None
    assert came == tokens, f"{came} of {tokens} tokens came"
    return Answer((first - begun) * 1000, (tokens - 1) / (time.perf_counter() - first))


def stop_ms(backend: RemoteBackend) -> float:
    """Milliseconds from a stop in the middle of a paced answer to its end."""
    stop = threading.Event()
    moment = 0.0
    request = Request(Address("vllm", "m"), (Turn("user", QUESTION),), Sampling(max_tokens=1000, seed=1))
    for number, event in enumerate(backend.generate(request, stop)):
        if number == 20:
            moment = time.perf_counter()
            stop.set()
        assert not isinstance(event, Finished) or event.reason == "cancelled"
    return (time.perf_counter() - moment) * 1000


def measure(rounds: int, tokens: int, url: str) -> list[Row]:
    client = OpenAI(base_url=url, api_key="EMPTY", max_retries=0)
    backend = RemoteBackend(msgspec.structs.replace(built_in()["vllm"], base_url=url), Keys())
    ways: Sequence[Callable[[int, bool], Answer]] = (
        lambda count, paced: bare(client, count, paced),
        lambda count, paced: through_qiao(backend, count, paced),
    )
    fast: list[list[Answer]] = [[], []]
    paced: list[list[Answer]] = [[], []]
    for way in ways:
        way(50, False)
    for _ in range(rounds):
        for number, way in enumerate(ways):
            fast[number].append(way(tokens, False))
            paced[number].append(way(100, True))
    stops = statistics.median(stop_ms(backend) for _ in range(rounds))
    backend.close()
    client.close()

    def row(
        what: str, answers: list[list[Answer]], field: str, less_is_better: bool
    ) -> tuple[str, float, float, float]:
        one, other = (statistics.median(getattr(answer, field) for answer in way) for way in answers)
        return what, one, other, one / other if less_is_better else other / one

    return [
        row("tokens a second, as fast as they come", fast, "tokens_per_second", False),
        row("tokens a second, 200 sent", paced, "tokens_per_second", False),
        row("time to first token, ms (20 of them the server's)", paced, "first_ms", True),
        ("from stop to end, ms", 0.0, stops, 200 / stops),
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--tokens", type=int, default=3000)
    parser.add_argument("--serve", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.serve:
        asyncio.run(serve())
        return
    with subprocess.Popen([sys.executable, __file__, "--serve"], stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        try:
            rows = measure(options.rounds, options.tokens, f"http://127.0.0.1:{int(server.stdout.readline())}/v1")
        finally:
            server.terminate()
    print(f"| what | bare openai | through Qiao | ratio (budget {BUDGET}) |")
    print("| --- | ---: | ---: | ---: |")
    for what, one, other, ratio in rows:
        print(f"| {what} | {one:,.1f} | {other:,.1f} | {ratio:.2f} |" if one else f"| {what} | – | {other:,.1f} | – |")


if __name__ == "__main__":
    main()
