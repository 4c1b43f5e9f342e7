"""The command over servers: real client, real sockets, a server that behaves as told."""

import importlib.util
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from qiao.workbench.conversation import Conversation, Message
from qiao.workbench.conversation_file import loads
from qiao.workbench.sampling import Sampling

from ..patience import PATIENCE_S
from .conftest import Ended

PLACE = Path(__file__).parents[1] / "backends" / "remote" / "misbehaving.py"
ASK = ("run", "-", "-m", "mybox:tiny")


def _loaded() -> ModuleType:
    """The server of the backends' tests, which stands in another folder of tests."""
    spec = importlib.util.spec_from_file_location("misbehaving", PLACE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


servers: Any = _loaded()


@pytest.fixture
def server(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The server, and a configuration that calls it mybox."""
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with servers.Server() as server:
        home.mkdir(exist_ok=True)
        (home / "config.toml").write_text(
            f'[provider.mybox]\nbase_url = "{server.url}"\nstall_seconds = 1\nfirst_seconds = 2\n', encoding="utf-8"
        )
        yield server


def test_an_answer_goes_to_stdout(server: Any, qiao: Callable[..., Ended]) -> None:
    server.then(servers.events(servers.delta(reasoning="Hmm."), servers.delta("Paris."), servers.delta(finish="stop")))
    ended = qiao(*ASK, stdin="Capital of France?")
    assert (ended.code, ended.out) == (0, "Paris.\n")
    assert qiao(*ASK, "--json", stdin="?").json["thinking"] == "Hmm."
    assert server.received[0].body["messages"] == [{"role": "user", "content": "Capital of France?"}]


def test_a_saved_take_tells_all_of_where_it_came_from(
    server: Any, qiao: Callable[..., Ended], write: Callable[..., Path]
) -> None:
    first = servers.delta("Paris.", model="tiny-2026")
    server.then(servers.events(first, servers.delta(finish="stop"), servers.usage(9, 2)))
    sampling = Sampling(temperature=0.5, max_tokens=9)
    file = write(Conversation(model="mybox:tiny", sampling=sampling, messages=(Message(role="user", text="?"),)))
    assert qiao("run", str(file), "--save").code == 0
    take = loads(file.read_bytes(), "talk.toml").conversation.messages[1].takes[0]
    assert (take.text, take.model, take.finish) == ("Paris.", "mybox:tiny", "stop")
    assert take.sampling is not None
    assert (take.sampling.temperature, take.sampling.max_tokens, take.sampling.seed) == (0.5, 9, take.seed)
    assert take.seed == server.received[0].body["seed"]
    assert take.usage is not None
    assert (take.usage.prompt_tokens, take.usage.completion_tokens) == (9, 2)
    assert take.usage.extra == {"model": "tiny-2026"}
    assert take.timing is not None
    assert take.timing.first_token_ms is not None
    assert take.created is not None
    assert take.prompt_hash


def test_several_takes_are_several_requests(server: Any, qiao: Callable[..., Ended]) -> None:
    assert qiao(*ASK, "--set", "n=3", "--set", "seed=5", stdin="?").code == 0
    assert [received.body["seed"] for received in server.received] == [5, 6, 7]
    assert not any("n" in received.body for received in server.received)


@pytest.mark.parametrize(
    ("behaviour", "code", "kind", "said"),
    [
        (servers.status(401, {"error": "Unauthorized"}), 3, "no_key", "qiao keys set mybox"),
        (servers.status(404, {"error": {"message": "The model `tiny` does not exist."}}), 3, "unknown_model", "tiny"),
        (servers.status(400, {"error": {"message": "maximum context length is 9"}}), 3, "context_too_long", "9"),
        (servers.status(429, headers={"Retry-After": "900"}), 3, "rate_limited", "later"),
        (servers.replies(b"<html><title>Sign in</title></html>"), 4, "bad_reply", "Sign in"),
        (servers.hangs(), 4, "stalled", "2 s"),
    ],
)
def test_a_refusal_ends_with_3_and_an_accident_with_4(
    server: Any, qiao: Callable[..., Ended], behaviour: Any, code: int, kind: str, said: str
) -> None:
    server.then(behaviour)
    ended = qiao(*ASK, stdin="?")
    assert (ended.code, ended.out) == (code, "")
    assert said in ended.err
    told = qiao(*ASK, "--json", stdin="?")
    assert told.code == code
    assert told.json["error"]["kind"] == kind


@pytest.mark.parametrize("reset", [False, True])
def test_what_arrived_before_it_broke_off_is_printed_and_saved(
    server: Any, qiao: Callable[..., Ended], write: Callable[..., Path], reset: bool
) -> None:
    server.then(servers.breaks(servers.delta("Par"), servers.delta("is"), reset=reset))
    file = write(Conversation(model="mybox:tiny", messages=(Message(role="user", text="?"),)))
    ended = qiao("run", str(file), "--save")
    assert (ended.code, ended.out) == (4, "Paris\n")
    assert "ended in the middle" in ended.err
    take = loads(file.read_bytes(), "talk.toml").conversation.messages[1].takes[0]
    assert take.text == "Paris"
    assert take.error is not None
    assert take.error.kind == "cut_off"


def test_nobody_there_ends_with_3(server: Any, qiao: Callable[..., Ended]) -> None:
    server.stop_listening()
    ended = qiao(*ASK, stdin="?")
    assert ended.code == 3
    assert "No server answers" in ended.err


def test_a_retry_is_told(server: Any, qiao: Callable[..., Ended]) -> None:
    server.then(servers.status(429, headers={"Retry-After": "1"}), servers.says("Paris."))
    ended = qiao(*ASK, stdin="?")
    assert (ended.code, ended.out) == (0, "Paris.\n")
    assert "too many requests, try 2 of 5" in ended.err


def test_what_has_no_effect_is_told_but_not_the_seed_that_nobody_set(
    server: Any, qiao: Callable[..., Ended], home: Path
) -> None:
    file = home / "config.toml"
    file.write_text(file.read_text(encoding="utf-8") + 'like = "siliconflow"\n', encoding="utf-8")
    quiet = qiao(*ASK, stdin="?")
    assert (quiet.code, quiet.err) == (0, "")
    told = qiao(*ASK, "--set", "presence_penalty=1", "--set", "seed=3", stdin="?")
    assert "presence_penalty has no effect at mybox." in told.err
    assert "seed has no effect at mybox." in told.err


def test_models_of_a_provider_are_asked_for(server: Any, qiao: Callable[..., Ended]) -> None:
    server.models = [{"id": "one", "max_model_len": 4096}, {"id": "two"}]
    listed = qiao("models", "mybox")
    assert listed.code == 0
    rows = [re.split(r"\s{2,}", line.strip()) for line in listed.out.splitlines()]
    assert rows == [["ADDRESS", "CONTEXT", "STATE"], ["mybox:one", "4096", "served"], ["mybox:two", "served"]]
    assert [row["address"] for row in qiao("models", "mybox", "--json").json] == ["mybox:one", "mybox:two"]


def test_servers_on_this_machine_are_asked_by_themselves(server: Any, qiao: Callable[..., Ended]) -> None:
    addresses = qiao("models", "--addresses").out.split()
    assert {"local:starter", "mybox:tiny"} <= set(addresses)


def test_providers_that_were_not_asked_are_named(
    server: Any, qiao: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SILICONFLOW_API_KEY", "sk-12345678")
    assert "qiao models siliconflow" in qiao("models").err


@pytest.mark.parametrize(
    ("provider", "code", "said"), [("nope", 3, "no provider “nope”"), ("deepseek", 3, "DEEPSEEK_API_KEY")]
)
def test_why_a_provider_lists_nothing(
    server: Any, qiao: Callable[..., Ended], monkeypatch: pytest.MonkeyPatch, provider: str, code: int, said: str
) -> None:
    monkeypatch.delenv("DEEPSEEK_API_KEY", raising=False)
    ended = qiao("models", provider)
    assert ended.code == code
    assert said in ended.err
    if provider == "deepseek":
        assert qiao("models", provider, "--json").json["error"]["kind"] == "no_key"


def test_the_key_is_in_no_output(
    server: Any, qiao: Callable[..., Ended], home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MYBOX_KEY", "sk-sentinel-4711")
    file = home / "config.toml"
    file.write_text(file.read_text(encoding="utf-8") + 'key_env = "MYBOX_KEY"\n', encoding="utf-8")
    server.then(servers.status(401, {"error": {"message": "Wrong key: sk-sentinel-4711"}}))
    ended = qiao("run", "-", "-m", "mybox:tiny", stdin="?")
    assert ended.code == 3
    assert server.received[0].headers["authorization"] == "Bearer sk-sentinel-4711"
    assert "Wrong key" in ended.err
    assert "sentinel" not in ended.out + ended.err


def test_a_process_of_its_own_exits_as_it_should(server: Any, home: Path) -> None:
    """The whole command: imports, loop thread and exit included."""
    ran = subprocess.run(
        [sys.executable, "-m", "qiao.cli", *ASK],
        input="Capital of France?",
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "Hello.\n", "")
