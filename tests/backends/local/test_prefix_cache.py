"""The KV cache that is kept between requests: answers are the same with and without it, and it is really used."""

import threading
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from transformers import DynamicCache

from qiao.backends.local.answering import Answerer
from qiao.backends.local.placement import CPU
from qiao.backends.local.prefix_cache import PrefixCache
from qiao.backends.local.tokenizer import Tokenizer
from qiao.backends.local.weights import load
from qiao.workbench.seam import Event, Finished, Text

from .asking_models import CAPITAL, STORY, request

LONG = "This is a long preface. " * 12
LAYERS = 6
TOKEN_BYTES = 2 * LAYERS * 3 * 64 * 4
"""Keys and values, 3 heads of 64 numbers of 4 bytes in each layer."""


@pytest.fixture(scope="module")
def model(safetensors_model: Path) -> Any:
    """The starter's first layers, in float32: what it writes makes no sense, but depends on all that stands before."""
    loaded = load(safetensors_model, CPU, "local:smol", lambda done, total: None)
    assert loaded.dtype == "float32"
    loaded.model.model.layers = loaded.model.model.layers[:LAYERS]
    loaded.model.config.num_hidden_layers = LAYERS
    return loaded.model


@pytest.fixture(scope="module")
def answerer(safetensors_model: Path, model: Any) -> Answerer:
    return Answerer(Tokenizer(safetensors_model), model, 8192, 2**33)


class Said(NamedTuple):
    """An answer, and how likely each of its tokens was: that tells of a wrong cache where the text still doesn't."""

    text: str
    logprobs: tuple[float, ...]

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Said)
            and self.text == other.text
            and self.logprobs == pytest.approx(other.logprobs, abs=1e-3)
        )


def answer(answerer: Answerer, *texts: str, **options: Any) -> tuple[Said, Finished]:
    events: list[Event] = []
    sampling = {"temperature": 0, "max_tokens": 12, "logprobs": 0, **options}
    answerer.answer(request("smol", *texts, **sampling), threading.Event(), events.append)
    last = events[-1]
    assert isinstance(last, Finished)
    pieces = [event for event in events if isinstance(event, Text)]
    chances = tuple(token.logprob for piece in pieces for token in piece.chances)
    assert chances
    return Said("".join(piece.text for piece in pieces), chances), last


def fresh(answerer: Answerer, *texts: str, **options: Any) -> Said:
    """What is answered without anything kept."""
    answerer.prefixes.drop()
    said, finished = answer(answerer, *texts, **options)
    assert finished.usage.cached_tokens == 0
    return said


CONVERSATIONS = [
    (LONG + CAPITAL,),
    # Its own continuation, a retake, a shorter one, one that differs at the start, and the first one again.
    (LONG + CAPITAL, "The capital of France is Paris.", "And of Italy?"),
    (LONG + CAPITAL, "The capital of France is Paris.", "And of Italy?"),
    (LONG + "Name a colour.",),
    (STORY,),
    (LONG + CAPITAL,),
]


def test_answers_are_the_same_with_and_without(answerer: Answerer) -> None:
    expected = [fresh(answerer, *texts) for texts in CONVERSATIONS]
    # Each conversation tells.
    assert len({round(said.logprobs[0], 3) for said in expected}) == len(set(CONVERSATIONS))
    answerer.prefixes.drop()
    cached: list[int] = []
    for texts, said in zip(CONVERSATIONS, expected, strict=True):
        kept, finished = answer(answerer, *texts)
        assert kept == said
        assert finished.usage.cached_tokens is not None
        assert finished.usage.prompt_tokens is not None
        assert finished.usage.cached_tokens < finished.usage.prompt_tokens
        cached.append(finished.usage.cached_tokens)
    assert cached[0] == 0
    assert cached[1] > 60
    assert cached[2] > cached[1]
    assert 60 < cached[3] < cached[1]


def test_the_same_prompt_again_leaves_one_token_to_compute(answerer: Answerer) -> None:
    first, _ = answer(answerer, LONG + CAPITAL)
    again, finished = answer(answerer, LONG + CAPITAL)
    assert again == first
    assert finished.usage.cached_tokens == (finished.usage.prompt_tokens or 0) - 1


def test_seeds_give_the_same_with_and_without(answerer: Answerer) -> None:
    sampled = {"temperature": 1.0, "seed": 11}
    expected = fresh(answerer, STORY, **sampled)
    answer(answerer, STORY)
    assert answer(answerer, STORY, **sampled)[0] == expected


def test_a_stopped_prefill_is_gone_on_with(answerer: Answerer) -> None:
    expected = fresh(answerer, LONG * 3 + CAPITAL)
    answerer.prefixes.drop()
    stop = threading.Event()
    slices: list[int] = []

    def said(event: Event) -> None:
        done = getattr(event, "done", 0)
        slices.append(done)
        if done:
            stop.set()

    answerer.answer(request("smol", LONG * 3 + CAPITAL, temperature=0), stop, said)
    done = max(slices)
    assert done > 0
    said_then, finished = answer(answerer, LONG * 3 + CAPITAL)
    assert finished.usage.cached_tokens == done
    assert said_then == expected


def test_a_broken_off_answer_leaves_nothing_wrong_behind(answerer: Answerer) -> None:
    expected = fresh(answerer, CAPITAL)

    def broken(event: Event) -> None:
        if isinstance(event, Text):
            raise RuntimeError("the pipe is gone")

    with pytest.raises(RuntimeError):
        answerer.answer(request("smol", CAPITAL, temperature=0), threading.Event(), broken)
    assert answerer.prefixes.size_bytes == 0
    assert answer(answerer, CAPITAL)[0] == expected


def test_too_large_a_cache_is_not_kept(safetensors_model: Path, model: Any) -> None:
    small = Answerer(Tokenizer(safetensors_model), model, 8192, 8 * 100 * TOKEN_BYTES)
    answer(small, CAPITAL)
    assert 0 < small.prefixes.size_bytes <= 100 * TOKEN_BYTES
    answer(small, LONG * 2 + CAPITAL)
    assert small.prefixes.size_bytes == 0


def test_dropping_frees_it(answerer: Answerer) -> None:
    _, finished = answer(answerer, CAPITAL)
    tokens = (finished.usage.prompt_tokens or 0) + (finished.usage.completion_tokens or 0)
    # The last token is never fed.
    assert answerer.prefixes.size_bytes == (tokens - 1) * TOKEN_BYTES
    answerer.prefixes.drop()
    assert answerer.prefixes.size_bytes == 0


def test_layers_that_fold_the_past_are_left_alone() -> None:
    class LinearAttentionLayer:
        """Named as transformers' own; such a layer can't be cut back."""

    class Folding:
        layers = (LinearAttentionLayer(),)

    prefixes = PrefixCache(Folding, 2**30)
    assert prefixes.begin([1, 2, 3]) == (None, 0)
    assert prefixes.begin([1, 2, 3]) == (None, 0)


def test_a_sliding_window_that_has_moved_on_is_built_anew() -> None:
    import torch
    from transformers import MistralConfig

    config = MistralConfig(num_hidden_layers=1, sliding_window=4, hidden_size=8, num_attention_heads=1)
    prefixes = PrefixCache(lambda: DynamicCache(config=config), 2**30)
    ids = list(range(10))
    cache, begun = prefixes.begin(ids)
    assert begun == 0
    cache.update(torch.zeros(1, 1, 9, 8), torch.zeros(1, 1, 9, 8), 0)
    prefixes.fed(ids)
    # What follows can be added; what is to be cut off can't, for what stood before it is forgotten.
    assert prefixes.begin([*ids, 10])[1] == 9
    assert prefixes.begin([0, 1, 2, 3, 4, 77])[1] == 0
