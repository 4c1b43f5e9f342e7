"""How much memory a model takes, and how that is said."""

from pathlib import Path
from typing import cast

from . import gguf_header
from .checkpoint import inspect
from .model_config import Json, read_json
from .placement import needed_bytes

_CACHE_BYTES = 2
"""Of a number in the KV cache: bfloat16."""


def gigabytes(count: int) -> str:
    """A number of bytes for a person to read, as `1.5 GiB`."""
    return f"{count / 2**30:.1f} GiB"


def gpu_bytes(path: Path) -> int:
    """Memory that the model needs on a GPU, told from its files alone.

    Args:
        path: a directory of safetensors, or a GGUF file, which is unpacked to bfloat16.
    """
    checkpoint = inspect(path)
    weights = checkpoint.size_bytes or 0
    if path.is_file():
        weights = 2 * (checkpoint.parameters or 4 * weights)
    return needed_bytes(weights, kv_bytes_per_token(path), checkpoint.context_length)


def kv_bytes_per_token(path: Path) -> int:
    """Bytes that a token takes in the KV cache: keys and values of every layer. 0 if it can't be told."""
    try:
        return _gguf(path) if path.is_file() else _directory(path)
    except (OSError, ValueError):
        return 0


def _gguf(path: Path) -> int:
    header = gguf_header.read(path)
    name = header.text("general.architecture")

    def number(key: str) -> int:
        return header.number(f"{name}.{key}") or 0

    heads = number("attention.head_count")
    size = number("attention.key_length") or (number("embedding_length") // heads if heads else 0)
    return _bytes(number("block_count"), number("attention.head_count_kv") or heads, size)


def _directory(path: Path) -> int:
    config = read_json(path / "config.json") or {}
    inner = config.get("text_config")
    if isinstance(inner, dict):
        config = {**config, **cast(Json, inner)}

    def number(key: str) -> int:
        value = config.get(key)
        return value if isinstance(value, int) else 0

    layers, heads = number("num_hidden_layers"), number("num_attention_heads")
    if number("kv_lora_rank"):
        # DeepSeek's latent attention keeps one compressed vector a layer instead of keys and values.
        return layers * (number("kv_lora_rank") + number("qk_rope_head_dim")) * _CACHE_BYTES
    size = number("head_dim") or (number("hidden_size") // heads if heads else 0)
    return _bytes(layers, number("num_key_value_heads") or heads, size)


def _bytes(layers: int, kv_heads: int, head_size: int) -> int:
    return 2 * layers * kv_heads * head_size * _CACHE_BYTES
