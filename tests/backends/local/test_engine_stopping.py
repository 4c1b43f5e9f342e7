"""Stopping, ending and dying: in any state, a model lets go of the screen at once and of the machine soon."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from qiao.backends.local.engine import LocalBackend
from qiao.workbench.address import Address
from qiao.workbench.seam import Progress, Started, Text

from ...patience import PROMPTLY_S
from .asking_models import CAPITAL, STORY, Outcome, ask, ended, reached, request, stopped_within, until

SMOL = Address("local", "smol")


@pytest.fixture(scope="module")
def backend(safetensors_model: Path) -> Iterator[LocalBackend]:
    backend = LocalBackend(list, {"smol": safetensors_model}.__getitem__)
    yield backend
    backend.close()


def state(backend: LocalBackend) -> str:
    return next((model.state for model in backend.models()), "on_disk")


def child_pid(backend: LocalBackend) -> int:
    pid = backend.process_id(SMOL)
    assert pid is not None
    return pid


@pytest.mark.parametrize("stage", ["starting", "loading"])
def test_stop_while_it_starts_or_loads(backend: LocalBackend, stage: str) -> None:
    backend.unload(SMOL)
    stop = threading.Event()
    events = backend.generate(request("smol", CAPITAL), stop)
    reached(events, Progress, "starting")
    # The process is there from the second event on.
    reached(events, Progress, stage)
    pid = child_pid(backend)
    seconds, finished = stopped_within(events, stop)
    assert finished.reason == "cancelled"
    assert seconds < PROMPTLY_S
    until(lambda: ended(pid))
    until(lambda: state(backend) == "on_disk")


def test_the_next_request_after_a_stopped_load_begins_anew(backend: LocalBackend) -> None:
    backend.unload(SMOL)
    stop = threading.Event()
    events = backend.generate(request("smol", CAPITAL), stop)
    reached(events, Progress, "loading")
    stopped_within(events, stop)
    assert "Paris" in ask(backend, "smol", CAPITAL, temperature=0).text


def test_stop_in_prefill(backend: LocalBackend) -> None:
    ask(backend, "smol", CAPITAL, max_tokens=1)
    pid = child_pid(backend)
    stop = threading.Event()
    events = backend.generate(request("smol", "word " * 7000), stop)
    progress = reached(events, Progress, "prefill")
    assert isinstance(progress, Progress)
    assert progress.total > 7000
    seconds, finished = stopped_within(events, stop)
    assert finished.reason == "cancelled"
    assert seconds < PROMPTLY_S
    assert finished.usage.completion_tokens == 0
    assert_free_soon(backend, pid)


def test_stop_in_decode_keeps_what_came(backend: LocalBackend) -> None:
    ask(backend, "smol", CAPITAL, max_tokens=1)
    pid = child_pid(backend)
    stop = threading.Event()
    events = backend.generate(request("smol", STORY, temperature=0), stop)
    reached(events, Text)
    seconds, finished = stopped_within(events, stop)
    assert finished.reason == "cancelled"
    assert seconds < PROMPTLY_S
    assert finished.usage.completion_tokens is not None
    assert finished.usage.completion_tokens >= 1
    assert_free_soon(backend, pid)


def test_a_reader_who_goes_away_stops_it_too(backend: LocalBackend) -> None:
    ask(backend, "smol", CAPITAL, max_tokens=1)
    pid = child_pid(backend)
    events = backend.generate(request("smol", STORY, temperature=0), threading.Event())
    reached(events, Text)
    events.close()  # type: ignore[attr-defined]  # A generator, though the seam promises an iterator only.
    assert_free_soon(backend, pid)


def assert_free_soon(backend: LocalBackend, pid: int) -> None:
    """The same process begins on the next request at once: it has stopped computing."""
    stop = threading.Event()
    events = backend.generate(request("smol", CAPITAL, max_tokens=1), stop)
    assert isinstance(next(events), Progress)
    begun = time.monotonic()
    reached(events, Started)
    assert time.monotonic() - begun < PROMPTLY_S
    list(events)
    assert backend.process_id(SMOL) == pid


def test_stop_while_it_waits_for_another_answer(backend: LocalBackend) -> None:
    ask(backend, "smol", CAPITAL, max_tokens=1)
    first = backend.generate(request("smol", STORY, temperature=0), threading.Event())
    reached(first, Text)
    stop = threading.Event()
    second = backend.generate(request("smol", CAPITAL), stop)
    assert isinstance(next(second), Progress)
    seconds, finished = stopped_within(second, stop)
    assert finished.reason == "cancelled"
    assert seconds < PROMPTLY_S
    # The first one isn't disturbed.
    reached(first, Text)
    first.close()  # type: ignore[attr-defined]


def test_a_request_waits_for_its_turn_and_the_prompt_does_not(backend: LocalBackend) -> None:
    ask(backend, "smol", CAPITAL, max_tokens=1)
    first = backend.generate(request("smol", STORY, temperature=0, max_tokens=20), threading.Event())
    reached(first, Text)
    outcomes: list[Outcome] = []
    waiting = threading.Thread(target=lambda: outcomes.append(ask(backend, "smol", CAPITAL, temperature=0)))
    waiting.start()
    assert backend.prompt(request("smol", CAPITAL), threading.Event()).tokens == 37
    assert not outcomes
    assert Outcome(first).finished.reason == "length"
    waiting.join()
    assert "Paris" in outcomes[0].text


@pytest.mark.parametrize(
    ("end", "words"), [(signal.SIGKILL, "was killed"), (signal.SIGSEGV, "SIGSEGV")], ids=["killed", "crashed"]
)
def test_a_death_is_told_and_the_next_run_works(backend: LocalBackend, end: signal.Signals, words: str) -> None:
    ask(backend, "smol", CAPITAL, max_tokens=1)
    events = backend.generate(request("smol", STORY, temperature=0), threading.Event())
    first = reached(events, Text)
    os.kill(child_pid(backend), end)
    outcome = Outcome(iter([first, *events]))
    assert outcome.text
    assert outcome.failed.kind == "engine_died"
    assert words in outcome.failed.message
    assert "local:smol" in outcome.failed.message
    assert "\n" not in outcome.failed.message
    assert "Paris" in ask(backend, "smol", CAPITAL, temperature=0).text
    assert state(backend) == "loaded"


def test_unloading_gives_the_memory_back_and_cancels_what_runs(backend: LocalBackend) -> None:
    ask(backend, "smol", CAPITAL, max_tokens=1)
    pid = child_pid(backend)
    assert psutil.Process(pid).memory_info().rss > 300_000_000
    events = backend.generate(request("smol", STORY, temperature=0), threading.Event())
    reached(events, Text)
    backend.unload(SMOL)
    assert not psutil.pid_exists(pid)
    assert Outcome(events).finished.reason == "cancelled"
    assert state(backend) == "on_disk"
    # Nothing to unload, nothing happens.
    backend.unload(SMOL)


def test_the_prompt_alone_loads_no_weights(backend: LocalBackend) -> None:
    backend.unload(SMOL)
    prompt = backend.prompt(request("smol", CAPITAL), threading.Event())
    assert prompt.tokens == 37
    assert prompt.context_length == 8192
    assert state(backend) == "on_disk"
    pid = child_pid(backend)
    outcome = ask(backend, "smol", CAPITAL, temperature=0)
    assert "Paris" in outcome.text
    assert backend.process_id(SMOL) == pid


def test_a_parent_that_is_killed_leaves_no_child(safetensors_model: Path) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", PARENT, str(safetensors_model)], stdout=subprocess.PIPE, stdin=subprocess.PIPE
    )
    assert parent.stdout is not None
    pid = int(parent.stdout.readline())
    assert psutil.pid_exists(pid)
    parent.kill()
    parent.wait()
    until(lambda: ended(pid))


PARENT = """
import sys, threading
from pathlib import Path
from qiao.backends.local.engine import LocalBackend
from qiao.workbench.address import Address
from qiao.workbench.seam import Request, Turn

address = Address("local", "smol")
backend = LocalBackend(list, lambda name: Path(sys.argv[1]))
events = backend.generate(Request(address, (Turn("user", "Hi"),)), threading.Event())
while backend.process_id(address) is None:
    next(events)
print(backend.process_id(address), flush=True)
sys.stdin.read()
"""
"""A program that loads a model, and says in which process."""


def test_stray_prints_go_to_the_log(
    backend: LocalBackend,
    home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    noisy = tmp_path / "noisy"
    noisy.mkdir()
    (noisy / "sitecustomize.py").write_text(
        "import os, sys\n"
        "if 'qiao.backends.local.child' in sys.orig_argv:\n"
        "    os.write(1, b'stray before\\n')\n"
        "    def heard(event, args):\n"
        "        if event == 'import' and args[0] in ('torch', 'transformers'):\n"
        "            os.write(1, b'stray between\\n')\n"
        "            os.write(2, b'stray complaint\\n')\n"
        "    sys.addaudithook(heard)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(noisy))
    backend.unload(SMOL)
    outcome = ask(backend, "smol", CAPITAL, temperature=0)
    assert "Paris" in outcome.text
    captured = capfd.readouterr()
    assert captured.out == ""
    assert captured.err == ""
    log = next((home / "log").glob("engine-*.log")).read_text()
    assert "stray between" in log
    assert "stray complaint" in log
