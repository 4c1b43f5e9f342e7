"""Real vLLM servers that Qiao starts: from nothing to their end."""

import os
import socket
import stat
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from qiao.backends.registry import Backends
from qiao.backends.vllm import state
from qiao.workbench.address import Address
from qiao.workbench.config import Config
from qiao.workbench.errors import Refused
from qiao.workbench.sampling import Sampling
from qiao.workbench.seam import Finished, Progress, Request, Started, Text, Turn

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(1200)]

QUICK = ("--enforce-eager", "--max-model-len", "1024")


@pytest.fixture
def backends(settings: Config) -> Iterator[Backends]:
    made = Backends(settings)
    yield made
    made.close()


def arguments_of_all() -> str:
    """The command lines of all processes of this machine."""
    return subprocess.run(["ps", "-ww", "-eo", "args"], capture_output=True, text=True, check=True).stdout


def test_a_base_model_from_nothing_to_the_end(backends: Backends, settings: Config, base_model: Path) -> None:
    model = Address("local", str(base_model))
    steps = list(backends.serve(model, QUICK, threading.Event()))
    assert all(isinstance(step, Progress) and step.note for step in steps)
    notes = [step.note for step in steps]
    assert notes.index("starting the engine") < notes.index("loading weights") < notes.index("weights are loaded")
    assert any(step.stage == "loading" and step.done == step.total == 1 for step in steps)

    (server,) = backends.servers()
    name = base_model.name
    assert (server.address, server.ready, server.mine) == (Address("vllm", name), True, True)
    (served,) = [m for m in backends.models() if m.address == server.address]
    assert (served.state, served.context_length) == ("served", 1024)

    # It is on the loopback only, wants a key, and the key is in no process's arguments.
    (written,) = state.kept()
    key = state.key_of(written)
    assert key
    assert key not in arguments_of_all()
    assert "--host 127.0.0.1" in arguments_of_all()
    assert all(stat.S_IMODE(file.stat().st_mode) == 0o600 for file in Path(os.environ["QIAO_HOME"]).glob("data/vllm/*"))

    # A base model completes, and its prompt is its text.
    request = Request(
        server.address, (Turn("user", "The capital of France is"),), Sampling(temperature=0, max_tokens=8)
    )
    events = list(backends.generate(request, threading.Event()))
    assert isinstance(events[-1], Finished), events[-1]
    assert [event.mode for event in events if isinstance(event, Started)][-1] == "completion"
    assert "Paris" in "".join(event.text for event in events if isinstance(event, Text))
    # Where nothing is said it may write more than the protocol's 16 tokens.
    free = msgspec.structs.replace(request, sampling=Sampling(temperature=0, stop=("zzz",)))
    (end,) = [event for event in backends.generate(free, threading.Event()) if isinstance(event, Finished)]
    assert (end.usage.completion_tokens or 0) > 16
    # Its own server has answered, not the configured URL.
    assert [load.title for load in backends.server_loads()] in ([], [name])
    prompt = backends.prompt(request, threading.Event())
    assert (prompt.mode, prompt.text, prompt.context_length) == ("completion", "The capital of France is", 1024)
    assert prompt.tokens == events[-1].usage.prompt_tokens

    # Left running, it is found again by the next Qiao, which can use it and end it.
    backends.leave_server(server.address)
    backends.close()
    assert state.group(written.server)
    later = Backends(settings)
    try:
        (found,) = later.servers()
        assert (found.address, found.ready, found.mine) == (server.address, True, False)
        assert isinstance(list(later.generate(request, threading.Event()))[-1], Finished)
        later.end_server(found.address)
        assert later.servers() == []
    finally:
        later.close()
    assert state.group(written.server) == []
    assert state.kept() == []
    with pytest.raises(OSError):  # noqa: PT011 - whichever way the system refuses
        socket.create_connection(("127.0.0.1", written.port), timeout=1)


def refusal(backends: Backends, model: Path, *flags: str) -> str:
    with pytest.raises(Refused) as caught:
        list(backends.serve(Address("local", str(model)), flags, threading.Event()))
    assert backends.servers() == []
    assert state.kept() == []
    log = Path(str(caught.value).rpartition("Log: ")[2])
    assert log.is_file()
    return str(caught.value)


def test_a_bad_flag_is_named(backends: Backends, base_model: Path) -> None:
    assert "doesn't know --max-modl-len" in refusal(backends, base_model, "--max-modl-len", "8")


def test_a_port_that_is_taken_is_told(backends: Backends, base_model: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        assert "port is taken" in refusal(backends, base_model, *QUICK, "--port", str(port))


def test_too_long_a_context_is_told_with_what_would_do(backends: Backends, base_model: Path) -> None:
    told = refusal(backends, base_model, "--enforce-eager", "--max-model-len", "100000")
    assert "Take 8192 or less" in told


def test_a_stop_while_it_starts_ends_it(backends: Backends, base_model: Path) -> None:
    stop = threading.Event()
    steps = backends.serve(Address("local", str(base_model)), QUICK, stop)
    next(steps)
    (written,) = state.kept()
    begun = time.monotonic()
    stop.set()
    assert list(steps) == []
    assert time.monotonic() - begun < 10
    assert state.group(written.server) == []
    assert backends.servers() == []


@pytest.mark.parametrize("name", ["starter", "http"])
def test_what_vllm_cant_serve_is_refused_at_once(backends: Backends, name: str) -> None:
    address = Address("local", "starter") if name == "starter" else Address("bailian", "qwen-plus")
    with pytest.raises(Refused, match=r"safetensors|this machine"):
        list(backends.serve(address, (), threading.Event()))
