"""A vLLM server through Qiao against a bare `openai` client, in turn, on the same server.

    python benchmarks/vllm_server.py --python ~/vllm/bin/python --model /data/Qwen2.5-0.5B-Instruct
    python benchmarks/vllm_server.py --url http://127.0.0.1:8000/v1 --model smol --key …

The first starts a server and ends it again; what stands after `--` goes to `vllm serve`. Prints a table of ratios:
tokens a second, time to first token, and what a stop and a look at the server's metrics take.
"""

import argparse
import os
import statistics
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import openai

from qiao.backends.registry import Backends
from qiao.backends.vllm.metrics import Gauge, parse
from qiao.backends.vllm.plain_http import get, root_url
from qiao.workbench.address import Address
from qiao.workbench.config import Config, Provider, Vllm
from qiao.workbench.sampling import Sampling
from qiao.workbench.seam import Failed, Request, Text, Thinking, Turn

QUESTION = "Tell me a long story about a ship that sails to the end of the world."


class Place(NamedTuple):
    """The server that is measured."""

    backends: Backends
    address: Address
    base_url: str
    key: str


class Answer(NamedTuple):
    """One answer, in seconds."""

    first: float
    total: float
    pieces: int

    @property
    def speed(self) -> float:
        """Tokens a second while decoding."""
        return (self.pieces - 1) / (self.total - self.first)


@contextmanager
def started(python: str, model: str, flags: list[str]) -> Iterator[Place]:
    """A server that is started for this."""
    backends = Backends(Config(vllm=Vllm(command=f"'{python}'")))
    try:
        folder = Address("local", str(Path(model).absolute()))
        for step in backends.serve(folder, [*flags, "--api-key", "benchmark"], threading.Event()):
            print(f"  {step.note}", flush=True)
        (server,) = [server for server in backends.servers() if server.mine]
        yield Place(backends, server.address, server.base_url, "benchmark")
    finally:
        backends.close()


@contextmanager
def running(url: str, model: str, key: str) -> Iterator[Place]:
    """A server that runs already."""
    os.environ["BENCHMARK_KEY"] = key
    backends = Backends(Config(provider={"box": Provider(base_url=url, like="vllm", key_env="BENCHMARK_KEY")}))
    try:
        yield Place(backends, Address("box", model), url, key)
    finally:
        backends.close()


def through_qiao(place: Place, tokens: int, seed: int) -> Answer:
    extra = {"ignore_eos": True}
    sampling = Sampling(temperature=1.0, seed=seed, max_tokens=tokens, thinking=False, extra=extra)
    begun = time.perf_counter()
    first, pieces = 0.0, 0
    for event in place.backends.generate(
        Request(place.address, (Turn("user", QUESTION),), sampling), threading.Event()
    ):
        if isinstance(event, Text | Thinking):
            first = first or time.perf_counter() - begun
            pieces += event.tokens
        elif isinstance(event, Failed):
            raise SystemExit(event.message)
    return Answer(first, time.perf_counter() - begun, pieces)


def bare(place: Place, client: openai.OpenAI, tokens: int, seed: int) -> Answer:
    begun = time.perf_counter()
    first, pieces = 0.0, 0
    stream = client.chat.completions.create(
        model=place.address.name,
        messages=[{"role": "user", "content": QUESTION}],
        temperature=1.0,
        seed=seed,
        max_tokens=tokens,
        stream=True,
        stream_options={"include_usage": True},
        extra_body={"ignore_eos": True, "chat_template_kwargs": {"enable_thinking": False}},
    )
    for chunk in stream:
        if chunk.choices and chunk.choices[0].delta.content:
            first = first or time.perf_counter() - begun
            pieces += 1
        if chunk.usage is not None:
            pieces = chunk.usage.completion_tokens
    return Answer(first, time.perf_counter() - begun, pieces)


def stop_seconds(place: Place) -> tuple[float, float]:
    """From the stop to the last event, and until the server computes no more."""
    stop = threading.Event()
    sampling = Sampling(max_tokens=1000, thinking=False, extra={"ignore_eos": True})
    stream = place.backends.generate(Request(place.address, (Turn("user", QUESTION),), sampling), stop)
    next(event for event in stream if isinstance(event, Text | Thinking))
    begun = time.perf_counter()
    stop.set()
    for _ in stream:
        pass
    told = time.perf_counter() - begun
    metrics = f"{root_url(place.base_url)}/metrics"
    while parse(get(metrics)).running:
        time.sleep(0.005)
    return told, time.perf_counter() - begun


def look_cost(place: Place, times: int = 50) -> tuple[float, float, int]:
    """Milliseconds of wall and of our processor that one look at the metrics takes, and the bytes it brings."""
    gauge, size = Gauge(), 0
    wall, cpu = time.perf_counter(), time.process_time()
    for _ in range(times):
        text = get(f"{root_url(place.base_url)}/metrics")
        size = len(text)
        gauge.add(parse(text))
    return (time.perf_counter() - wall) / times * 1000, (time.process_time() - cpu) / times * 1000, size


def median(values: list[Answer], of: Callable[[Answer], float]) -> float:
    return statistics.median(map(of, values))


def measure(place: Place, tokens: int, rounds: int) -> None:
    """Prints the table."""
    client = openai.OpenAI(base_url=place.base_url, api_key=place.key, max_retries=0)
    # Both clients are loaded, and the server has seen the prompt.
    through_qiao(place, 8, 0)
    bare(place, client, 8, 0)
    ours: list[Answer] = []
    theirs: list[Answer] = []
    for seed in range(rounds):
        # In turn, and each first as often as the other: a machine's mood is shared.
        pair: list[Callable[[], None]] = [
            lambda seed=seed: ours.append(through_qiao(place, tokens, seed)),
            lambda seed=seed: theirs.append(bare(place, client, tokens, seed)),
        ]
        for run in pair if seed % 2 else reversed(pair):
            run()
    speed = median(ours, lambda a: a.speed), median(theirs, lambda a: a.speed)
    first = median(ours, lambda a: a.first), median(theirs, lambda a: a.first)
    stops = [stop_seconds(place) for _ in range(rounds)]
    wall, cpu, size = look_cost(place)
    told, ended = (statistics.median(column) for column in zip(*stops, strict=True))
    print(f"\n{rounds} answers of {tokens} tokens each, medians\n")
    print("| what | through Qiao | bare client | ratio |")
    print("| --- | ---: | ---: | ---: |")
    print(f"| tokens a second | {speed[0]:.1f} | {speed[1]:.1f} | {speed[0] / speed[1]:.3f} |")
    print(f"| time to first token | {first[0] * 1000:.0f} ms | {first[1] * 1000:.0f} ms | {first[0] / first[1]:.3f} |")
    print(f"| stop until it is told | {told * 1000:.0f} ms | | |")
    print(f"| stop until the server computes no more | {ended * 1000:.0f} ms | | |")
    print(f"| a look at the metrics, {size / 1000:.0f} kB | {wall:.1f} ms | | |")
    print(f"| of these, our processor | {cpu:.1f} ms | | |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--python", help="a Python, or an environment's folder, that has vLLM")
    parser.add_argument("--url", help="of a server that runs, up to and with /v1")
    parser.add_argument("--model", required=True, help="a folder, or, with --url, a name")
    parser.add_argument("--key", default="EMPTY")
    parser.add_argument("--tokens", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=6)
    parser.add_argument("flags", nargs="*")
    options = parser.parse_args()
    if options.url:
        place = running(options.url, options.model, options.key)
    elif options.python:
        place = started(options.python, options.model, options.flags)
    else:
        parser.error("either --python or --url is needed")
    with place as server:
        measure(server, options.tokens, options.rounds)


if __name__ == "__main__":
    main()
