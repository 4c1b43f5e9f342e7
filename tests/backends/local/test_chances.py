"""How likely each token was: the same as a forward pass over prompt and answer says."""

import threading
from pathlib import Path
from typing import Any

import pytest
import torch

from qiao.backends.local.answering import Answerer
from qiao.backends.local.placement import CPU
from qiao.backends.local.prompting import form
from qiao.backends.local.tokenizer import Tokenizer
from qiao.backends.local.weights import load
from qiao.workbench.seam import Event, Finished, Started, Text, Token

from .asking_models import CAPITAL, STORY, request


@pytest.fixture(scope="module")
def answerer(safetensors_model: Path) -> Answerer:
    loaded = load(safetensors_model, CPU, "local:smol", lambda done, total: None)
    return Answerer(Tokenizer(safetensors_model), loaded.model, 8192, 2**33)


def answered(answerer: Answerer, text: str, **options: Any) -> list[Event]:
    events: list[Event] = []
    answerer.answer(request("smol", text, **options), threading.Event(), events.append)
    return events


def chances(events: list[Event]) -> list[Token]:
    texts = [event for event in events if isinstance(event, Text)]
    assert all(len(event.chances) in (0, event.tokens) for event in texts)
    return [token for event in texts for token in event.chances]


def directly(answerer: Answerer, safetensors_model: Path, text: str, tokens: list[Token]) -> list[torch.Tensor]:
    """The logarithms of all probabilities at each written token, by one forward pass."""
    tokenizer = Tokenizer(safetensors_model)
    prompt = form(tokenizer, request("smol", text)).ids
    ids = [*prompt, *tokenizer.encode("".join(token.text for token in tokens))]
    assert len(ids) == len(prompt) + len(tokens)
    model: Any = answerer._model  # pyright: ignore[reportPrivateUsage]
    with torch.inference_mode():
        logs = torch.log_softmax(model(torch.tensor([ids])).logits[0].float(), -1)
    return [logs[len(prompt) + i - 1] for i in range(len(tokens))]


@pytest.mark.parametrize("sampling", [{"temperature": 0}, {"temperature": 1.3, "top_k": 5, "repetition_penalty": 1.2}])
def test_they_are_the_models_own(answerer: Answerer, safetensors_model: Path, sampling: dict[str, Any]) -> None:
    events = answered(answerer, CAPITAL, max_tokens=7, seed=3, logprobs=4, **sampling)
    told = chances(events)
    assert "".join(token.text for token in told) == "".join(e.text for e in events if isinstance(e, Text))
    for token, logs in zip(told, directly(answerer, safetensors_model, CAPITAL, told), strict=True):
        best = torch.topk(logs, 4)
        assert [each.logprob for each in token.alternatives] == pytest.approx(best.values.tolist(), abs=1e-3)
        texts = answerer._tokenizer  # pyright: ignore[reportPrivateUsage]
        assert token.alternatives[0].text == texts.text_of_one(int(best.indices[0]))
        (own,) = texts.encode(token.text)
        assert token.logprob == pytest.approx(float(logs[own]), abs=1e-3)


def test_a_greedy_token_is_the_likeliest(answerer: Answerer) -> None:
    for token in chances(answered(answerer, CAPITAL, max_tokens=6, temperature=0, logprobs=1)):
        (likeliest,) = token.alternatives
        assert (likeliest.text, likeliest.logprob) == (token.text, token.logprob)
        assert token.logprob <= 0


def test_none_are_told_unless_asked_for_and_none_beside_the_token_with_0(answerer: Answerer) -> None:
    assert chances(answered(answerer, CAPITAL, max_tokens=4, temperature=0)) == []
    events = answered(answerer, CAPITAL, max_tokens=4, temperature=0, logprobs=0)
    assert [token.alternatives for token in chances(events)] == [()] * 4
    (started,) = [event for event in events if isinstance(event, Started)]
    assert started.sampling.logprobs == 0


def test_the_text_is_the_same_with_and_without(answerer: Answerer) -> None:
    options: dict[str, Any] = {"max_tokens": 12, "temperature": 1.0, "seed": 5}
    without = "".join(e.text for e in answered(answerer, STORY, **options) if isinstance(e, Text))
    assert "".join(e.text for e in answered(answerer, STORY, logprobs=2, **options) if isinstance(e, Text)) == without


def test_they_pass_through_a_stop_string(answerer: Answerer) -> None:
    events = answered(answerer, CAPITAL, max_tokens=12, temperature=0, logprobs=1, stop=("Paris",))
    assert isinstance(events[-1], Finished)
    assert "".join(token.text for token in chances(events)).startswith("The capital")


def test_nothing_watches_the_model_afterwards(answerer: Answerer) -> None:
    answered(answerer, CAPITAL, max_tokens=2, temperature=0, logprobs=1)
    model: Any = answerer._model  # pyright: ignore[reportPrivateUsage]
    assert not model._forward_hooks
