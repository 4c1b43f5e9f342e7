from pathlib import Path

import pytest

from qiao.backends.vllm.metrics import Counters, Gauge, Load, parse

SAMPLE = Path(__file__).parent / "samples" / "metrics.txt"
"""Of vLLM 0.32, after one answer of 8 tokens to a prompt of 31."""


def test_a_real_reading() -> None:
    assert parse(SAMPLE.read_text()) == Counters(
        running=0,
        waiting=0,
        kv_usage=0.0,
        generated=8.0,
        prompted=31.0,
        prefix_queries=31.0,
        prefix_hits=0.0,
        first_token_seconds=0.10966348648071289,
        first_tokens=1.0,
    )


def test_engines_are_added_up_and_the_fullest_cache_counts() -> None:
    text = (
        'vllm:num_requests_running{engine="0",model_name="a} b{"} 2.0\n'
        'vllm:num_requests_running{engine="1",model_name="a} b{"} 3.0\n'
        'vllm:kv_cache_usage_perc{engine="0"} 0.25\nvllm:kv_cache_usage_perc{engine="1"} 0.5\n'
        "vllm:num_requests_waiting 7 1795402959\n"
    )
    found = parse(text)
    assert (found.running, found.waiting, found.kv_usage) == (5, 7, 0.5)


@pytest.mark.parametrize(
    "text", ["", "<html>", "vllm:num_requests_running", "vllm:num_requests_running{} NaN", "vllm:x{"]
)
def test_what_isnt_vllms_tells_nothing(text: str) -> None:
    assert parse(text) == Counters()


def test_rates_come_from_two_readings() -> None:
    gauge = Gauge()
    first = gauge.add(Counters(running=1, generated=100, prefix_queries=10, prefix_hits=5), 10.0)
    assert (first.tokens_per_second, first.prefix_hits) == (None, 0.5)
    second = gauge.add(Counters(running=1, generated=150, prefix_queries=110, prefix_hits=30), 12.0)
    assert second == Load(running=1, tokens_per_second=25.0, prefix_hits=0.25)


def test_means_are_of_the_last_seconds_and_stand_while_nothing_happens() -> None:
    gauge = Gauge()
    for second in range(30):
        gauge.add(Counters(first_token_seconds=100.0, first_tokens=100), float(second))
    busy = gauge.add(Counters(first_token_seconds=101.0, first_tokens=104), 30.0)
    assert busy.first_token_ms == pytest.approx(250)
    idle = [gauge.add(Counters(first_token_seconds=101.0, first_tokens=104), 31.0 + n) for n in range(30)]
    assert idle[-1].first_token_ms == pytest.approx(1000 * 101 / 104)


def test_a_server_that_was_started_anew_begins_anew() -> None:
    gauge = Gauge()
    gauge.add(Counters(generated=1000), 0.0)
    assert gauge.add(Counters(generated=10), 1.0).tokens_per_second is None
    assert gauge.add(Counters(generated=30), 2.0).tokens_per_second == 20
