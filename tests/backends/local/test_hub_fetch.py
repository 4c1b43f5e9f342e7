"""Fetching models by the hubs' own clients, over real HTTP, from a stand-in that speaks both protocols."""

import json
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

from qiao.backends.local import discovery
from qiao.backends.local.hub_fetch import fetch
from qiao.backends.local.hub_talk import Hub
from qiao.backends.registry import Backends
from qiao.workbench.address import Address
from qiao.workbench.config import Config, Local
from qiao.workbench.errors import BrokenOff, QiaoError, Refused
from qiao.workbench.seam import Progress

from ...patience import PROMPTLY_S
from .asking_models import until
from .hub_server import HubServer
from .model_files import CHATML, QWEN, safetensors

NAME = "Qwen/Qwen2.5-0.5B-Instruct"
MEGABYTE = 2**20

both = pytest.mark.parametrize("hub", ["modelscope", "hf"])


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[HubServer]:
    server = HubServer()
    monkeypatch.setenv("HF_ENDPOINT", server.url)
    monkeypatch.setenv("MODELSCOPE_ENDPOINT", server.url)
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    yield server
    server.close()


@pytest.fixture
def repo(server: HubServer) -> dict[str, bytes]:
    """A model's repository as they are: with a second copy of the weights, and things that nobody needs."""
    files = {
        ".gitattributes": b"*.safetensors filter=lfs",
        "README.md": b"# Qwen",
        "config.json": json.dumps(QWEN).encode(),
        "tokenizer.json": b"{}",
        "tokenizer_config.json": json.dumps({"chat_template": CHATML}).encode(),
        # All different, so that a piece in the wrong place is seen.
        "model.safetensors": safetensors(2 * MEGABYTE),
        "pytorch_model.bin": bytes(MEGABYTE),
        "onnx/model.onnx": bytes(MEGABYTE),
    }
    server.repos[NAME] = files
    return files


NEEDED = {"config.json", "tokenizer.json", "tokenizer_config.json", "model.safetensors"}


def fetched(hub: Hub, name: str = NAME) -> list[Progress]:
    return list(fetch(name, hub, threading.Event()))


def error(hub: Hub, name: str = NAME) -> QiaoError:
    with pytest.raises(QiaoError) as caught:
        fetched(hub, name)
    text = str(caught.value)
    assert text.isprintable()
    assert "Traceback" not in text
    return caught.value


@both
def test_a_model_is_fetched_and_found(
    hub: Hub, server: HubServer, repo: dict[str, bytes], capfd: pytest.CaptureFixture[str]
) -> None:
    events = fetched(hub)
    total = sum(len(repo[name]) for name in NEEDED)
    assert events[-1] == Progress("fetching", total, total)
    done = [event.done for event in events]
    assert done == sorted(done)
    assert any("model.safetensors" in event.note for event in events)
    assert {path for path, size in server.sent.items() if size} == NEEDED
    path = discovery.resolve(NAME, [])
    assert (path / "model.safetensors").read_bytes() == repo["model.safetensors"]
    (model,) = discovery.find([])
    assert (str(model.address), model.kind, model.problem) == (f"local:{NAME}", "instruct", None)
    # Again: asked for, found whole, nothing sent.
    server.sent.clear()
    assert fetched(hub)[-1].done == total
    assert not any(server.sent.values())
    assert capfd.readouterr() == ("", "")


@both
def test_a_stop_is_quick_and_the_next_time_goes_on(hub: Hub, server: HubServer, repo: dict[str, bytes]) -> None:
    server.bytes_a_second = 2 * MEGABYTE
    stop = threading.Event()
    events = fetch(NAME, hub, stop)
    until_half = next(event for event in events if event.total and event.done > event.total / 3)
    begun = time.monotonic()
    stop.set()
    assert len(list(events)) <= 1
    assert time.monotonic() - begun < PROMPTLY_S
    assert not [child for child in psutil.Process().children() if "hub_child" in " ".join(child.cmdline())]
    with pytest.raises(Refused):
        discovery.resolve(NAME, [])
    server.bytes_a_second = None
    server.sent.clear()
    first = next(event for event in fetched(hub) if event.total)
    assert first.done >= until_half.done / 2
    ((path, begin),) = server.ranges
    assert (path, begin > MEGABYTE / 4) == ("model.safetensors", True)
    # And a piece or two that the stopped run was still being sent.
    assert server.sent["model.safetensors"] <= len(repo["model.safetensors"]) - begin + MEGABYTE / 4
    assert (discovery.resolve(NAME, []) / path).read_bytes() == repo[path]


@both
def test_a_connection_that_breaks_is_taken_up_again(hub: Hub, server: HubServer, repo: dict[str, bytes]) -> None:
    server.cut_after = 3 * MEGABYTE
    fetched(hub)
    assert server.ranges
    assert (discovery.resolve(NAME, []) / "model.safetensors").read_bytes() == repo["model.safetensors"]


@both
def test_no_such_model(hub: Hub, server: HubServer) -> None:
    refused = error(hub, "Qwen/Qwen9")
    assert isinstance(refused, Refused)
    assert "has no model “Qwen/Qwen9”, or it is private" in str(refused)
    other = "hf" if hub == "modelscope" else "modelscope"
    assert f"--from {other}" in str(refused)


@pytest.mark.parametrize(
    ("hub", "refuse", "said"),
    [
        ("hf", (403, "{}", {"X-Error-Code": "GatedRepo"}), "accepted its terms"),
        ("hf", (401, '{"error":"Invalid credentials"}', {}), "hf auth login"),
        ("hf", (429, "", {}), "asked too often"),
        ("modelscope", (401, '{"Code":401,"Message":"unauthorized"}', {}), "modelscope login"),
        ("modelscope", (403, '{"Code":403,"Message":"no permission \\u001b[2J"}', {}), "modelscope login"),
    ],
)
def test_the_hub_says_no(server: HubServer, hub: Hub, refuse: tuple[int, str, dict[str, str]], said: str) -> None:
    server.refuse = refuse
    refused = error(hub)
    assert isinstance(refused, Refused)
    assert said in str(refused)


@both
def test_a_hub_that_is_broken(hub: Hub, server: HubServer) -> None:
    server.refuse = (500, "<html>oops</html>", {})
    assert "answers with an error of its own" in str(error(hub))


@both
def test_no_way_to_the_hub(hub: Hub, server: HubServer) -> None:
    server.close()
    refused = error(hub)
    assert isinstance(refused, Refused)
    assert "can't be reached (Connection refused)" in str(refused)


def test_offline_by_choice(server: HubServer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    assert "HF_HUB_OFFLINE is set" in str(error("hf"))


@both
def test_what_arrives_is_checked(
    hub: Hub, server: HubServer, repo: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MODELSCOPE_DOWNLOAD_INTEGRITY_RETRY_BACKOFF", "0")
    server.corrupt = True
    broken = error(hub)
    assert isinstance(broken, BrokenOff)
    assert "isn't what it lists" in str(broken)
    with pytest.raises(Refused):
        discovery.resolve(NAME, [])
    server.corrupt = False
    fetched(hub)
    assert (discovery.resolve(NAME, []) / "model.safetensors").read_bytes() == repo["model.safetensors"]


@both
def test_a_disk_without_room_is_seen_before_a_byte_is_fetched(
    hub: Hub, server: HubServer, repo: dict[str, bytes]
) -> None:
    server.sizes["model.safetensors"] = 10**15
    refused = error(hub)
    assert isinstance(refused, Refused)
    assert "takes 1000000.3 GB of disk space" in str(refused)
    assert not any(server.sent.values())


@both
def test_several_gguf_files_are_asked_about(hub: Hub, server: HubServer) -> None:
    files = {"config.json": b"{}", "q4_k_m.gguf": b"GGUF" + bytes(99), "q8_0.gguf": b"GGUF" + bytes(199)}
    parts = {f"big-0000{n}-of-00002.gguf": b"GGUF" + bytes(n) for n in (1, 2)}
    server.repos["Qwen/Q-GGUF"] = {**files, **parts, "mmproj-f16.gguf": b"GGUF"}
    text = str(error(hub, "Qwen/Q-GGUF"))
    assert "local:Qwen/Q-GGUF/q4_k_m.gguf, local:Qwen/Q-GGUF/q8_0.gguf" in text
    assert "00002-of" not in text
    fetched(hub, "Qwen/Q-GGUF/q8_0.gguf")
    assert {path for path, size in server.sent.items() if size} == {"q8_0.gguf", "config.json"}
    server.sent.clear()
    fetched(hub, "Qwen/Q-GGUF/big-00001-of-00002.gguf")
    assert set(parts) <= set(server.sent)
    assert "several GGUF files" in str(error(hub, "Qwen/Q-GGUF/q2_k.gguf"))


def test_pickles_are_not_fetched(server: HubServer) -> None:
    server.repos["old/Model"] = {"config.json": b"{}", "pytorch_model.bin": b"x"}
    server.repos["no/Model"] = {"config.json": b"{}"}
    assert "pickled only (pytorch_model.bin)" in str(error("modelscope", "old/Model"))
    assert "neither safetensors nor GGUF" in str(error("modelscope", "no/Model"))
    assert not any(server.sent.values())


@pytest.mark.parametrize("name", ["Qwen", "/data/x", "a/b/c", "../x", "a/..", "Qwen/x y", "a/\x1b[2J", "a//b.gguf"])
def test_names_that_no_hub_has(name: str) -> None:
    assert "local:OWNER/NAME" in str(error("modelscope", name))


def test_the_second_waits_for_the_first(server: HubServer, repo: dict[str, bytes]) -> None:
    server.bytes_a_second = 4 * MEGABYTE
    first = fetch(NAME, "modelscope", threading.Event())
    next(event for event in first if event.done)
    stop = threading.Event()
    second = fetch(NAME, "modelscope", stop)
    next(event for event in second if event.note == "another Qiao is fetching it")
    stop.set()
    assert list(second) == []
    last = list(first)[-1]
    assert last.done == last.total


def test_a_qiao_that_is_killed_leaves_nobody_behind(server: HubServer, repo: dict[str, bytes], home: Path) -> None:
    server.bytes_a_second = MEGABYTE / 2
    code = (
        "import threading\nfrom qiao.backends.local.hub_fetch import fetch\n"
        f"for event in fetch({NAME!r}, 'modelscope', threading.Event()):\n    print(event.done, flush=True)\n"
    )
    parent = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent.stdout as lines:
        next(line for line in lines if int(line) > 100_000)
        (child,) = psutil.Process(parent.pid).children()
        parent.send_signal(signal.SIGKILL)
        parent.wait()
        until(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_the_hub_of_the_configuration_and_what_is_here_already(server: HubServer, repo: dict[str, bytes]) -> None:
    address = Address("local", NAME)
    backends = Backends(Config(local=Local(hub="hf")))
    events = list(backends.fetch(address, threading.Event()))
    assert events[-1].done == events[-1].total > 0
    assert "hugging-face" in str(discovery.resolve(NAME, []))
    server.close()
    assert list(backends.fetch(address, threading.Event())) == []
    with pytest.raises(Refused, match="Only models for this machine"):
        list(backends.fetch(Address("bailian", "qwen-plus"), threading.Event()))


def test_the_persons_own_token_goes_to_the_hub_and_into_no_log(
    server: HubServer, repo: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_mine")
    fetched("hf")
    assert server.tokens == {"Bearer hf_mine"}
    log = Path(os.environ["QIAO_HOME"]) / "log" / "pull.log"
    assert "hf_mine" not in log.read_text()
