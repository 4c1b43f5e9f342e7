"""What a client must survive: each ends in its time, in the right kind of failure, with what had arrived kept."""

import os
import socket
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from qiao.backends.remote import answering, retrying
from qiao.workbench.seam import Event, FailureKind, Progress, Started

from .conftest import MakeAsker
from .misbehaving import (
    Behaviour,
    Exchange,
    Server,
    breaks,
    delta,
    events,
    hangs,
    hangs_before_headers,
    hangs_up,
    replies,
    says,
    status,
    usage,
)

HALF = (delta("", role="assistant"), delta("Par"), delta("is"))
PAGE = b"<!DOCTYPE html><html><head><title>Sign in to the network</title></head><body>Hello</body></html>"

VLLM_TOO_LONG = {
    "error": {
        "message": "This model's maximum context length is 2048 tokens. However, your prompt contains at least 2049",
        "type": "BadRequestError",
        "param": "input_tokens",
        "code": 400,
    }
}
DASHSCOPE_TOO_LONG = {
    "error": {"code": "invalid_parameter_error", "message": "Range of input length should be [1, 129024]"},
    "request_id": "1",
}
OPENAI_TOO_LONG = {"error": {"message": "Too many tokens.", "type": "invalid", "code": "context_length_exceeded"}}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the server's wish, tries follow each other at once."""
    monkeypatch.setattr(retrying, "FIRST_SECONDS", 0.01)


MID_STREAM: dict[str, tuple[Behaviour, FailureKind, str]] = {
    "the connection ends": (breaks(*HALF), "cut_off", "ended in the middle"),
    "the connection is reset": (breaks(*HALF, reset=True), "cut_off", "ended in the middle"),
    "nothing more comes": (hangs(*HALF), "stalled", "Nothing came"),
    "only comments come": (hangs(*HALF, comment=b": keep-alive\n\n"), "stalled", "Nothing came"),
    "only empty chunks come": (hangs(*HALF, comment=b'data: {"choices":[]}\n\n'), "stalled", "Nothing came"),
    "an event is no JSON": (events(*HALF, b'data: {"choices": [}\n\n'), "bad_reply", '"choices": [}'),
    "an error": (
        events(*HALF, {"error": {"message": "EngineCore died", "type": "InternalServerError", "code": 500}}),
        "server_error",
        "EngineCore died",
    ),
    "an error without that word": (
        events(*HALF, {"code": "InternalError", "message": "Inner fault", "request_id": "1"}),
        "server_error",
        "Inner fault",
    ),
    "the filter speaks": (
        events(*HALF, {"code": "data_inspection_failed", "message": "Output data may be inappropriate"}),
        "content_refused",
        "may be inappropriate",
    ),
    "it ends without its end": (events(*HALF, done=False), "cut_off", "without its end"),
    "the server gives up": (
        events(*HALF, delta(finish="insufficient_system_resource")),
        "server_error",
        "insufficient_system_resource",
    ),
    "it is aborted": (events(*HALF, delta(finish="abort")), "server_error", "abort"),
}


@pytest.mark.parametrize("case", MID_STREAM)
def test_what_had_arrived_is_kept(asker: MakeAsker, case: str) -> None:
    behaviour, kind, said = MID_STREAM[case]
    begun = time.monotonic()
    answered = asker(behaviour, **({"stall_seconds": 0.4} if kind == "stalled" else {}))()
    assert answered.text == "Paris"
    assert answered.failed.kind == kind
    assert said in answered.failed.message
    assert time.monotonic() - begun < 10


REFUSALS: dict[str, tuple[Behaviour, FailureKind, str]] = {
    "vLLM's wrong key": (status(401, {"error": "Unauthorized"}), "key_refused", "Unauthorized"),
    "OpenAI's wrong key": (
        status(401, {"error": {"message": "Incorrect API key provided", "code": "invalid_api_key"}}),
        "key_refused",
        "from the environment: Incorrect API key",
    ),
    "a bare string": (status(401, "Invalid token"), "key_refused", "Invalid token"),
    "ModelScope's": (
        status(401, {"errors": {"message": "please bind your alibaba cloud account"}, "request_id": "1"}),
        "key_refused",
        "please bind",
    ),
    "DeepSeek's balance": (status(402, {"error": {"message": "Insufficient Balance"}}), "no_credit", "Balance"),
    "SiliconFlow's balance": (
        status(403, {"code": 30001, "message": "Sorry, your account balance is insufficient", "data": None}),
        "no_credit",
        "insufficient",
    ),
    "OpenAI's quota": (
        status(429, {"error": {"message": "You exceeded your current quota", "code": "insufficient_quota"}}),
        "no_credit",
        "quota",
    ),
    "a key without that right": (status(403, {"error": {"message": "No access"}}), "key_refused", "No access"),
    "vLLM's context": (status(400, VLLM_TOO_LONG), "context_too_long", "2048"),
    "DashScope's context": (status(400, DASHSCOPE_TOO_LONG), "context_too_long", "129024"),
    "OpenAI's context": (status(400, OPENAI_TOO_LONG), "context_too_long", "Too many tokens"),
    "vLLM's unknown model": (
        status(404, {"error": {"message": "The model `nope` does not exist.", "type": "NotFoundError", "code": 404}}),
        "unknown_model",
        "qiao models",
    ),
    "SiliconFlow's unknown model": (
        status(400, {"code": 20012, "message": "Model does not exist. Please check it carefully.", "data": None}),
        "unknown_model",
        "does not exist",
    ),
    "a wrong path": (status(404, {"detail": "Not Found"}), "bad_reply", "base_url"),
    "a wrong path, as a page": (status(404, PAGE), "bad_reply", "base_url"),
    "FastAPI's validation": (
        status(422, {"detail": [{"loc": ["body", "temperature"], "msg": "Input should be less than 2"}]}),
        "invalid_request",
        "less than 2",
    ),
    "the filter": (
        status(400, {"error": {"code": "data_inspection_failed", "message": "Input data may be inappropriate"}}),
        "content_refused",
        "inappropriate",
    ),
    "a queue that is too long": (
        status(429, headers={"Retry-After": "3600"}),
        "rate_limited",
        "Try again later. It asks to wait 60 min.",
    ),
    "a login page": (replies(PAGE), "bad_reply", "Sign in to the network"),
    "an error with status 200": (
        replies(b'{"error": {"message": "model overloaded", "type": "server_error"}}', "application/json"),
        "server_error",
        "overloaded",
    ),
    "nothing at all": (replies(b"", "text/event-stream"), "bad_reply", "empty reply"),
    "a stream without an event": (events(done=False), "bad_reply", "empty reply"),
    "a page for trouble": (status(502, b"<html><h1>Bad gateway</h1></html>"), "server_error", "Bad gateway"),
    "trouble without a word": (status(503, b""), "server_error", "503"),
    "brackets without end": (status(500, b"[" * 100_000), "server_error", "[[["),
    "nothing, far down": (status(500, b"[" * 700 + b"]" * 700), "server_error", "500"),
    "an event that is nested without end": (events(b"data: " + b"[" * 100_000 + b"\n\n"), "bad_reply", "[[["),
    "no memory": (status(500, {"error": {"message": "CUDA out of memory."}}), "out_of_memory", "CUDA out of memory"),
    "a hang before the headers": (hangs_before_headers(), "stalled", "didn't begin"),
    "a hang after the headers": (hangs(comment=b": processing\n\n"), "stalled", "didn't begin"),
    "hanging up": (hangs_up, "cut_off", "without an answer"),
    "hanging up after the headers": (breaks(), "cut_off", "ended in the middle"),
}


@pytest.mark.parametrize("case", REFUSALS)
def test_why_no_answer_begins(asker: MakeAsker, case: str) -> None:
    behaviour, kind, said = REFUSALS[case]
    begun = time.monotonic()
    patience = {"first_seconds": 0.4} if kind == "stalled" else {}
    like = "siliconflow" if "SiliconFlow" in case else "vllm"
    answered = asker(behaviour, like=like, key="sk-secret-123456", **patience)()
    assert (answered.text, answered.thinking) == ("", "")
    assert answered.failed.kind == kind
    assert said in answered.failed.message
    assert "\n" not in answered.failed.message
    assert time.monotonic() - begun < 10


def test_a_key_that_the_server_quotes_is_not_shown(asker: MakeAsker) -> None:
    key = "sk-1234567890abcdef"
    ask = asker(status(401, {"error": {"message": f"Incorrect API key provided: {key}."}}), key=key)
    answered = ask()
    assert ask.keys.forgotten
    assert key not in answered.failed.message
    assert "provided: •••" in answered.failed.message


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("key sk-12345 wrong", "key ••• wrong"),
        ("key 90abcdef wrong", "key ••• wrong"),
        ("key sk-1234567890abcde…", "key •••…"),
        ("key sk-12345****90abcdef wrong", "key •••****••• wrong"),
        ("key sk-1**ef wrong", "key sk-1**ef wrong"),
    ],
)
def test_a_piece_of_the_key_that_the_server_quotes_is_not_shown(asker: MakeAsker, said: str, shown: str) -> None:
    ask = asker(status(401, {"error": {"message": said}}), key="sk-1234567890abcdef")
    assert shown in ask().failed.message


def test_without_a_key_a_refused_one_is_a_missing_one(asker: MakeAsker) -> None:
    failed = asker(status(401, {"error": "Unauthorized"}), key_env=("MY_KEY",))().failed
    assert failed.kind == "no_key"
    assert "Set MY_KEY" in failed.message


def test_a_provider_that_needs_a_key_is_not_asked_without_one(asker: MakeAsker) -> None:
    ask = asker(like="bailian", needs_key=True)
    failed = ask().failed
    assert failed.kind == "no_key"
    assert "DASHSCOPE_API_KEY" in failed.message
    assert not ask.server.received


def test_control_codes_and_endless_words_of_a_server_are_tamed(asker: MakeAsker) -> None:
    message = asker(status(400, {"error": {"message": "\x1b[31mred\nand " + "long " * 500}}))().failed.message
    assert "\x1b" not in message
    assert "␛[31mred and long" in message
    assert len(message) < 500


def retries(events: Sequence[Event]) -> list[Progress]:
    return [event for event in events if isinstance(event, Progress) and event.stage == "retrying"]


def test_too_many_requests_are_counted_down_and_tried_again(asker: MakeAsker) -> None:
    begun = time.monotonic()
    answered = asker(status(429, headers={"Retry-After": "2"}), says("Paris."), first_seconds=0.7)()
    assert answered.text == "Paris."
    assert time.monotonic() - begun >= 1.9
    counted = retries(answered.events)
    assert [(progress.done, progress.total) for progress in counted] == [(0, 2), (1, 2)]
    assert counted[0].note == "too many requests, try 2 of 5"


def test_a_date_to_try_again_at_is_heeded() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
    wanted = retrying.wanted_seconds({"retry-after": soon})
    assert wanted is not None
    assert 27 < wanted <= 30
    assert retrying.wanted_seconds({"retry-after-ms": "1500"}) == 1.5
    assert retrying.wanted_seconds({"retry-after": "soon"}) is None
    assert retrying.wanted_seconds({}) is None


def test_passing_trouble_is_tried_again_with_growing_waits(asker: MakeAsker) -> None:
    ask = asker(status(503), status(500, b"<h1>Oops</h1>"), breaks(delta("", role="assistant")), says("Paris."))
    answered = ask()
    assert answered.text == "Paris."
    assert len(ask.server.received) == 4
    assert "the server has trouble, try 2 of 5" in [progress.note for progress in retries(answered.events)]


def test_lasting_trouble_ends_after_five_tries(asker: MakeAsker) -> None:
    ask = asker(status(503))
    assert ask().failed.kind == "server_error"
    assert len(ask.server.received) == retrying.MOST_TRIES


def test_nothing_is_asked_twice_once_something_has_arrived(asker: MakeAsker) -> None:
    ask = asker(breaks(delta("Par")), says("Paris."))
    assert ask().text == "Par"
    assert len(ask.server.received) == 1


def test_a_connection_that_grew_stale_is_made_anew_without_a_word(asker: MakeAsker, server: Server) -> None:
    ask = asker(says("One."), hangs_up, says("Two."))
    assert ask().text == "One."
    again = ask()
    assert again.text == "Two."
    assert not retries(again.events)


def test_a_connection_that_the_server_dropped_is_made_anew(asker: MakeAsker, server: Server) -> None:
    ask = asker(says("One."), says("Two."))
    assert ask().text == "One."
    server.drop()
    assert ask().text == "Two."


def test_a_server_that_goes_away_while_it_streams_is_told_of(
    asker: MakeAsker, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As vLLM does when it is ended: it takes no connection any more, and keeps its streams open without a word."""
    monkeypatch.setattr(answering, "PROBE_SECONDS", 0.2)
    still = hangs(delta("Par"))

    def ends(exchange: Exchange) -> None:
        server.stop_listening()
        still(exchange)

    answered = asker(ends)()
    assert answered.text == "Par"
    assert answered.failed.kind == "engine_died"
    assert "went away" in answered.failed.message


def test_a_server_that_is_well_and_says_nothing_has_stalled_all_the_same(
    asker: MakeAsker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "PROBE_SECONDS", 0.1)
    answered = asker(hangs(delta("Par")), stall_seconds=0.4)()
    assert answered.failed.kind == "stalled"
    stages = [event.stage for event in answered.events if isinstance(event, Progress)]
    assert stages.count("waiting") == 1


def test_an_engine_that_died_behind_its_server_is_told_of(
    asker: MakeAsker, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answering, "PROBE_SECONDS", 0.2)
    server.healthy = False
    answered = asker(hangs(delta("Par")))()
    assert answered.text == "Par"
    assert answered.failed.kind == "engine_died"
    assert "went away" in answered.failed.message


@pytest.mark.parametrize(("like", "sent"), [("vllm", False), ("openai", True)])
def test_an_organization_is_told_to_nobody_else(
    asker: MakeAsker, monkeypatch: pytest.MonkeyPatch, like: str, sent: bool
) -> None:
    monkeypatch.setenv("OPENAI_ORG_ID", "org-mine")
    ask = asker(like=like)
    ask()
    assert (ask.server.received[0].headers.get("openai-organization") == "org-mine") is sent


def test_nobody_there(asker: MakeAsker) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    failed = asker(base_url=f"http://127.0.0.1:{port}/v1")().failed
    assert failed.kind == "unreachable"
    assert f"No server answers at http://127.0.0.1:{port}/v1" in failed.message


def test_a_host_that_nobody_knows(asker: MakeAsker) -> None:
    failed = asker(base_url="https://no-such-host.invalid/v1")().failed
    assert failed.kind == "unreachable"
    assert "no host no-such-host.invalid" in failed.message


def test_a_server_that_speaks_no_http(asker: MakeAsker, server: Server) -> None:
    failed = asker(base_url=f"https://127.0.0.1:{server.port}/v1")().failed
    assert failed.kind == "unreachable"
    assert "isn't secure" in failed.message


def test_this_machine_is_reached_past_any_proxy(asker: MakeAsker, monkeypatch: pytest.MonkeyPatch) -> None:
    ask = asker(says("Here."))
    for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert ask().text == "Here."


@pytest.mark.parametrize(
    ("proxy", "said"), [("socks5://127.0.0.1:9", "socksio"), ("socks://me:secret@127.0.0.1:9", "can't be used")]
)
def test_a_proxy_that_cannot_be_used_is_named(
    asker: MakeAsker, monkeypatch: pytest.MonkeyPatch, proxy: str, said: str
) -> None:
    ask = asker(base_url="https://api.example.com/v1")
    monkeypatch.setenv("ALL_PROXY", proxy)
    failed = ask().failed
    assert failed.kind == "unreachable"
    assert said in failed.message
    assert "secret" not in failed.message


def test_a_proxy_that_is_not_there_is_told(asker: MakeAsker, monkeypatch: pytest.MonkeyPatch) -> None:
    ask = asker(base_url="https://api.example.com/v1")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    assert ask().failed.kind == "unreachable"


def test_a_key_that_no_header_can_hold(asker: MakeAsker) -> None:
    failed = asker(key="sk-密钥")().failed
    assert failed.kind == "key_refused"
    assert "密钥" not in failed.message


def test_nothing_is_written_to_the_terminal(asker: MakeAsker, capfd: pytest.CaptureFixture[str]) -> None:
    ask = asker(says("x"), breaks(delta("x")), status(500, b"<h1>Oops</h1>"), hangs_up, replies(PAGE), says("y"))
    for _ in range(5):
        ask()
    os.sync()
    assert capfd.readouterr() == ("", "")


def test_started_tells_what_is_sent_each_time(asker: MakeAsker) -> None:
    answered = asker(status(503), says("Paris."))()
    assert len([event for event in answered.events if isinstance(event, Started)]) == 2


def test_counts_may_follow_the_end(asker: MakeAsker) -> None:
    assert asker(events(delta("x"), delta(finish="stop"), usage(5, 1), done=False))().finished.usage.prompt_tokens == 5
