"""No chunk, however odd, is an accident of this program."""

from contextlib import suppress
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from qiao.backends.remote.chunks import ChunkReader, Complained
from qiao.backends.remote.complaint import kind_of, of_event, read
from qiao.workbench.seam import Token

KEYS = (
    *("choices", "delta", "message", "content", "reasoning", "reasoning_content", "text", "finish_reason", "index"),
    *("logprobs", "tokens", "token", "logprob", "token_logprobs", "top_logprobs", "usage", "prompt_tokens_details"),
    *("prompt_tokens", "completion_tokens", "completion_tokens_details", "cached_tokens", "error", "code", "model"),
)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(["", "a", "<think>", "</think>"])
odd: st.SearchStrategy[Any] = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4),
    max_leaves=12,
)


def like(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """Chunks of the right outline, with anything inside."""
    choice = st.fixed_dictionaries({"delta": odd, "logprobs": odd, "finish_reason": odd, "text": odd})
    return st.fixed_dictionaries({"choices": st.lists(choice, max_size=2), "usage": strategy})


@given(st.lists(odd | like(odd), max_size=5), st.booleans(), st.booleans())
def test_any_chunk_is_read_or_is_an_error(chunks: list[Any], inline: bool, opened: bool) -> None:
    reader = ChunkReader(inline=inline, opened=opened)
    with suppress(Complained):
        for chunk in chunks:
            reader.feed(chunk)
    reader.flush()
    assert reader.ending
    assert reader.usage("a").completion_tokens is not None


def test_chances_without_alternatives_are_chances_all_the_same() -> None:
    for tops in (None, 5, []):
        told = {"tokens": ["a"], "token_logprobs": [-0.5], "top_logprobs": tops}
        (piece,) = ChunkReader().feed({"choices": [{"text": "a", "logprobs": told}]})
        assert piece.chances == (Token("a", -0.5),)


@given(odd, st.sampled_from([200, 400, 401, 403, 404, 422, 429, 500, 503]))
def test_any_error_is_of_some_kind(value: Any, status: int) -> None:
    complaint = of_event(value)
    assert kind_of(complaint, {})
    assert kind_of(complaint._replace(status=status), {})


@given(st.binary(max_size=60))
def test_any_body_of_an_error_is_read(body: bytes) -> None:
    assert kind_of(read(body, 400), {})
