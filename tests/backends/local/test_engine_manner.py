"""What the configuration says of a model is carried out; and a model that nobody asks for gives its memory back."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from qiao.backends.local.engine import LocalBackend
from qiao.backends.local.manner import Manner

from ..conftest import copied
from .asking_models import CAPITAL, ask, ended, request, until


@pytest.fixture
def base_with_template(safetensors_model: Path, tmp_path: Path) -> Path:
    """As Qwen's base models are: whole, with a chat template."""
    return copied(safetensors_model, tmp_path / "smol-Base")


@pytest.fixture
def manners() -> dict[str, Manner]:
    return {}


@pytest.fixture
def backend(base_with_template: Path, manners: dict[str, Manner]) -> Iterator[LocalBackend]:
    backend = LocalBackend(list, lambda name: base_with_template, lambda name: manners.get(name, Manner()))
    yield backend
    backend.close()


def test_a_base_model_goes_on_with_bare_text_though_it_ships_a_template_until_the_configuration_knows_better(
    backend: LocalBackend, manners: dict[str, Manner]
) -> None:
    prompt = backend.prompt(request("smol", CAPITAL), threading.Event())
    assert (prompt.mode, prompt.text) == ("completion", CAPITAL)
    manners["smol"] = Manner(kind="instruct")
    prompt = backend.prompt(request("smol", CAPITAL), threading.Event())
    assert prompt.mode == "chat"
    assert "<|im_start|>" in prompt.text


def test_four_bits_without_bitsandbytes_say_what_to_install(backend: LocalBackend, manners: dict[str, Manner]) -> None:
    manners["smol"] = Manner(quantize="4bit")
    failed = ask(backend, "smol", CAPITAL).failed
    assert failed.kind == "missing_extra"
    assert "pip install bitsandbytes" in failed.message
    # Nothing was started to find that out.
    assert backend.process_id(request("smol").address) is None


def test_what_is_packed_already_is_not_packed_again(starter: Path) -> None:
    backend = LocalBackend(list, lambda name: starter, lambda name: Manner(quantize="4bit"))
    try:
        failed = ask(backend, "starter", CAPITAL).failed
    finally:
        backend.close()
    assert failed.kind == "unloadable"
    assert "it is Q4_1 already" in failed.message


def test_a_process_that_only_showed_a_prompt_is_ended_too_when_idle(safetensors_model: Path) -> None:
    backend = LocalBackend(list, lambda name: safetensors_model, unload_after_s=0.2)
    try:
        asked = request("smol", CAPITAL)
        assert backend.prompt(asked, threading.Event()).tokens
        until(lambda: backend.process_id(asked.address) is None)
    finally:
        backend.close()


def test_an_idle_model_is_unloaded_and_comes_back(safetensors_model: Path) -> None:
    backend = LocalBackend(list, lambda name: safetensors_model, unload_after_s=0.5)
    try:
        assert "Paris" in ask(backend, "smol", CAPITAL, temperature=0, max_tokens=16).text
        address = request("smol").address
        pid = backend.process_id(address)
        assert pid is not None
        until(lambda: backend.process_id(address) is None)
        until(lambda: ended(pid))
        # An answer that takes longer than the limit isn't cut off.
        outcome = ask(backend, "smol", "Tell me a long story.", temperature=0, max_tokens=48)
        assert outcome.finished.reason == "length"
    finally:
        backend.close()
