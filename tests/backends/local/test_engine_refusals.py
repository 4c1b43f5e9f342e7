"""What can't be loaded is refused in one clear line."""

import sys
from pathlib import Path

import pytest

from qiao.backends.local.engine import LocalBackend
from qiao.workbench.seam import Failed

from ..conftest import NO_SYSTEM_TEMPLATE, copied, with_config
from .asking_models import CAPITAL, ask


def refusal(path: Path, **options: str) -> Failed:
    backend = LocalBackend(list, lambda name: path)
    try:
        failed = ask(backend, "it", CAPITAL, **options).failed
    finally:
        backend.close()
    assert "\n" not in failed.message
    assert "Traceback" not in failed.message
    assert failed.message.isprintable()
    return failed


def test_a_directory_that_is_no_model(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("shopping")
    failed = refusal(tmp_path)
    assert failed.kind == "unloadable"
    assert "config.json" in failed.message


def test_pickled_weights(safetensors_model: Path, tmp_path: Path) -> None:
    folder = copied(safetensors_model, tmp_path / "pickled")
    (folder / "model.safetensors").unlink()
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04}.")
    failed = refusal(folder)
    assert failed.kind == "unloadable"
    assert "pickled" in failed.message


def test_code_of_its_own_is_not_run(safetensors_model: Path, tmp_path: Path) -> None:
    folder = copied(safetensors_model, tmp_path / "clever")
    mark = tmp_path / "ran"
    (folder / "modeling_clever.py").write_text(f"open({str(mark)!r}, 'w')\n")
    auto = {
        "AutoConfig": "modeling_clever.CleverConfig",
        "AutoModelForCausalLM": "modeling_clever.CleverForCausalLM",
    }
    with_config(folder, model_type="clever", auto_map=auto, architectures=["CleverForCausalLM"])
    failed = refusal(folder)
    assert failed.kind == "unloadable"
    assert "trust_remote_code" in failed.message
    assert not mark.exists()


def test_an_architecture_that_is_not_known(safetensors_model: Path, tmp_path: Path) -> None:
    folder = copied(safetensors_model, tmp_path / "newest")
    with_config(folder, model_type="newest9", architectures=["Newest9ForCausalLM"])
    failed = refusal(folder)
    assert failed.kind == "unloadable"
    assert "newest9" in failed.message


@pytest.mark.parametrize("package", ["torch", "transformers", "accelerate"])
def test_a_missing_extra(safetensors_model: Path, package: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # What Python itself takes for "not there".
    monkeypatch.setitem(sys.modules, package, None)
    failed = refusal(safetensors_model)
    assert failed.kind == "missing_extra"
    assert package in failed.message
    assert "pip install 'qiao[local]'" in failed.message


def test_gguf_needs_its_package_too(starter: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "gguf", None)
    failed = refusal(starter)
    assert failed.kind == "missing_extra"
    assert "gguf" in failed.message


def test_what_the_template_says_is_passed_on(safetensors_model: Path, tmp_path: Path) -> None:
    folder = copied(safetensors_model, tmp_path / "strict")
    (folder / "chat_template.jinja").write_text(NO_SYSTEM_TEMPLATE)
    failed = refusal(folder, system="Be brief.")
    assert failed.kind == "invalid_request"
    assert "System role not supported" in failed.message


def test_a_log_that_cannot_be_written(safetensors_model: Path, home: Path) -> None:
    # Also for root, whom permissions don't stop.
    home.write_text("a file where the folder should be")
    failed = refusal(safetensors_model)
    assert failed.kind == "engine_died"
    assert "No process can be started" in failed.message
