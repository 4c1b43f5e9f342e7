"""Models that fold the past into a state: small ones, of random weights, answer alike in slices and in one piece."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from transformers import AutoModelForCausalLM, BambaConfig, DynamicCache, FalconH1Config, LlamaConfig
from transformers.models.qwen3_5 import Qwen3_5TextConfig
from transformers.models.qwen3_next import Qwen3NextConfig

from qiao.backends.local import prefix_cache, slicing
from qiao.backends.local.prefill import Prefill
from qiao.backends.local.prefix_cache import PrefixCache
from qiao.backends.local.slicing import can_be_sliced

SMALL: dict[str, Any] = {
    "vocab_size": 200,
    "hidden_size": 64,
    "intermediate_size": 64,
    "num_hidden_layers": 4,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 512,
}
LINEAR: dict[str, Any] = {
    "head_dim": 16,
    "linear_num_value_heads": 4,
    "linear_num_key_heads": 2,
    "linear_key_head_dim": 16,
    "linear_value_head_dim": 16,
}
EXPERTS: dict[str, Any] = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 32}
STATES: dict[str, Any] = {"mamba_n_heads": 4, "mamba_d_head": 16, "mamba_d_state": 16, "mamba_chunk_size": 16}

CONFIGS: dict[str, Callable[[], Any]] = {
    "qwen3-next": lambda: Qwen3NextConfig(**SMALL, **LINEAR, **EXPERTS, shared_expert_intermediate_size=32),
    "qwen3.5": lambda: Qwen3_5TextConfig(**SMALL, **LINEAR),
    "falcon-h1": lambda: FalconH1Config(**SMALL, **STATES, mamba_d_ssm=64),
}


def small(config: Any) -> tuple[Any, Callable[[], DynamicCache]]:
    torch.manual_seed(0)
    model: Any = AutoModelForCausalLM.from_config(config)
    return model.eval(), lambda: DynamicCache(config=config)


@pytest.fixture(scope="module", params=list(CONFIGS))
def folding(request: pytest.FixtureRequest) -> tuple[Any, Callable[[], DynamicCache]]:
    return small(CONFIGS[request.param]())


def prompt(length: int, start: int = 1) -> list[int]:
    return [start + (7 * i) % 190 for i in range(length)]


def greedy(model: Any, ids: Sequence[int], cache: Any = None) -> list[int]:
    options = {} if cache is None else {"past_key_values": cache}
    tokens = torch.tensor([list(ids)])
    mask = torch.ones_like(tokens)
    return model.generate(
        tokens, attention_mask=mask, do_sample=False, max_new_tokens=8, eos_token_id=None, pad_token_id=0, **options
    )[0].tolist()


def prefixes(model: Any, make: Callable[[], Any]) -> PrefixCache:
    return PrefixCache(make, 2**30, lambda ids: can_be_sliced(model, make, ids))


def test_slices_are_stopped_gone_on_with_and_give_the_same(folding: tuple[Any, Callable[[], DynamicCache]]) -> None:
    model, make = folding
    kept = prefixes(model, make)
    ids = prompt(140)
    with torch.inference_mode():
        expected = greedy(model, ids)
        stopped = threading.Event()
        cache, begun = kept.begin(ids)
        assert cache is not None
        assert begun == 0
        done = Prefill(model, None).feed(cache, ids[:101], 0, threading.Event(), lambda done: None)
        kept.fed(ids[:done])
        stopped.set()
        assert done == 100
        cache, begun = kept.begin(ids)
        assert begun == 100
        # A set stop computes nothing more.
        assert Prefill(model, None).feed(cache, ids, begun, stopped, lambda done: None) == 100
        Prefill(model, None).feed(cache, ids, begun, threading.Event(), lambda done: None)
        written = greedy(model, ids, cache)
        kept.fed(written)
        assert written == expected
        assert kept.size_bytes > 0


def test_what_follows_goes_on_and_what_differs_begins_anew(folding: tuple[Any, Callable[[], DynamicCache]]) -> None:
    model, make = folding
    kept = prefixes(model, make)
    ids = prompt(60)
    with torch.inference_mode():
        cache, _ = kept.begin(ids)
        first = greedy(model, ids, cache)
        kept.fed(first)
        longer = [*first, *prompt(20, 5)]
        cache, begun = kept.begin(longer)
        assert begun == len(first) - 1  # The last token was chosen, not fed.
        again = greedy(model, longer, cache)
        kept.fed(again)
        assert again == greedy(model, longer)
        # A retake would have to cut the state back, which can't be.
        assert kept.begin(longer)[1] == 0
        assert greedy(model, longer, kept.begin(longer)[0]) == again


def test_one_that_forgets_its_state_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    model, make = small(CONFIGS["qwen3.5"]())
    forward = model.forward

    def forgetting(*arguments: Any, past_key_values: Any = None, **options: Any) -> Any:
        for layer in past_key_values.layers if past_key_values is not None else ():
            for state in getattr(layer, "recurrent_states", {}).values():
                if state is not None:
                    state.zero_()
        return forward(*arguments, past_key_values=past_key_values, **options)

    monkeypatch.setattr(model, "forward", forgetting)
    with torch.inference_mode():
        assert not can_be_sliced(model, make, prompt(24))
        kept = prefixes(model, make)
        assert kept.begin(prompt(30)) == (None, 0)
        assert kept.begin(prompt(30)) == (None, 0)


def test_one_that_is_nearly_right_is_left_alone() -> None:
    """Bamba, in transformers 5.18: a third of a percent off, at each slice."""
    model, make = small(BambaConfig(**SMALL, **{**STATES, "mamba_n_heads": 8}, attn_layer_indices=[1]))
    with torch.inference_mode():
        assert not can_be_sliced(model, make, prompt(24))


def test_it_is_found_out_once_and_only_from_enough_tokens() -> None:
    model, make = small(CONFIGS["qwen3.5"]())
    asked: list[int] = []

    def ask(ids: Sequence[int]) -> bool:
        asked.append(len(ids))
        return can_be_sliced(model, make, ids)

    kept = PrefixCache(make, 2**30, ask)
    with torch.inference_mode():
        assert kept.begin(prompt(prefix_cache.ENOUGH_TO_TRY - 1)) == (None, 0)
        for _ in range(3):
            assert kept.begin(prompt(40))[0] is not None
    assert asked == [40]
    assert prefix_cache.ENOUGH_TO_TRY == slicing.TOKENS


def test_plain_attention_needs_no_trying() -> None:
    config = LlamaConfig(**SMALL)
    kept = PrefixCache(lambda: DynamicCache(config=config), 2**30)
    assert kept.begin([1, 2])[0] is not None


def test_half_precision_passes() -> None:
    model, make = small(CONFIGS["qwen3.5"]())
    model = model.to(torch.bfloat16)
    with torch.inference_mode():
        assert can_be_sliced(model, make, prompt(24))
