import json
import os
import struct
from pathlib import Path
from typing import Any

import pytest

from qiao.backends.local import discovery
from qiao.backends.local.checkpoint import inspect

from .model_files import (
    CHATML,
    QWEN,
    THINKING,
    by_address,
    only,
    refusal,
    write_gguf,
    write_model,
    write_safetensors,
)


def test_a_directory_of_safetensors_tells_all_about_itself(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "models" / "Qwen2.5-0.5B-Instruct")
    model = only(discovery.find([tmp_path / "models"]))
    assert str(model.address) == "local:Qwen2.5-0.5B-Instruct"
    assert (model.title, model.state, model.kind) == ("Qwen2.5-0.5B-Instruct", "on_disk", "instruct")
    assert model.parameters == 808
    assert model.size_bytes == (folder / "model.safetensors").stat().st_size
    assert model.context_length == 32768
    assert model.path == str(folder)
    assert model.problem is None
    assert inspect(folder).dtype == "BF16"
    assert discovery.resolve("Qwen2.5-0.5B-Instruct", [tmp_path / "models"]) == folder


@pytest.mark.parametrize(
    ("template", "kind"), [(None, "base"), (CHATML, "instruct"), (THINKING, "reasoning"), ("… <think> …", "reasoning")]
)
def test_the_chat_template_tells_the_kind(tmp_path: Path, template: str | None, kind: str) -> None:
    write_model(tmp_path / "m", template=template)
    assert only(discovery.find([tmp_path])).kind == kind


def test_a_chat_template_in_a_file_of_its_own_counts_first(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m", template=None)
    (folder / "chat_template.jinja").write_text(THINKING)
    assert only(discovery.find([tmp_path])).kind == "reasoning"


def test_a_list_of_chat_templates_counts_too(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m", template=None)
    named = [{"name": "default", "template": CHATML}, {"name": "tool_use", "template": "…"}, 7]
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": named}))
    assert only(discovery.find([tmp_path])).kind == "instruct"


@pytest.mark.parametrize(
    ("missing", "said"),
    [
        ("config.json", "no config.json"),
        ("model.safetensors", "no weights"),
        ("tokenizer.json tokenizer_config.json", "no tokenizer"),
    ],
)
def test_what_a_directory_lacks_is_said(tmp_path: Path, missing: str, said: str) -> None:
    folder = write_model(tmp_path / "data" / "m")
    for name in missing.split():
        (folder / name).unlink()
    assert said in refusal("m", tmp_path / "data")
    assert said in refusal(str(folder))


def test_an_empty_directory_is_no_model(tmp_path: Path) -> None:
    assert "no config.json" in refusal(str(tmp_path))


def test_pickled_weights_are_refused_and_said_so(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m", weights=False)
    (folder / "pytorch_model.bin").write_bytes(b"PK")
    assert "pickled (pytorch_model.bin)" in refusal("m", tmp_path)
    assert "pickled" in (only(discovery.find([tmp_path])).problem or "")
    write_safetensors(folder / "model.safetensors")
    assert only(discovery.find([tmp_path])).problem is None
    assert discovery.resolve("m", [tmp_path]) == folder


def test_shards_are_summed_and_missing_ones_are_told(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m", weights=False)
    names = [f"model-0000{i}-of-00003.safetensors" for i in (1, 2, 3)]
    weight_map = {f"layer.{i}.weight": name for i, name in enumerate(names)}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))
    for name in names[:2]:
        write_safetensors(folder / name)
    # Mistral's own format beside the shards: the same weights once more.
    write_safetensors(folder / "consolidated.safetensors")
    assert "1 of its 3 weight files is missing, model-00003-of-00003.safetensors" in refusal("m", tmp_path)
    assert only(discovery.find([tmp_path])).problem
    write_safetensors(folder / names[2])
    model = only(discovery.find([tmp_path]))
    assert model.problem is None
    assert model.parameters == 3 * 808
    assert model.size_bytes == 3 * (folder / names[0]).stat().st_size


def test_an_index_that_leads_out_of_the_directory_is_not_followed(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m", weights=False)
    write_safetensors(tmp_path / "other.safetensors")
    (folder / "model.safetensors.index.json").write_text('{"weight_map": {"a": "../other.safetensors"}}')
    assert "model.safetensors.index.json can't be understood" in refusal("m", tmp_path)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:abc\n", "git lfs pull"),
        (b"", "can't be understood"),
        (b"\xff" * 4096, "can't be understood"),
        (struct.pack("<Q", 99_000_000) + b"{}", "cut short"),
        (struct.pack("<Q", 2) + b"[]", "can't be understood"),
        (struct.pack("<Q", 4) + b"{\xff\xfe}", "can't be understood"),
    ],
)
def test_weights_that_are_none_are_told(tmp_path: Path, content: bytes, said: str) -> None:
    folder = write_model(tmp_path / "m")
    (folder / "model.safetensors").write_bytes(content)
    assert said in refusal("m", tmp_path)
    assert said in (only(discovery.find([tmp_path])).problem or "")


def test_weights_cut_short_are_told(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m")
    file = folder / "model.safetensors"
    os.truncate(file, file.stat().st_size - 1)
    assert "model.safetensors is cut short" in refusal("m", tmp_path)


@pytest.mark.parametrize("content", ["{", "[]", "", "null", '{"a":' * 5000])
def test_a_broken_config_is_a_problem_and_never_a_traceback(tmp_path: Path, content: str) -> None:
    folder = write_model(tmp_path / "m")
    write_model(tmp_path / "fine")
    (folder / "config.json").write_text(content)
    (tmp_path / "fine" / "tokenizer_config.json").write_text(content)
    found = by_address(discovery.find([tmp_path]))
    assert "config.json can't be understood" in (found["local:m"].problem or "")
    assert found["local:fine"].problem is None
    assert found["local:fine"].kind == "base"


def test_odd_configs_are_read_as_far_as_they_make_sense(tmp_path: Path) -> None:
    seeing = {
        "architectures": ["Gemma3ForConditionalGeneration"],
        "text_config": {"max_position_embeddings": 131072},
        "vision_config": {},
    }
    write_model(tmp_path / "seeing", config=seeing)
    odd = {
        "architectures": None,
        "vocab_size": 100,
        "max_position_embeddings": "many",
        "auto_map": [],
        "n_positions": 9,
    }
    write_model(tmp_path / "odd", config=odd)
    own_code = {"architectures": ["ChatGLMModel"], "auto_map": {"AutoModelForCausalLM": "m.M"}, "seq_length": 131072}
    write_model(tmp_path / "own-code", config=own_code)
    infinite = write_model(tmp_path / "infinite")
    (infinite / "config.json").write_text('\ufeff{"architectures": ["LlamaForCausalLM"], "rope_theta": Infinity}')
    found = by_address(discovery.find([tmp_path]))
    assert {name: model.context_length for name, model in found.items()} == {
        "local:seeing": 131072, "local:odd": 9, "local:own-code": 131072, "local:infinite": None,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("config", "extra", "said"),
    [
        ({"architectures": ["BertModel"], "vocab_size": 9}, "", "no language model (BertModel)"),
        ({"architectures": ["CLIPModel"]}, "", "no language model (CLIPModel)"),
        ({"architectures": ["T5ForConditionalGeneration"], "is_encoder_decoder": True}, "", "no language model"),
        (QWEN, "modules.json", "embedding model"),
        ({"model_type": "vit"}, "", "no language model (vit)"),
    ],
)
def test_what_does_not_answer_is_not_listed(tmp_path: Path, config: dict[str, Any], extra: str, said: str) -> None:
    folder = write_model(tmp_path / "m", config=config)
    if extra:
        (folder / extra).write_text("[]")
    assert discovery.find([tmp_path]) == []
    assert said in refusal("m", tmp_path)
    assert said in refusal(str(folder))


def test_an_adapter_is_listed_with_its_base(tmp_path: Path) -> None:
    for name, settings in (("lora", {"base_model_name_or_path": "Qwen/Qwen2.5-3B\x1b"}), ("stray", {})):
        (tmp_path / name).mkdir()
        (tmp_path / name / "adapter_config.json").write_text(json.dumps(settings))
        write_safetensors(tmp_path / name / "adapter_model.safetensors")
    write_gguf(tmp_path / "lora.gguf", {"general.type": "adapter", "general.base_model.0.name": "Qwen2.5 3B"})
    found = by_address(discovery.find([tmp_path]))
    assert "to be added to Qwen/Qwen2.5-3B␛" in (found["local:lora"].problem or "")
    assert "doesn't say which" in (found["local:stray"].problem or "")
    assert "to be added to Qwen2.5 3B" in (found["local:lora.gguf"].problem or "")
    assert found["local:lora"].kind is None
    assert "adapter (LoRA)" in refusal("lora", tmp_path)


def test_a_lone_tokenizer_is_not_listed(tmp_path: Path) -> None:
    write_model(tmp_path / "tokenizer", weights=False)
    assert discovery.find([tmp_path]) == []
    assert "no weights" in refusal("tokenizer", tmp_path)


@pytest.mark.parametrize(
    ("quantization", "named"),
    [
        ({"quant_method": "awq", "bits": 4}, "AWQ 4-bit"),
        ({"quant_method": "gptq", "bits": 8}, "GPTQ 8-bit"),
        ({"quant_method": "fp8", "weight_block_size": [128, 128]}, "FP8"),
        ({"quant_method": "bitsandbytes", "load_in_4bit": True}, "bitsandbytes 4-bit"),
        ({"quant_method": "mxfp4"}, "MXFP4"),
        ({"quant_method": "compressed-tensors", "config_groups": {"a": {"weights": {"num_bits": 4}}}},
         "compressed-tensors 4-bit"),
        ({"quant_method": None}, "? 8-bit"),
        ({}, "BF16"),
    ],
)  # fmt: skip
def test_quantisation_is_named(tmp_path: Path, quantization: dict[str, Any], named: str) -> None:
    write_model(tmp_path / "m", config=QWEN | ({"quantization_config": quantization} if quantization else {}))
    assert only(discovery.find([tmp_path])).dtype == named


def test_quantised_weights_count_what_they_unpack_to(tmp_path: Path) -> None:
    config = QWEN | {"quantization_config": {"quant_method": "awq", "bits": 4}}
    folder = write_model(tmp_path / "awq", config=config, weights=False)
    shapes = {"up.qweight": [64, 8], "up.qzeros": [4, 8]}
    write_safetensors(folder / "model.safetensors", shapes, dtype="I32", size=4)
    config = QWEN | {"quantization_config": {"quant_method": "bitsandbytes", "load_in_4bit": True}}
    folder = write_model(tmp_path / "bnb", config=config, weights=False)
    shapes = {"up.weight": [2048, 1], "up.weight.absmax": [64], "up.weight.quant_state.bitsandbytes__nf4": [90]}
    write_safetensors(folder / "model.safetensors", shapes, dtype="U8", size=1)
    found = by_address(discovery.find([tmp_path]))
    assert found["local:awq"].parameters == 64 * 64
    assert found["local:bnb"].parameters == 4096


def test_what_cannot_be_read_costs_nothing_else(tmp_path: Path) -> None:
    write_model(tmp_path / "fine")
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    locked = write_model(tmp_path / "locked")
    locked.chmod(0)
    half_locked = write_model(tmp_path / "half-locked")
    # A directory can't be read as a file, not even by root, whom no mode locks out.
    (half_locked / "config.json").unlink()
    (half_locked / "config.json").mkdir()
    try:
        found = by_address(discovery.find([tmp_path, tmp_path / "fine" / "config.json"]))
    finally:
        locked.chmod(0o700)
    assert found["local:fine"].problem is None
    assert "config.json can't be read" in (found["local:half-locked"].problem or "")
    assert "config.json can't be read" in refusal("half-locked", tmp_path)


def test_a_change_on_disk_is_seen(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "m", template=None)
    assert only(discovery.find([tmp_path])).kind == "base"
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": CHATML}))
    assert only(discovery.find([tmp_path])).kind == "instruct"
    write_safetensors(folder / "model.safetensors", {"a": [3, 5]})
    assert only(discovery.find([tmp_path])).parameters == 15
