"""The models of a server: listed in every shape, kept for a day, asked for without a key where that is enough."""

import json
import threading
from pathlib import Path

import pytest

from qiao.backends.registry import Backends
from qiao.backends.remote import listing
from qiao.backends.remote.engine import RemoteBackend
from qiao.backends.remote.failures import Refusal
from qiao.workbench.config import Config
from qiao.workbench.config import Provider as Own
from qiao.workbench.paths import cache_dir
from qiao.workbench.seam import FailureKind

from .conftest import Asker, MakeAsker
from .misbehaving import Behaviour, Exchange, Server, breaks, hangs_before_headers, hangs_up, replies, says, status


def listed(asked: Asker) -> list[str]:
    asked.backend.refresh(threading.Event())
    return [model.address.name for model in asked.backend.models()]


def test_a_server_lists_its_models_with_their_lengths(asker: MakeAsker, server: Server) -> None:
    server.models = [{"id": "smol", "max_model_len": 2048}, {"id": "/data/Qwen3-4B"}, {"id": "smol"}, {"name": "other"}]
    asked = asker()
    assert asked.backend.models() == []
    assert not asked.backend.source().asked
    assert listed(asked) == ["smol", "/data/Qwen3-4B", "other"]
    first, second, _ = asked.backend.models()
    assert (str(first.address), first.context_length, first.state) == ("vllm:smol", 2048, "served")
    assert second.title == "Qwen3-4B"
    assert asked.backend.source().asked
    assert asked(model="smol").started.context_length == 2048


def test_what_does_not_converse_is_left_out_and_the_query_is_sent(asker: MakeAsker, server: Server) -> None:
    server.models = [{"id": "qwen-plus"}, {"id": "text-embedding-v4"}, {"id": "wan2.5-t2v"}, {"id": "Qwen3-TTS-flash"}]
    assert listed(asker(like="bailian")) == ["qwen-plus"]
    paths: list[str] = []

    def note(exchange: Exchange) -> None:
        paths.append(exchange.received.path)
        replies(b'{"data": []}', "application/json")(exchange)

    server.listing = note
    assert listed(asker(like="siliconflow")) == []
    assert paths == ["/v1/models?sub_type=chat"]


@pytest.mark.parametrize(
    "body",
    [
        b'[{"id": "a"}, "b", 7]',
        b'{"models": [{"model": "a"}, {"name": "b"}]}',
        b'{"data": [{"id": "a"}, {"id": "b"}]}',
    ],
)
def test_every_shape_of_a_list_is_read(asker: MakeAsker, server: Server, body: bytes) -> None:
    server.listing = replies(body, "application/json")
    assert listed(asker()) == ["a", "b"]


TROUBLES: dict[str, tuple[Behaviour, FailureKind, str]] = {
    "a wrong key": (status(401, {"error": "Unauthorized"}), "key_refused", "Unauthorized"),
    "a page": (replies(b"<html><title>Sign in</title></html>"), "bad_reply", "base_url"),
    "something else": (replies(b'{"hello": 1}', "application/json"), "bad_reply", "base_url"),
    "brackets without end": (replies(b"[" * 100_000, "application/json"), "bad_reply", "base_url"),
    "a wrong path": (status(404, {"detail": "Not Found"}), "bad_reply", "/v1"),
    "trouble": (status(500), "server_error", "status 500"),
    "hanging up": (hangs_up, "cut_off", "without an answer"),
    "breaking off": (breaks(), "cut_off", "127.0.0.1"),
}


@pytest.mark.parametrize("case", TROUBLES)
def test_why_a_list_cannot_be_had(asker: MakeAsker, server: Server, case: str) -> None:
    server.listing, kind, said = TROUBLES[case]
    asked = asker(key="sk-12345678")
    with pytest.raises(Refusal) as raised:
        asked.backend.refresh(threading.Event())
    assert raised.value.kind == kind
    assert said in str(raised.value)
    assert asked.backend.source().problem == str(raised.value)
    server.listing = None
    assert listed(asked) == ["tiny"]
    assert asked.backend.source().problem is None


def test_asking_for_a_list_can_be_stopped(asker: MakeAsker, server: Server) -> None:
    server.listing = hangs_before_headers()
    stop = threading.Event()
    threading.Timer(0.2, stop.set).start()
    with pytest.raises(Refusal, match="Stopped"):
        asker().backend.refresh(stop)


def test_a_list_that_never_comes_is_given_up(asker: MakeAsker, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "PATIENCE_SECONDS", 0.3)
    server.listing = hangs_before_headers()
    with pytest.raises(Refusal) as raised:
        asker().backend.refresh(threading.Event())
    assert raised.value.kind == "stalled"


def test_a_list_from_afar_is_kept_for_a_day(asker: MakeAsker, server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "is_near", lambda _: False)
    asked = asker(key="sk-12345678")
    assert listed(asked) == ["tiny"]
    (file,) = (cache_dir() / "models").iterdir()
    assert "sk-12345678" not in file.read_text(encoding="utf-8")
    again = RemoteBackend(asked.backend.provider, asked.keys)
    assert again.models() == asked.backend.models()
    assert again.source().asked
    kept = json.loads(file.read_bytes())
    file.write_text(json.dumps({**kept, "asked": kept["asked"] - 90_000}), encoding="utf-8")
    assert RemoteBackend(asked.backend.provider, asked.keys).models() == []
    file.write_text("{", encoding="utf-8")
    assert RemoteBackend(asked.backend.provider, asked.keys).models() == []


def test_a_list_from_nearby_is_not_kept(asker: MakeAsker, home: Path) -> None:
    assert listed(asker()) == ["tiny"]
    assert not (cache_dir() / "models").exists()


def test_all_sources_are_told_without_asking_anybody(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHSCOPE_API_KEY", "sk-12345678")
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    backends = Backends(Config(provider={"mybox": Own(server.url), "broken": Own()}))
    try:
        sources = {source.provider: source for source in backends.sources()}
        assert list(sources)[:3] == ["local", "mybox", "broken"]
        assert sources["local"].base_url is None
        assert not sources["mybox"].asked
        assert sources["broken"].problem is not None
        assert (sources["bailian"].needs_key, sources["bailian"].key) == (True, "environment")
        assert sources["openai"].key is None
        backends.refresh("mybox", threading.Event())
        assert "mybox:tiny" in [str(model.address) for model in backends.models()]
    finally:
        backends.close()


def test_the_key_is_seen_in_nothing_that_is_printed(asker: MakeAsker) -> None:
    asked = asker(says("x"), key="sk-12345678")
    told = repr(asked()) + repr(asked.backend) + repr(asked.backend.provider) + repr(asked.backend.source())
    assert "sk-12345678" not in told
