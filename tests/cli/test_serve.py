"""`qiao serve` as a process of its own, over a stand-in for vLLM; the real one is tried in `backends/vllm`."""

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qiao.backends.registry import Backends
from qiao.backends.vllm import state
from qiao.backends.vllm.metrics import Load
from qiao.cli.serve import load_line
from qiao.workbench.config import Config

from ..backends.local.model_files import write_model
from ..patience import PATIENCE_S
from .conftest import Ended

STAND_IN = Path(__file__).with_name("stand_in_vllm.py")
Serve = Callable[..., "Serving"]


class Serving:
    """A running `qiao serve`, what it tells gathered in a file."""

    def __init__(self, told: Path, *arguments: str) -> None:
        self._told = told
        with told.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "qiao.cli", "serve", *arguments],
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
            )

    @property
    def told(self) -> str:
        return self._told.read_text()

    def until(self, words: str) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while words not in self.told:
            assert self.process.poll() is None or words in self.told, self.told
            assert time.monotonic() < deadline, self.told
            time.sleep(0.02)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return write_model(tmp_path / "models" / "Tiny-1B")


@pytest.fixture
def serve(home: Path, tmp_path: Path) -> Iterator[Serve]:
    command = tmp_path / "vllm"
    command.write_text(f'#!/bin/sh\nexec {sys.executable} {STAND_IN} "$@"\n')
    command.chmod(0o755)
    home.mkdir(exist_ok=True)
    (home / "config.toml").write_text(f"[vllm]\ncommand = '{command}'\n")
    begun: list[Serving] = []

    def begin(*arguments: str) -> Serving:
        begun.append(Serving(tmp_path / f"told-{len(begun)}", *arguments))
        return begun[-1]

    yield begin
    for each in begun:
        each.process.kill()
        each.process.wait()


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_it_tells_the_steps_and_how_to_use_it_and_ends_with_ctrl_c(serve: Serve, model: Path) -> None:
    serving = serve(f"local:{model}")
    serving.until("Log:")
    steps = [line.partition(" s  ")[2] for line in serving.told.splitlines() if " s  " in line]
    assert steps == [
        "starting Python",
        "reading the configuration: LlamaForCausalLM",
        "starting the engine",
        "loading weights",
        "weights are loaded",
    ]
    assert re.search(r"Ready: vllm:Tiny-1B at http://127\.0\.0\.1:\d+/v1", serving.told)
    assert "-m vllm:Tiny-1B" in serving.told
    (written,) = state.kept()
    serving.process.send_signal(signal.SIGINT)
    assert serving.process.wait(PATIENCE_S) == 0
    assert state.group(written.server) == []
    assert state.kept() == []


def test_another_qiao_sees_it_and_its_load(serve: Serve, model: Path) -> None:
    serve(f"local:{model}", "--", "--served-model-name", "mine").until("Ready")
    backends = Backends(Config())
    try:
        (server,) = backends.servers()
        assert (str(server.address), server.ready, server.mine, server.context_length) == (
            "vllm:mine",
            True,
            False,
            512,
        )
        until(lambda: [load for load in backends.server_loads() if load.load.running])
        (load,) = backends.server_loads()
        assert (load.title, load.load.waiting, load.load.kv_usage) == ("mine", 5, 0.25)
    finally:
        backends.close()
    # It isn't that Qiao's to end.
    assert [running.name for running in state.kept()] == ["mine"]


@pytest.mark.parametrize("stage", ["starting", "ready"])
def test_no_server_outlives_a_qiao_that_is_killed(serve: Serve, model: Path, stage: str) -> None:
    serving = serve(f"local:{model}")
    serving.until("starting Python" if stage == "starting" else "Ready")
    (written,) = state.kept()
    serving.process.kill()
    until(lambda: not written.supervisor.alive and not state.group(written.server))
    assert state.kept() == []


def test_a_lost_connection_ends_it_too(serve: Serve, model: Path) -> None:
    serving = serve(f"local:{model}")
    serving.until("Ready")
    (written,) = state.kept()
    serving.process.send_signal(signal.SIGHUP)
    assert serving.process.wait(PATIENCE_S) == 0
    assert state.group(written.server) == []


def test_ctrl_c_while_it_starts_is_an_interruption(serve: Serve, model: Path) -> None:
    serving = serve(f"local:{model}")
    serving.until("starting Python")
    serving.process.send_signal(signal.SIGINT)
    assert serving.process.wait(PATIENCE_S) == 130
    assert state.kept() == []


def test_a_start_that_fails_says_why_and_where_the_log_is(serve: Serve, model: Path) -> None:
    failing = model.rename(model.with_name("failing"))
    serving = serve(f"local:{failing}")
    assert serving.process.wait(PATIENCE_S) == 3
    assert "GPU's memory ran out" in serving.told
    assert Path(serving.told.strip().rpartition("Log: ")[2]).is_file()
    assert state.kept() == []


def test_a_server_that_ends_by_itself_is_told(serve: Serve, model: Path) -> None:
    serving = serve(f"local:{model}")
    serving.until("Ready")
    (written,) = state.kept()
    os.kill(written.server.pid, signal.SIGKILL)
    assert serving.process.wait(PATIENCE_S) == 4
    assert "ended by itself" in serving.told


def test_the_key_is_neither_told_nor_in_the_log_nor_in_any_arguments(serve: Serve, model: Path, home: Path) -> None:
    serving = serve(f"local:{model}", "--api-key", "my-very-own-key")
    serving.until("Ready")
    (written,) = state.kept()
    assert state.key_of(written) == "my-very-own-key"
    assert "my-very-own-key" not in serving.told
    for process in (written.supervisor, written.server):
        assert b"my-very-own-key" not in Path(f"/proc/{process.pid}/cmdline").read_bytes()
    holding = [file.name for file in home.rglob("*") if file.is_file() and b"my-very-own-key" in file.read_bytes()]
    assert holding == [f"{written.port}.key"]


def test_what_vllm_cant_serve_is_refused(qiao: Callable[..., Ended], tmp_path: Path) -> None:
    refused = [qiao("serve", "local:starter"), qiao("serve", "bailian:qwen-plus"), qiao("serve", "local:no/such")]
    assert [ended.code for ended in refused] == [3, 3, 3]
    assert "safetensors" in refused[0].err
    assert "this machine" in refused[1].err


def test_without_vllm_it_says_what_to_install(
    qiao: Callable[..., Ended], model: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    ended = qiao("serve", f"local:{model}")
    assert ended.code == 3
    assert "pip install vllm" in ended.err


def test_the_load_is_one_line_of_what_is_known() -> None:
    assert load_line(Load(running=3, waiting=0, kv_usage=0.125, tokens_per_second=99.6)) == (
        "3 running · 0 waiting · 100 tokens/s · KV cache 12%"
    )
    assert load_line(Load()) == ""


def test_a_server_that_ends_as_soon_as_it_is_ready_is_told_of(
    home: Path, monkeypatch: pytest.MonkeyPatch, qiao: Callable[..., Ended]
) -> None:
    monkeypatch.setattr(Backends, "serve", lambda *_: iter(()))
    ended = qiao("serve", "local:Tiny-1B")
    assert (ended.code, ended.err.count("\n")) == (4, 1)
    assert ended.err.startswith("qiao: Tiny-1B's server ended by itself.")
    assert str(home) in ended.err
