"""Reads the JSON files beside a model's weights; programs of all ages wrote them, so each may hold anything."""

import json
from collections.abc import Container
from pathlib import Path
from typing import NamedTuple, cast

import msgspec

from . import kind
from .kv_cache import NO_CACHE, KvCache, of_config

_ANSWERS = ("ForCausalLM", "LMHeadModel")
_SEES_AND_ANSWERS = "ForConditionalGeneration"
_CONTEXT = ("max_position_embeddings", "n_positions", "max_sequence_length", "seq_length", "max_seq_len")
_EXPERTS = ("num_experts", "num_local_experts", "n_routed_experts")
_EXPERTS_USED = ("num_experts_per_tok", "num_experts_per_token", "moe_topk")
_METHODS = {"awq": "AWQ", "gptq": "GPTQ", "fp8": "FP8", "mxfp4": "MXFP4", "fbgemm_fp8": "FP8"}
_DEFAULT_BITS = {"mxfp4": 4, "awq": 4, "gptq": 4}

Json = dict[str, object]


class Experts(NamedTuple):
    """Of a mixture of experts."""

    used: int
    """For each token."""
    total: int


class ModelConfig(msgspec.Struct, frozen=True):
    """What a model's config.json tells before it is loaded."""

    architecture: str
    """Its class, as `Qwen3ForCausalLM`; else its model type."""
    is_language_model: bool
    """Whether it continues text; an embedder, a vision tower or a speech recogniser doesn't."""
    context_length: int | None
    """In tokens."""
    quantised_bits: int | None
    """Bits of a packed weight; None if the weights aren't quantised."""
    quantisation: str | None = None
    """How they are quantised, as `AWQ 4-bit`."""
    dtype: str | None = None
    """What it is to be loaded as, as `bfloat16`."""
    kv: KvCache = NO_CACHE
    experts: Experts | None = None
    embedding_parameters: int = 0
    """Of the table of tokens, and of that of the output unless it is the same one."""


def read_json(path: Path) -> Json | None:
    """The JSON object in the file; None if there is no such thing in it.

    Raises:
        OSError: the file can't be read.
    """
    data = path.read_bytes()
    try:
        value = msgspec.json.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        # Python's own reader takes Infinity and a byte order mark too, and so do the libraries that load models.
        try:
            value = json.loads(data)
        except (ValueError, RecursionError):
            return None
    return cast(Json, value) if isinstance(value, dict) else None


def read_config(path: Path) -> ModelConfig | None:
    """What config.json tells; None if it isn't a JSON object.

    Raises:
        OSError: the file can't be read.
    """
    config = read_json(path)
    if config is None:
        return None
    inner = _object(config.get("text_config"))
    whole = {**config, **inner}
    architectures = _texts(config.get("architectures"))
    quantisation = _object(config.get("quantization_config"))
    model_type = config.get("model_type")
    return ModelConfig(
        architecture=architectures[0] if architectures else model_type if isinstance(model_type, str) else "",
        is_language_model=_is_language_model(config, inner, architectures),
        context_length=_first_number(config) or _first_number(inner),
        quantised_bits=_bits(quantisation),
        quantisation=_quantisation(quantisation),
        dtype=next((t for t in (whole.get("dtype"), whole.get("torch_dtype")) if isinstance(t, str)), None),
        kv=of_config(config),
        experts=_experts(whole),
        embedding_parameters=_embedding_parameters(whole),
    )


def _experts(config: Json) -> Experts | None:
    total = next((n for n in map(config.get, _EXPERTS) if isinstance(n, int)), 0)
    used = next((n for n in map(config.get, _EXPERTS_USED) if isinstance(n, int)), 0)
    return Experts(used, total) if 0 < used < total else None


def _embedding_parameters(config: Json) -> int:
    vocabulary, hidden = config.get("vocab_size"), config.get("hidden_size")
    if not isinstance(vocabulary, int) or not isinstance(hidden, int):
        return 0
    return vocabulary * hidden * (1 if config.get("tie_word_embeddings") is True else 2)


def _quantisation(quantization: Json) -> str | None:
    """The method and its bits, as `GPTQ 4-bit`, `FP8`; None if the weights aren't quantised."""
    bits = _bits(quantization)
    if bits is None:
        return None
    method = quantization.get("quant_method")
    name = method if isinstance(method, str) else "bitsandbytes" if "load_in_4bit" in quantization else "?"
    name = _METHODS.get(name, name)
    return name if any(digit.isdigit() for digit in name) else f"{name} {bits}-bit"


def _is_language_model(config: Json, inner: Json, architectures: list[str]) -> bool:
    if "AutoModelForCausalLM" in _object(config.get("auto_map")):
        return True
    if config.get("is_encoder_decoder") is True:
        return False
    if not architectures:
        return "vocab_size" in config or "vocab_size" in inner
    return any(a.endswith(_ANSWERS) or (a.endswith(_SEES_AND_ANSWERS) and bool(inner)) for a in architectures)


def _first_number(config: Json) -> int | None:
    for key in _CONTEXT:
        value = config.get(key)
        if isinstance(value, int) and value > 0:
            return value
    return None


def _bits(quantization: Json) -> int | None:
    if not quantization:
        return None
    bits = quantization.get("bits")
    if isinstance(bits, int) and 0 < bits <= 32:
        return bits
    if quantization.get("load_in_4bit") is True:
        return 4
    method = quantization.get("quant_method")
    if method == "compressed-tensors":
        return _compressed_bits(quantization)
    return _DEFAULT_BITS.get(method, 8) if isinstance(method, str) else 8


def _compressed_bits(quantization: Json) -> int:
    for group in _object(quantization.get("config_groups")).values():
        bits = _object(_object(group).get("weights")).get("num_bits")
        if isinstance(bits, int) and 0 < bits <= 32:
            return bits
    return 8


def read_template(path: Path, names: Container[str]) -> str:
    """The model's chat template, all its variants together; empty if it has none.

    Args:
        path: the model's directory.
        names: of the files in it.

    Raises:
        OSError: a file can't be read.
    """
    if "chat_template.jinja" in names:
        return (path / "chat_template.jinja").read_text(encoding="utf-8", errors="replace")
    for name in ("tokenizer_config.json", "chat_template.json"):
        if name in names:
            template = _template_text((read_json(path / name) or {}).get("chat_template"))
            if template:
                return template
    return ""


class _AddedToken(msgspec.Struct):
    id: int
    content: str
    special: bool = False


class _TokenizerFile(msgspec.Struct):
    added_tokens: list[_AddedToken] = []


def read_stops(path: Path, names: Container[str]) -> kind.Stops:
    """Where the model in this directory stops, and its special tokens.

    Args:
        path: the model's directory.
        names: of the files in it.

    Raises:
        OSError: a file can't be read.
    """
    files = ("tokenizer_config.json", "generation_config.json", "config.json")
    tokenizer, *configs = ((read_json(path / name) or {}) if name in names else {} for name in files)
    added = kind.special_tokens(tokenizer)
    if not added and "tokenizer.json" in names:
        try:
            found = msgspec.json.decode((path / "tokenizer.json").read_bytes(), type=_TokenizerFile)
            added = {token.id: token.content for token in found.added_tokens if token.special}
        except (msgspec.MsgspecError, UnicodeDecodeError):
            pass
    inner = [_object(config.get("text_config")) for config in configs]
    return kind.stops(tokenizer, added, [*configs, *inner])


def _template_text(value: object) -> str:
    """A template is a text, or a list of `{"name": …, "template": …}`."""
    if isinstance(value, str):
        return value
    if isinstance(value, list):
        return "\n".join(_template_text(_object(entry).get("template")) for entry in cast("list[object]", value))
    return ""


class _Index(msgspec.Struct):
    weight_map: dict[str, str] = {}


def read_weight_map(path: Path) -> list[str] | None:
    """The weight files that an index names, each once, in order; None if the index can't be understood.

    Raises:
        OSError: the file can't be read.
    """
    try:
        index = msgspec.json.decode(path.read_bytes(), type=_Index)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return None
    names = sorted(set(index.weight_map.values()))
    # A name with a folder in it would lead out of the model's directory.
    return names if names and all("/" not in name for name in names) else None


def _object(value: object) -> Json:
    return cast(Json, value) if isinstance(value, dict) else {}


def _texts(value: object) -> list[str]:
    return [text for text in cast("list[object]", value) if isinstance(text, str)] if isinstance(value, list) else []
