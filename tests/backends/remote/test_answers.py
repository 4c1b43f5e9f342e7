"""Answers that go well: what is sent, what comes out of it."""

import pytest

from qiao.workbench.sampling import Sampling
from qiao.workbench.seam import Progress, Text

from .conftest import MakeAsker
from .misbehaving import says


def test_an_answer_streams_with_its_counts_and_times(asker: MakeAsker) -> None:
    ask = asker(says("Par", "is", ".", pause=0.02))
    answered = ask(Sampling(temperature=0.5, seed=3))
    assert answered.text == "Paris."
    assert [event.text for event in answered.events if isinstance(event, Text)] == ["Par", "is", "."]
    assert [event.stage for event in answered.events if isinstance(event, Progress)][-2:] == ["connecting", "waiting"]
    assert answered.started.sampling == Sampling(temperature=0.5, seed=3)
    finished = answered.finished
    assert (finished.reason, finished.usage.prompt_tokens, finished.usage.completion_tokens) == ("stop", 7, 3)
    timing = finished.timing
    assert timing.first_token_ms
    assert timing.total_ms
    assert 0 < timing.first_token_ms < timing.total_ms
    assert timing.tokens_per_second == pytest.approx(2000 / (timing.total_ms - timing.first_token_ms), rel=0.05)
