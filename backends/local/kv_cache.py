"""How much memory a conversation takes in a model's KV cache, told from its configuration."""

from collections.abc import Mapping
from typing import NamedTuple, cast

from .gguf_header import GgufHeader

Json = Mapping[str, object]

_LAYERS = ("num_hidden_layers", "n_layer", "num_layers", "n_layers")
_HEADS = ("num_attention_heads", "n_head", "num_heads", "n_heads")
_HIDDEN = ("hidden_size", "n_embd", "d_model")
_KV_HEADS = ("num_key_value_heads", "multi_query_group_num", "num_kv_heads", "n_head_kv")
_WINDOWED = ("sliding", "chunked")
_WINDOW = ("sliding_window", "attention_chunk_size")
_PATTERNS = (("gemma2", 2), ("gemma3", 6), ("llama4", 4))


class KvCache(NamedTuple):
    """The numbers that a model's KV cache holds: keys and values of every layer that attends."""

    per_token: int = 0
    """For each token, in the layers that see the whole context."""
    per_token_in_window: int = 0
    """For each token, in the layers that see only the last `window` tokens."""
    window: int = 0
    """In tokens."""

    def numbers(self, tokens: int) -> int:
        """Held for a conversation of so many tokens."""
        return self.per_token * tokens + self.per_token_in_window * min(tokens, self.window)

    def bytes(self, tokens: int, number_bytes: int = 2) -> int:
        """Memory for a conversation of so many tokens, by default in 16-bit numbers."""
        return self.numbers(tokens) * number_bytes


NO_CACHE = KvCache()
"""Where nothing can be told."""


def of_config(config: Json) -> KvCache:
    """From the object in config.json; `NO_CACHE` if it doesn't tell.

    Ordinary attention keeps 2 * KV heads * head size numbers a layer and token (keys and values). DeepSeek's latent
    attention (MLA) keeps one compressed vector and the rotary part of the key instead, in transformers and in vLLM.
    Layers of linear attention or state-space keep a state that doesn't grow, which isn't counted.
    """
    inner = config.get("text_config")
    if isinstance(inner, dict):
        config = {**config, **cast(Json, inner)}
    layers, heads = _number(config, *_LAYERS), _number(config, *_HEADS)
    full, windowed = _layers(config, max(layers - _number(config, "num_kv_shared_layers"), 0))
    latent = _number(config, "kv_lora_rank")
    if latent:
        return KvCache((full + windowed) * (latent + _number(config, "qk_rope_head_dim")))
    hidden = _number(config, *_HIDDEN)
    head_size = _number(config, "head_dim", "kv_channels") or (hidden // heads if heads else 0)
    kv_heads = 1 if config.get("multi_query") is True else _number(config, *_KV_HEADS) or heads
    # Gemma 4 has larger heads in the layers that see everything, and sometimes fewer of them.
    full_size = _number(config, "global_head_dim") or head_size
    full_heads = _number(config, "num_global_key_value_heads") or kv_heads
    return KvCache(2 * full * full_heads * full_size, 2 * windowed * kv_heads * head_size, _number(config, *_WINDOW))


def of_gguf(header: GgufHeader) -> KvCache:
    """From the head of a GGUF file; `NO_CACHE` if it doesn't tell. Windows aren't counted: it doesn't say which."""
    name = header.text("general.architecture")

    def number(key: str) -> int:
        return header.number(f"{name}.{key}") or 0

    layers, heads = number("block_count"), number("attention.head_count")
    latent = number("attention.kv_lora_rank")
    if latent:
        return KvCache(layers * (latent + number("rope.dimension_count")))
    size = number("attention.key_length") or (number("embedding_length") // heads if heads else 0)
    return KvCache(2 * layers * (number("attention.head_count_kv") or heads) * size)


def _layers(config: Json, layers: int) -> tuple[int, int]:
    """How many layers see the whole context, and how many only a window of it; others keep nothing that grows."""
    window = _number(config, *_WINDOW)
    kinds = config.get("layer_types") or config.get("layers_block_type")
    if isinstance(kinds, list):
        named = [str(kind) for kind in cast("list[object]", kinds)][:layers]
        windowed = sum(1 for kind in named if any(mark in kind for mark in _WINDOWED)) if window else 0
        full = sum(1 for kind in named if "full" in kind or kind in ("attention", "hybrid"))
        full += 0 if window else sum(1 for kind in named if any(mark in kind for mark in _WINDOWED))
        return full, windowed
    interval = _number(config, "full_attention_interval")
    if interval:
        return layers // interval, 0
    if not window or config.get("use_sliding_window") is False:
        return layers, 0
    model = str(config.get("model_type"))
    # Before configurations listed their layers: one in so many sees everything.
    pattern = _number(config, "sliding_window_pattern") or next((n for m, n in _PATTERNS if model.startswith(m)), 0)
    full = layers // pattern if pattern else 0
    if model.startswith("qwen"):
        full = min(_number(config, "max_window_layers"), layers)
    return full, layers - full


def _number(config: Json, *keys: str) -> int:
    """The first of these keys that holds a whole number; else 0."""
    for key in keys:
        value = config.get(key)
        if isinstance(value, int) and not isinstance(value, bool) and value > 0:
            return value
    return 0
