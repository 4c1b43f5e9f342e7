"""What a vLLM server counts, `/metrics`, and what that says of how it is doing.

Names of vLLM 0.32: https://docs.vllm.ai/en/latest/usage/metrics.html; those of older servers are known where they
differ. The text is Prometheus' exposition format: `name{label="value",…} number`.
"""

import time
from collections import defaultdict
from collections.abc import Iterator

import msgspec

WINDOW_SECONDS = 10.0
"""Rates and means are taken over the last samples that lie so far back."""


class Counters(msgspec.Struct, frozen=True):
    """One reading, summed over the server's engines (data parallel). None: the server doesn't tell."""

    running: int | None = None
    """Requests that are being answered."""
    waiting: int | None = None
    """Requests in its queue."""
    kv_usage: float | None = None
    """Of the KV cache, 0 to 1; of the fullest engine."""
    generated: float | None = None
    """Tokens, ever."""
    prompted: float | None = None
    """Tokens of prompts, ever."""
    prefix_queries: float | None = None
    """Tokens of prompts looked up in the prefix cache, ever."""
    prefix_hits: float | None = None
    first_token_seconds: float | None = None
    """Time to first token, added up over all requests."""
    first_tokens: float | None = None
    """Requests that it was added up over."""


_SUMMED = {
    "vllm:num_requests_running": "running",
    "vllm:num_requests_waiting": "waiting",
    "vllm:generation_tokens_total": "generated",
    "vllm:prompt_tokens_total": "prompted",
    "vllm:prefix_cache_queries_total": "prefix_queries",
    "vllm:prefix_cache_hits_total": "prefix_hits",
    "vllm:gpu_prefix_cache_queries_total": "prefix_queries",
    "vllm:gpu_prefix_cache_hits_total": "prefix_hits",
    "vllm:time_to_first_token_seconds_sum": "first_token_seconds",
    "vllm:time_to_first_token_seconds_count": "first_tokens",
}
_LARGEST = {"vllm:kv_cache_usage_perc": "kv_usage", "vllm:gpu_cache_usage_perc": "kv_usage"}


def samples(text: str) -> Iterator[tuple[str, float]]:
    """Name and value of every sample of vLLM's; lines that aren't any are passed over."""
    for line in text.splitlines():
        if not line.startswith("vllm:"):
            continue
        name, _, rest = line.partition("{")
        if rest:
            # A label's value may hold blanks and braces, the number after the last brace can't.
            number = rest.rpartition("}")[2]
        else:
            name, _, number = line.partition(" ")
        try:
            yield name, float(number.split()[0])
        except (ValueError, IndexError):
            continue


def parse(text: str) -> Counters:
    """The reading in an answer of `/metrics`; all None if it isn't vLLM's."""
    found: dict[str, float] = defaultdict(float)
    for name, number in samples(text):
        if number != number or number in (float("inf"), float("-inf")):
            continue
        if field := _SUMMED.get(name):
            found[field] += number
        elif field := _LARGEST.get(name):
            found[field] = max(found[field], number)
    whole = {name: int(found[name]) for name in ("running", "waiting") if name in found}
    return Counters(**{**found, **whole})  # pyright: ignore[reportArgumentType]


class Load(msgspec.Struct, frozen=True):
    """How a server is doing. None: it doesn't tell, or nothing has happened that would."""

    running: int | None = None
    waiting: int | None = None
    kv_usage: float | None = None
    """0 to 1."""
    tokens_per_second: float | None = None
    """Generated over all requests, in the last seconds."""
    prefix_hits: float | None = None
    """Of the prompts' tokens, how many were in the prefix cache, 0 to 1: lately, else ever."""
    first_token_ms: float | None = None
    """Mean time to first token: lately, else ever. As the server sees it, without the network."""


class Gauge:
    """Makes readings of one server into rates."""

    def __init__(self) -> None:
        self._readings: list[tuple[float, Counters]] = []

    def add(self, counters: Counters, now: float | None = None) -> Load:
        """How the server is doing, after one more reading.

        Args:
            now: seconds on a monotonic clock; None: this moment.
        """
        now = time.monotonic() if now is None else now
        if self._readings and _went_back(self._readings[-1][1], counters):
            # The server was started anew.
            self._readings.clear()
        self._readings.append((now, counters))
        while len(self._readings) > 2 and now - self._readings[1][0] >= WINDOW_SECONDS:
            del self._readings[0]
        return self._load(now, counters)

    def _load(self, now: float, counters: Counters) -> Load:
        _, before = self._readings[0]
        # Speed is that of the last two readings: what stands still shows at once.
        last, latest = self._readings[-2] if len(self._readings) > 1 else (now, counters)
        seconds = now - last
        generated = _grown(latest.generated, counters.generated)
        return Load(
            running=counters.running,
            waiting=counters.waiting,
            kv_usage=counters.kv_usage,
            tokens_per_second=generated / seconds if generated is not None and seconds > 0 else None,
            prefix_hits=_ratio(
                before.prefix_hits, counters.prefix_hits, before.prefix_queries, counters.prefix_queries
            ),
            first_token_ms=_milliseconds(
                _ratio(
                    before.first_token_seconds,
                    counters.first_token_seconds,
                    before.first_tokens,
                    counters.first_tokens,
                )
            ),
        )


def _went_back(before: Counters, after: Counters) -> bool:
    return (after.generated or 0) < (before.generated or 0) or (after.prompted or 0) < (before.prompted or 0)


def _grown(before: float | None, after: float | None) -> float | None:
    return None if before is None or after is None else after - before


def _ratio(part0: float | None, part1: float | None, whole0: float | None, whole1: float | None) -> float | None:
    """How much of the whole the part was since the first reading; if the whole hasn't grown since, ever."""
    part, whole = _grown(part0, part1), _grown(whole0, whole1)
    if not whole or part is None:
        part, whole = part1, whole1
    return part / whole if whole and part is not None else None


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1000
