"""Small models on disk, complete but for weights that anyone could use; and what discovery says of them."""

import json
import os
import struct
from pathlib import Path
from typing import Any

import pytest

from qiao.backends.local import discovery
from qiao.workbench.errors import Refused
from qiao.workbench.seam import Model

CHATML = "{% for message in messages %}<|im_start|>{{ message.role }}{% endfor %}"
THINKING = CHATML + "{% if enable_thinking %}{% endif %}"
QWEN: dict[str, Any] = {"architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "max_position_embeddings": 32768}
SHAPES = {"model.embed_tokens.weight": [100, 8], "model.norm.weight": [8]}


def safetensors(numbers: int) -> bytes:
    """A file's bytes, with one tensor of so many numbers."""
    head = json.dumps({"a": {"dtype": "BF16", "shape": [numbers], "data_offsets": [0, 2 * numbers]}}).encode()
    return struct.pack("<Q", len(head)) + head + os.urandom(2 * numbers)


def write_safetensors(
    file: Path, shapes: dict[str, list[int]] | None = None, dtype: str = "BF16", size: int = 2
) -> None:
    head: dict[str, Any] = {"__metadata__": {"format": "pt", "shape": "no shape at all", "dtype": "none"}}
    at = 0
    for name, shape in (shapes or SHAPES).items():
        length = size
        for side in shape:
            length *= side
        head[name] = {"dtype": dtype, "shape": shape, "data_offsets": [at, at + length]}
        at += length
    text = json.dumps(head).encode()
    file.write_bytes(struct.pack("<Q", len(text)) + text + bytes(at))


def write_model(
    folder: Path, config: dict[str, Any] | None = None, template: str | None = CHATML, weights: bool = True
) -> Path:
    folder.mkdir(parents=True)
    (folder / "config.json").write_text(json.dumps(QWEN if config is None else config))
    (folder / "tokenizer.json").write_text("{}")
    tokenizer = {} if template is None else {"chat_template": template}
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer))
    if weights:
        write_safetensors(folder / "model.safetensors")
    return folder


def gguf_string(text: str) -> bytes:
    return struct.pack("<Q", len(text.encode())) + text.encode()


def write_gguf(file: Path, values: dict[str, str | int] | None = None, vocabulary: int = 1000) -> Path:
    """A GGUF file with these values, a vocabulary, a nested type or two, and two tensors of Q4_1 and F32."""
    if values is None:
        values = {"general.architecture": "llama", "llama.context_length": 8192, "tokenizer.chat_template": CHATML}
    pairs = [gguf_string("tokenizer.ggml.tokens") + struct.pack("<IIQ", 9, 8, vocabulary)]
    pairs[0] += b"".join(gguf_string(f"<{number}>") for number in range(vocabulary))
    pairs.append(gguf_string("tokenizer.ggml.scores") + struct.pack("<IIQ", 9, 6, vocabulary) + bytes(4 * vocabulary))
    pairs.append(gguf_string("tokenizer.ggml.add_bos_token") + struct.pack("<I?", 7, False))
    for key, value in values.items():
        if isinstance(value, str):
            pairs.append(gguf_string(key) + struct.pack("<I", 8) + gguf_string(value))
        else:
            pairs.append(gguf_string(key) + struct.pack("<II", 4, value))
    tensors = gguf_string("blk.0.weight") + struct.pack("<IQQIQ", 2, 64, 32, 3, 0)
    tensors += gguf_string("norm.weight") + struct.pack("<IQIQ", 1, 64, 0, 4096)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(struct.pack("<4sIQQ", b"GGUF", 3, 2, len(pairs)) + b"".join(pairs) + tensors + bytes(8192))
    return file


def hugging_face_repo(owner_name: str, commit: str = "abc", main: str | None = "abc") -> Path:
    """The repository's folder in the cache that the environment names, with `refs/main`; the snapshot isn't made."""
    repo = Path(os.environ["HF_HOME"]) / "hub" / f"models--{owner_name.replace('/', '--')}"
    (repo / "blobs").mkdir(parents=True)
    (repo / "snapshots").mkdir()
    if main:
        (repo / "refs").mkdir()
        (repo / "refs" / "main").write_text(main)
    return repo


def modelscope_cache() -> Path:
    return Path(os.environ["MODELSCOPE_CACHE"])


def by_address(models: list[Model]) -> dict[str, Model]:
    return {str(model.address): model for model in models}


def only(models: list[Model]) -> Model:
    assert len(models) == 1, models
    return models[0]


def refusal(name: str, *directories: Path) -> str:
    with pytest.raises(Refused) as caught:
        discovery.resolve(name, directories)
    text = str(caught.value)
    assert "\n" not in text
    assert text.isprintable()
    return text
