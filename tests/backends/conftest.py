"""Real models to try the engine with, all made of the starter's weights."""

import json
import os
import shutil
from pathlib import Path

import pytest

from qiao.backends.local.gguf_reading import read_once

THINKING_TEMPLATE = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n"
    "{% if enable_thinking is defined and enable_thinking is false %}<think>\n\n</think>\n\n"
    "{% else %}<think>\n{% endif %}{% endif %}"
)
"""With a thinking switch, as Qwen's templates have one."""

NO_SYSTEM_TEMPLATE = (
    "{% if messages[0].role == 'system' %}{{ raise_exception('System role not supported') }}{% endif %}"
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content | trim }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
"""Refuses a system message and trims texts, as Gemma's does."""


def copied(model: Path, to: Path) -> Path:
    """A copy of a model's directory whose JSON files can be changed; the weights are linked."""
    to.mkdir()
    for file in model.iterdir():
        if file.suffix == ".safetensors":
            os.link(file, to / file.name)
        else:
            shutil.copy(file, to)
    return to


def with_config(model: Path, **changes: object) -> Path:
    """The model, its config.json changed."""
    file = model / "config.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))
    return model


@pytest.fixture(scope="session")
def safetensors_model(starter: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter as a Hugging Face directory in float32."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    folder = tmp_path_factory.mktemp("models") / "smol"
    source = {"pretrained_model_name_or_path": str(starter.parent), "gguf_file": starter.name}
    unpacked = {"dtype": torch.float32, "quantization_config": GgufConfig(dequantize=True)}
    with read_once():
        AutoTokenizer.from_pretrained(**source).save_pretrained(folder)
        AutoModelForCausalLM.from_pretrained(**source, **unpacked).save_pretrained(folder)
    return folder


@pytest.fixture(scope="session")
def base_model(safetensors_model: Path) -> Path:
    """The same weights without a chat template."""
    folder = copied(safetensors_model, safetensors_model.with_name("smol-base"))
    (folder / "chat_template.jinja").unlink()
    return folder


@pytest.fixture(scope="session")
def thinking_model(safetensors_model: Path) -> Path:
    """The same weights with a thinking switch, and sampling defaults of its own."""
    folder = copied(safetensors_model, safetensors_model.with_name("smol-thinking"))
    (folder / "chat_template.jinja").write_text(THINKING_TEMPLATE)
    file = folder / "generation_config.json"
    own = {"do_sample": True, "temperature": 0.6, "top_k": 20, "top_p": 0.95, "min_p": 0.1}
    file.write_text(json.dumps({**json.loads(file.read_text()), **own}))
    return folder
