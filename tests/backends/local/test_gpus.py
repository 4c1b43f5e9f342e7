"""GPUs that the driver shows: what is free there, what isn't yet, and that torch can't use them. None is needed."""

import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest

from qiao.backends.local import weights
from qiao.backends.local.engine import LocalBackend
from qiao.backends.local.placement import CPU
from qiao.backends.sensors.placement import FreeGpu
from qiao.workbench.address import Address
from qiao.workbench.seam import Event, Progress

from ..conftest import copied
from .asking_models import CAPITAL, Outcome, ask, ended, reached, request, until
from .model_files import write_model

GIB = 2**30
NEEDED = 1.9
"""GiB that the model takes by our own reckoning: 0.5 in float32, a tenth more, its KV cache, and 1 for CUDA."""

Show = Callable[[Callable[[], float]], None]


def gpu(free: float) -> FreeGpu:
    # As no driver names one: where torch finds GPUs, it doesn't find this.
    return FreeGpu("GPU-00000000-0000-0000-0000-000000000000", "RTX 4090", int(free * GIB), 24 * GIB, "0")


@pytest.fixture
def show(monkeypatch: pytest.MonkeyPatch) -> Show:
    """Shows one GPU with so much memory free."""

    def shown(free: Callable[[], float]) -> None:
        monkeypatch.setattr("qiao.backends.sensors.placement.free_gpus", lambda: [gpu(free())])

    return shown


@pytest.fixture
def backend(safetensors_model: Path, tmp_path: Path) -> Iterator[LocalBackend]:
    places = {"one": safetensors_model, "other": copied(safetensors_model, tmp_path / "other")}
    backend = LocalBackend(list, places.__getitem__)
    yield backend
    backend.close()


def is_on_gpu(backend: LocalBackend, name: str) -> bool:
    """Whether the model's process was given a GPU to see."""
    pid = backend.process_id(Address("local", name))
    assert pid is not None
    return psutil.Process(pid).environ()["CUDA_VISIBLE_DEVICES"] != ""


def started(backend: LocalBackend, name: str) -> Iterator[Event]:
    """A request whose process is there; its weights are yet to be loaded."""
    events = backend.generate(request(name, CAPITAL), threading.Event())
    reached(events, Progress, "starting")
    reached(events, Progress, "starting")
    return events


def test_a_gpu_that_torch_cannot_use_costs_no_answer(backend: LocalBackend, show: Show) -> None:
    show(lambda: 20)
    outcome = ask(backend, "one", CAPITAL, temperature=0, max_tokens=16)
    assert is_on_gpu(backend, "one")
    assert "Paris" in outcome.text
    notes = [event.note for event in outcome.of(Progress) if event.stage == "loading"]
    assert "the processor computes (`qiao doctor` tells more): " in notes[-1]


def test_a_model_that_only_the_gpu_would_hold_says_why_it_cannot(
    safetensors_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(weights, "machine_memory", lambda: (0, GIB // 8))
    with pytest.raises(weights.EngineError) as caught:
        weights.load(safetensors_model, CPU, "local:one", lambda done, total: None, None, "the driver is too old")
    assert "torch can't use the GPU (the driver is too old)" in str(caught.value)
    assert "qiao doctor" in str(caught.value)


def test_what_a_loading_model_has_taken_already_is_counted_once(backend: LocalBackend, show: Show) -> None:
    free = [2 * NEEDED + 0.2]
    show(lambda: free[0])
    first = started(backend, "one")
    free[0] = NEEDED + 0.2
    second = started(backend, "other")
    assert is_on_gpu(backend, "one")
    assert is_on_gpu(backend, "other")
    del first, second


def test_what_a_loading_model_will_take_is_not_given_to_another(backend: LocalBackend, show: Show) -> None:
    show(lambda: 2 * NEEDED - 0.5)
    first, second = started(backend, "one"), started(backend, "other")
    assert is_on_gpu(backend, "one")
    assert not is_on_gpu(backend, "other")
    del first, second


def test_a_model_that_is_being_unloaded_is_waited_for(
    backend: LocalBackend, show: Show, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("qiao.backends.local.resident.GRACE_S", 0.5)
    show(lambda: 20)
    first = started(backend, "one")
    pid = backend.process_id(Address("local", "one"))
    assert pid is not None
    show(lambda: NEEDED + 0.2 if ended(pid) else 0.5)
    # It ends as slowly as one that has much of a GPU's memory to give back.
    psutil.Process(pid).send_signal(signal.SIGSTOP)
    unloading = threading.Thread(target=backend.unload, args=(Address("local", "one"),))
    unloading.start()
    until(lambda: backend.process_id(Address("local", "one")) is None)
    second = started(backend, "other")
    assert is_on_gpu(backend, "other")
    unloading.join()
    del first, second


def test_a_driver_that_fails_oddly_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def broken() -> list[FreeGpu]:
        raise ValueError("the driver talks nonsense")

    monkeypatch.setattr("qiao.backends.sensors.placement.free_gpus", broken)
    model = write_model(tmp_path / "model")
    backend = LocalBackend(list, lambda name: model)
    failed = Outcome(backend.generate(request("it", CAPITAL), threading.Event())).failed
    assert (failed.kind, "the driver talks nonsense" in failed.message) == ("engine_died", True)
    assert capfd.readouterr().err == ""
