"""Base or not: told from what the makers' own files say."""

import json
from pathlib import Path
from typing import Any

import pytest

from qiao.backends.local import discovery
from qiao.backends.local.kind import Stops, kind_of

from .model_files import CHATML, THINKING, only, write_gguf, write_model

QWEN_TEMPLATE = "{% for m in messages %}<|im_start|>{{ m.role }}\n{{ m.content }}<|im_end|>\n{% endfor %}"
QWEN_TOKENS = {"151643": "<|endoftext|>", "151644": "<|im_start|>", "151645": "<|im_end|>"}
GLM_TEMPLATE = "[gMASK]<sop>{% for m in messages %}<|user|>{{ m.content }}<|assistant|>{% endfor %}"


def write(folder: Path, template: str, eos: str, ids: Any, config_ids: Any, tokens: dict[str, str]) -> Path:
    write_model(folder, template=template)
    added = {id: {"content": text, "special": True} for id, text in tokens.items()}
    tokenizer = {"chat_template": template, "eos_token": eos, "added_tokens_decoder": added}
    (folder / "tokenizer_config.json").write_text(json.dumps(tokenizer))
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": ids}))
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "eos_token_id": config_ids}))
    return folder


@pytest.mark.parametrize(
    ("name", "ids", "config_ids", "eos", "kind"),
    [
        ("Qwen2___5-3B", 151643, 151643, "<|endoftext|>", "base"),
        ("Qwen2.5-3B-Instruct", [151645, 151643], 151645, "<|im_end|>", "instruct"),
        ("my-tune", [151645, 151643], 151645, "<|im_end|>", "instruct"),
        # Only one of the three files was brought up to date, as tools that tune models do.
        ("my-tune", 151643, 151643, "<|im_end|>", "instruct"),
        ("my-tune", 151643, 151645, "<|endoftext|>", "instruct"),
        # The name is its owner's own word.
        ("my-Instruct", 151643, 151643, "<|endoftext|>", "instruct"),
        ("Qwen3-8B-Base", [151645], 151645, "<|im_end|>", "base"),
        ("Qwen3-8B-Base-SFT", 151643, 151643, "<|endoftext|>", "instruct"),
        ("my-tune", None, None, "", "instruct"),
        ("my-tune", "odd", [None, "x", {}], "", "instruct"),
    ],
)
def test_qwen(tmp_path: Path, name: str, ids: Any, config_ids: Any, eos: str, kind: str) -> None:
    write(tmp_path / name, QWEN_TEMPLATE, eos, ids, config_ids, QWEN_TOKENS)
    assert only(discovery.find([tmp_path])).kind == kind


def test_a_base_model_with_a_thinking_template_is_base(tmp_path: Path) -> None:
    write(tmp_path / "Qwen3-0.6B-Base", THINKING, "<|endoftext|>", 151643, 151643, QWEN_TOKENS)
    assert only(discovery.find([tmp_path])).kind == "base"


def test_a_model_that_stops_where_the_next_role_begins_was_taught_turns(tmp_path: Path) -> None:
    tokens = {"1": "<|endoftext|>", "2": "<|user|>", "3": "<|assistant|>", "4": "<sop>"}
    write(tmp_path / "glm", GLM_TEMPLATE, "<|endoftext|>", [1, 2], [1, 2], tokens)
    assert only(discovery.find([tmp_path])).kind == "instruct"


def test_roles_in_plain_words_say_nothing(tmp_path: Path) -> None:
    write(tmp_path / "alpaca", "### Instruction:\n{{ messages[0].content }}", "</s>", 2, 2, {"1": "<s>", "2": "</s>"})
    assert only(discovery.find([tmp_path])).kind == "instruct"


def test_special_tokens_of_a_tokenizer_file_alone(tmp_path: Path) -> None:
    folder = write_model(tmp_path / "Qwen2.5-7B", template=QWEN_TEMPLATE)
    (folder / "tokenizer_config.json").write_text(json.dumps({"chat_template": QWEN_TEMPLATE}))
    added = [{"id": int(id), "content": text, "special": True} for id, text in QWEN_TOKENS.items()]
    (folder / "tokenizer.json").write_text(json.dumps({"added_tokens": added, "model": {"vocab": {"a": 0}}}))
    (folder / "generation_config.json").write_text(json.dumps({"eos_token_id": 151643}))
    assert only(discovery.find([tmp_path])).kind == "base"


def test_the_name_in_a_hubs_cache_is_the_repositorys(tmp_path: Path) -> None:
    write_model(tmp_path / "models--org--Thing-Base" / "snapshots" / "abc", template=CHATML)
    assert only(discovery.find([tmp_path])).kind == "base"


def test_of_a_gguf_file_names_count(tmp_path: Path) -> None:
    values: dict[str, str | int] = {
        "general.architecture": "qwen2",
        "qwen2.context_length": 32768,
        "tokenizer.chat_template": CHATML,
    }
    write_gguf(tmp_path / "a" / "qwen2.5-3b-base-q4_k_m.gguf", values)
    write_gguf(tmp_path / "b" / "m.gguf", values | {"general.finetune": "Instruct", "general.name": "Base"})
    assert {model.kind for model in discovery.find([tmp_path / "a"])} == {"base"}
    assert {model.kind for model in discovery.find([tmp_path / "b"])} == {"instruct"}


def test_without_a_template_it_is_base_whatever_its_name() -> None:
    assert kind_of("", "My-Chat", Stops()) == "base"
    assert kind_of(THINKING) == "reasoning"
