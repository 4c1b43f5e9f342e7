"""Tokens as a server counts them, while one types: what is asked, and what is made of refusals."""

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from qiao.backends.providers import built_in
from qiao.backends.remote.server import Endpoint
from qiao.backends.vllm.tokenizing import count
from qiao.workbench.address import Address
from qiao.workbench.seam import Count, Request, Turn
from qiao.workbench.token_counts import LONG, MOST, estimate


class Tokenizing(ThreadingHTTPServer):
    """Counts words; a chat is ten more. Without a template, it refuses chats as vLLM does."""

    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.asked: list[dict[str, Any]] = []
        self.refuses: tuple[int, str] | None = None

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(built_in()["vllm"], f"http://127.0.0.1:{self.server_port}/v1", None)


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        server = self.server
        assert isinstance(server, Tokenizing)
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        server.asked.append(asked)
        status, body = 200, {}
        if "messages" in asked and server.refuses is not None:
            status, body = server.refuses[0], {"error": {"message": server.refuses[1]}}
        else:
            texts = [message["content"] for message in asked.get("messages", [{"content": asked.get("prompt")}])]
            n = sum(len(text.split()) for text in texts) + (10 if "messages" in asked else 0)
            body = {"count": n, "tokens": list(range(n)), "max_model_len": 512}
        self.send_response(status)
        self.end_headers()
        self.wfile.write(json.dumps(body).encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[Tokenizing]:
    made = Tokenizing()
    threading.Thread(target=made.serve_forever, args=(0.01,), daemon=True).start()
    yield made
    made.shutdown()
    made.server_close()


def asked(server: Tokenizing, *texts: str) -> Count | None:
    request = Request(Address("vllm", "smol"), tuple(Turn("user", text) for text in texts))
    return count(server.endpoint, request, threading.Event())


def test_draft_and_prompt_are_counted_by_the_server(server: Tokenizing) -> None:
    assert asked(server, "Be brief.", "Why is that so?") == Count(4, 16, 512)
    assert server.asked[0]["prompt"] == "Why is that so?"
    assert server.asked[0]["add_special_tokens"] is False


def test_a_model_without_a_template_counts_plain_text(server: Tokenizing) -> None:
    server.refuses = (400, "this model has no chat template")
    assert asked(server, "Once upon", "a time") == Count(2, 4, 512)


def test_a_template_that_refuses_leaves_the_drafts_own_count(server: Tokenizing) -> None:
    server.refuses = (400, "Conversation roles must alternate")
    told = asked(server, "a b", "c d e")
    assert told is not None
    assert (told.last, told.last_is_exact, told.whole_is_exact) == (3, True, False)


def test_long_texts_are_judged_by_pieces_and_no_megabytes_are_sent(server: Tokenizing) -> None:
    told = asked(server, "word " * MOST, "word " * LONG)
    assert told is not None
    assert (told.last_is_exact, told.whole_is_exact) == (False, False)
    assert told.last == pytest.approx(LONG, rel=0.1)
    assert sum(len(each["prompt"]) for each in server.asked) < LONG


def test_an_empty_draft_isnt_sent_by_itself(server: Tokenizing) -> None:
    assert asked(server, "Be brief.", "") == Count(0, 12, 512)
    assert [list(each) for each in server.asked if "prompt" in each] == []
    told = asked(server, "")
    assert told is not None
    assert told.last == 0


def test_a_server_that_isnt_there_cannot_tell(server: Tokenizing) -> None:
    endpoint = Endpoint(built_in()["vllm"], "http://127.0.0.1:9/v1", None)
    request = Request(Address("vllm", "smol"), (Turn("user", "a"),))
    assert count(endpoint, request, threading.Event()) is None
    assert estimate(request).last == 1
