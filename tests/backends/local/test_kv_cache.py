"""The KV cache of well-known models, from their own configurations."""

from typing import Any

import pytest

from qiao.backends.local.gguf_header import read
from qiao.backends.local.kv_cache import NO_CACHE, KvCache, of_config, of_gguf

SMOL = {"num_hidden_layers": 30, "num_key_value_heads": 3, "hidden_size": 576, "num_attention_heads": 9}
QWEN_3B = {
    "model_type": "qwen2", "num_hidden_layers": 36, "num_key_value_heads": 2, "hidden_size": 2048,
    "num_attention_heads": 16, "sliding_window": 32768, "use_sliding_window": False, "max_window_layers": 70,
}  # fmt: skip
MISTRAL = {"num_hidden_layers": 32, "num_key_value_heads": 8, "head_dim": 128, "sliding_window": 4096}
GEMMA_2 = {
    "model_type": "gemma2", "num_hidden_layers": 42, "num_key_value_heads": 8, "head_dim": 256, "sliding_window": 4096,
}  # fmt: skip
GEMMA_3 = {
    "model_type": "gemma3",
    "text_config": {
        "model_type": "gemma3_text", "num_hidden_layers": 62, "num_key_value_heads": 16, "head_dim": 128,
        "sliding_window": 1024, "sliding_window_pattern": 6,
    },
}  # fmt: skip
GPT_OSS = {
    "num_hidden_layers": 24, "num_key_value_heads": 8, "head_dim": 64, "sliding_window": 128,
    "layer_types": ["sliding_attention", "full_attention"] * 12,
}  # fmt: skip
QWEN_NEXT = {"num_hidden_layers": 48, "num_key_value_heads": 2, "head_dim": 256, "full_attention_interval": 4}
QWEN_NEXT_LISTED = {**QWEN_NEXT, "layer_types": (["linear_attention"] * 3 + ["full_attention"]) * 12}
DEEPSEEK = {"num_hidden_layers": 61, "kv_lora_rank": 512, "qk_rope_head_dim": 64, "num_key_value_heads": 128}
GPT_2 = {"n_layer": 12, "n_head": 12, "n_embd": 768}
FALCON = {"num_hidden_layers": 32, "num_attention_heads": 71, "hidden_size": 4544, "multi_query": True}


@pytest.mark.parametrize(
    ("config", "expected"),
    [
        (SMOL, KvCache(11520)),
        (QWEN_3B, KvCache(2 * 36 * 2 * 128, 0, 32768)),
        (MISTRAL, KvCache(0, 2 * 32 * 8 * 128, 4096)),
        (GEMMA_2, KvCache(2 * 21 * 8 * 256, 2 * 21 * 8 * 256, 4096)),
        (GEMMA_3, KvCache(2 * 10 * 16 * 128, 2 * 52 * 16 * 128, 1024)),
        (GPT_OSS, KvCache(2 * 12 * 8 * 64, 2 * 12 * 8 * 64, 128)),
        (QWEN_NEXT, KvCache(2 * 12 * 2 * 256)),
        (QWEN_NEXT_LISTED, KvCache(2 * 12 * 2 * 256)),
        (DEEPSEEK, KvCache(61 * 576)),
        (GPT_2, KvCache(2 * 12 * 768)),
        (FALCON, KvCache(2 * 32 * 64)),
        ({}, NO_CACHE),
        ({"num_hidden_layers": "many", "text_config": 3, "layer_types": {}}, NO_CACHE),
    ],
)
def test_well_known_models(config: dict[str, Any], expected: KvCache) -> None:
    assert of_config(config) == expected


def test_a_gibibyte_holds_as_many_tokens_as_vllm_reports() -> None:
    # vLLM's own word for SmolLM2-135M with 1 GiB: 46,592 tokens, in blocks of 128.
    tokens = 2**30 // of_config(SMOL).bytes(1)
    assert tokens // 128 * 128 == 46592


def test_a_window_stops_growing() -> None:
    cache = of_config(MISTRAL)
    assert cache.bytes(1000) == 1000 * cache.per_token_in_window * 2
    assert cache.bytes(4096) == cache.bytes(1_000_000)
    both = of_config(GEMMA_2)
    assert both.bytes(8192) == (both.per_token * 8192 + both.per_token_in_window * 4096) * 2


def test_a_gguf_file_tells_it_too(starter: Any) -> None:
    assert of_gguf(read(starter)) == KvCache(11520)
