"""What a person sees when a server does wrong: the real client, a real socket, and the screen driven by keys."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from qiao.backends.registry import Backends
from qiao.backends.scripted import ScriptedBackend
from qiao.tui.app import QiaoApp
from qiao.tui.keeping import keeper
from qiao.tui.sessions.session import Session
from qiao.workbench.config import Config, Provider
from qiao.workbench.conversation_file import dumps
from qiao.workbench.document import Document

from ..backends.remote.misbehaving import (
    Behaviour,
    Server,
    breaks,
    delta,
    hangs,
    replies,
    says,
    status,
)
from .driving import HELLO, NARROW, WIDE, Bench, driven, in_loop, talk


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(keeper, "SAVE_AFTER", 0.05)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BOX_KEY", "sk-secret-of-the-box")


@asynccontextmanager
async def asking(
    path: Path, *behaviours: Behaviour, size: tuple[int, int] = NARROW, **fields: object
) -> AsyncIterator[tuple[Bench, Server]]:
    """The workbench on a conversation with the model of a server that does so."""
    with Server(*behaviours) as server:
        own = {"base_url": server.url, "key_env": "BOX_KEY", **fields}
        config = Config(provider={"box": Provider(**own)})  # pyright: ignore[reportArgumentType]
        path.write_bytes(dumps(talk(*HELLO, model="box:tiny")))
        backends = Backends(config)
        app = QiaoApp([Session(Document.open(path))], backends, config)
        async with driven(app, ScriptedBackend(()), path, size) as bench:
            yield bench, server
            assert "sk-secret" not in bench.text()
            assert all(len(line) <= size[0] for line in bench.lines())


def failed(bench: Bench) -> str | None:
    """The kind of trouble of the last take in the file."""
    takes = bench.on_disk().messages[-1].takes
    return takes[-1].error.kind if takes and takes[-1].error else None


@in_loop
async def test_a_wrong_key_leads_to_the_key(path: Path) -> None:
    async with asking(path, status(401, {"error": "Unauthorized"})) as (bench, _):
        await bench.press("r")
        await bench.see("key refused", "broke off", "A keys")
        await bench.until(lambda: failed(bench) == "key_refused")
        await bench.press("A")
        await bench.until(lambda: type(bench.app.screen).__name__ == "KeyList")
        await bench.press("escape", "m", "K")
        await bench.until(lambda: type(bench.app.screen).__name__ == "KeyDialog")


@in_loop
async def test_no_key_leads_to_the_key(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("BOX_KEY")
    async with asking(path, says("x"), like="siliconflow") as (bench, server):
        await bench.press("r")
        await bench.see("no key", "A keys")
        await bench.until(lambda: failed(bench) == "no_key")
        assert not server.received


@in_loop
async def test_an_unknown_model_is_told(path: Path) -> None:
    body = {"error": {"message": "The model `tiny` does not exist.", "type": "NotFoundError", "code": 404}}
    async with asking(path, status(404, body)) as (bench, _):
        await bench.press("r")
        await bench.see("unknown model", "m models")
        await bench.until(lambda: failed(bench) == "unknown_model")


@in_loop
async def test_nobody_answers(path: Path) -> None:
    async with asking(path, says("x")) as (bench, server):
        server.stop_listening()
        await bench.press("r")
        await bench.see("no connection", "127.0.0.1", "r again")
        await bench.until(lambda: failed(bench) == "unreachable")


@in_loop
async def test_too_many_requests_are_waited_out_in_sight(path: Path) -> None:
    busy = status(429, {"error": {"message": "Too many requests"}}, headers={"Retry-After": "2"})
    async with asking(path, busy, says("Pa", "ris.")) as (bench, server):
        await bench.press("r")
        await bench.see("trying again in", "esc stop")
        await bench.see("Paris.", "stop")
        await bench.idle()
        assert len([r for r in server.received if r.path.endswith("completions")]) == 2
        assert failed(bench) is None


@in_loop
async def test_a_cut_connection_keeps_what_came_and_goes_on_from_it(path: Path) -> None:
    async with asking(path, breaks(delta("Pa")), says("ris.")) as (bench, server):
        await bench.press("r")
        await bench.see("Pa", "cut off", "r again", "p go on from here")
        await bench.until(lambda: failed(bench) == "cut_off")
        assert bench.on_disk().messages[-1].takes[-1].text == "Pa"
        await bench.press("p")
        await bench.see("Paris.")
        await bench.idle()
        assert server.received[-1].body["messages"][-1]["content"] == "Pa"


@in_loop
async def test_a_stall_is_seen_and_ends(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qiao.tui.transcript.blocks.SILENT_SECONDS", 0.5)
    monkeypatch.setattr("qiao.tui.bench.screen.SILENT_SECONDS", 0.5)
    async with asking(path, hangs(delta("Pa"), comment=b": ping\n\n"), stall_seconds=3.0) as (bench, _):
        await bench.press("r")
        await bench.see("Pa", "nothing for")
        await bench.see("stalled", "r again", "p go on from here")
        await bench.until(lambda: failed(bench) == "stalled")
        assert bench.on_disk().messages[-1].takes[-1].text == "Pa"


@in_loop
async def test_a_context_that_is_too_long_is_told(path: Path) -> None:
    message = "This model's maximum context length is 2048 tokens. However, your prompt contains at least 2049 tokens."
    async with asking(path, status(400, {"error": {"message": message, "param": "input_tokens"}})) as (bench, _):
        await bench.press("r")
        await bench.see("too long", "M mute a message")
        await bench.until(lambda: failed(bench) == "context_too_long")


@in_loop
async def test_a_page_instead_of_an_answer_is_told(path: Path) -> None:
    async with asking(path, replies(b"<html><title>Log in</title><script>alert(1)</script></html>")) as (bench, _):
        await bench.press("r")
        await bench.see("no valid reply", "r again")
        await bench.until(lambda: failed(bench) == "bad_reply")
        assert "alert(1)" not in bench.text()


@in_loop
@pytest.mark.parametrize("size", [WIDE, NARROW])
async def test_a_broken_server_is_told_and_a_stop_is_heeded_while_it_is_tried_again(
    path: Path, size: tuple[int, int]
) -> None:
    async with asking(path, status(503, b"<h1>Down\x1b[2J</h1>"), size=size) as (bench, _):
        await bench.press("r")
        await bench.see("trying again in")
        await bench.press("escape")
        await bench.idle()
        assert bench.said() == list(HELLO)
        await bench.press("r")
        await bench.see("server error", "r again")
        await bench.until(lambda: failed(bench) == "server_error")
        assert "\x1b" not in bench.text()
