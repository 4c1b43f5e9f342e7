"""A machine as people have them: every place and layout, whole models beside halves and things that are none."""

import json
from pathlib import Path
from typing import Any, NamedTuple

from qiao.backends.local import discovery

from .model_files import (
    CHATML,
    QWEN,
    THINKING,
    by_address,
    hugging_face_repo,
    modelscope_cache,
    write_gguf,
    write_model,
    write_safetensors,
)

QWEN_BASE = {"eos_token": "<|endoftext|>", "added_tokens_decoder": {"1": {"content": "<|im_start|>", "special": True}}}


class Shown(NamedTuple):
    """What is said of a model."""

    kind: str | None
    parameters: int | None
    dtype: str | None
    context: int | None
    problem: str = ""


def furnish(home: Path) -> list[Path]:
    """Makes all of it, and returns the configured directories."""
    # Hugging Face: whole; sharded; unfinished; configuration only.
    write_model(hugging_face_repo("Qwen/Qwen3-0.6B") / "snapshots" / "abc", template=THINKING)
    sharded = write_model(hugging_face_repo("meta/Llama-3-Instruct") / "snapshots" / "abc", weights=False)
    names = [f"model-0000{n}-of-00002.safetensors" for n in (1, 2)]
    (sharded / "model.safetensors.index.json").write_text(
        json.dumps({"weight_map": dict(zip("ab", names, strict=True))})
    )
    for name in names:
        write_safetensors(sharded / name)
    unfinished = hugging_face_repo("Qwen/half")
    write_model(unfinished / "snapshots" / "abc", weights=False)
    (unfinished / "blobs" / "0123.incomplete").write_bytes(b"x")
    write_model(hugging_face_repo("Qwen/config-only") / "snapshots" / "abc", weights=False)
    # ModelScope: since 1.38, and the four layouts before; one unfinished, temporary folders and locks.
    cache = modelscope_cache()
    write_model(cache / "models" / "Qwen--Qwen2.5-0.5B-Instruct" / "snapshots" / "master")
    write_model(cache / "models" / "Qwen" / "Qwen2___5-1___5B-Instruct")
    write_model(cache / "hub" / "models" / "Qwen" / "Qwen2___5-3B-Instruct")
    write_model(cache / "hub" / "Qwen" / "Qwen1___5-0___5B-Chat")
    write_model(
        cache / "AI-ModelScope" / "gpt2",
        config={"architectures": ["GPT2LMHeadModel"], "n_positions": 1024},
        template=None,
    )
    late = write_model(cache / "models" / "Qwen--Qwen3-8B" / "snapshots" / "master", weights=False)
    (late / "model.safetensors.incomplete").write_bytes(b"x")
    (cache / "hub" / "._____temp" / "Qwen").mkdir(parents=True)
    (cache / ".lock").mkdir()
    # Configured: a base model with a template, quantised ones, GGUF files, one in parts, an adapter, no language model.
    data = home / "data"
    base = write_model(data / "Qwen2.5-7B")
    (base / "tokenizer_config.json").write_text(json.dumps({"chat_template": CHATML, **QWEN_BASE}))
    for method, bits in (("awq", 4), ("gptq", 8), ("fp8", 8)):
        packed: dict[str, Any] = {**QWEN, "quantization_config": {"quant_method": method, "bits": bits}}
        write_model(data / f"Qwen2.5-7B-Instruct-{method}", config=packed)
    write_gguf(data / "tiny-q4_1.gguf")
    for part in (1, 2):
        write_gguf(data / "big" / f"big-0000{part}-of-00002.gguf")
    (data / "my-lora").mkdir()
    (data / "my-lora" / "adapter_config.json").write_text('{"base_model_name_or_path": "Qwen/Qwen2.5-7B"}')
    write_safetensors(data / "my-lora" / "adapter_model.safetensors")
    write_model(data / "bert", config={"architectures": ["BertModel"], "vocab_size": 9})
    return [data]


def test_all_of_it_is_listed_as_it_is(tmp_path: Path) -> None:
    found = by_address(discovery.find(furnish(tmp_path)))
    shown = {
        address: Shown(model.kind, model.parameters, model.dtype, model.context_length, model.problem or "")
        for address, model in found.items()
    }
    whole = Shown("instruct", 808, "BF16", 32768)
    assert {address: said for address, said in shown.items() if not said.problem} == {
        "local:Qwen/Qwen3-0.6B": whole._replace(kind="reasoning"),
        "local:meta/Llama-3-Instruct": whole._replace(parameters=1616),
        "local:Qwen/Qwen2.5-0.5B-Instruct": whole,
        "local:Qwen/Qwen2.5-1.5B-Instruct": whole,
        "local:Qwen/Qwen2.5-3B-Instruct": whole,
        "local:Qwen/Qwen1.5-0.5B-Chat": whole,
        "local:AI-ModelScope/gpt2": whole._replace(kind="base", context=1024),
        "local:Qwen2.5-7B": whole._replace(kind="base"),
        "local:Qwen2.5-7B-Instruct-awq": whole._replace(dtype="AWQ 4-bit"),
        "local:Qwen2.5-7B-Instruct-gptq": whole._replace(dtype="GPTQ 8-bit"),
        "local:Qwen2.5-7B-Instruct-fp8": whole._replace(dtype="FP8"),
        "local:tiny-q4_1.gguf": Shown("instruct", 2112, "Q4_1", 8192),
    }
    problems = {address: said.problem for address, said in shown.items() if said.problem}
    assert set(problems) == {"local:Qwen/half", "local:Qwen/Qwen3-8B", "local:big", "local:my-lora"}
    assert "isn't finished" in problems["local:Qwen/half"]
    assert "isn't finished" in problems["local:Qwen/Qwen3-8B"]
    assert "in several parts" in problems["local:big"]
    assert "to be added to Qwen/Qwen2.5-7B" in problems["local:my-lora"]


def test_every_one_is_found_under_its_name(tmp_path: Path) -> None:
    directories = furnish(tmp_path)
    for model in discovery.find(directories):
        if model.problem is None:
            assert str(discovery.resolve(model.address.name, directories)) == model.path
