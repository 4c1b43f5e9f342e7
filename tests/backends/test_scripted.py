import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qiao.backends.scripted import ScriptedBackend, tokens
from qiao.workbench.address import Address
from qiao.workbench.answering import Answer
from qiao.workbench.sampling import Sampling
from qiao.workbench.seam import Backend, Event, Failed, Finished, Progress, Request, Started, Text, Thinking, Turn

from ..patience import PATIENCE_S

ADDRESS = Address("scripted", "echo")
REQUEST = Request(ADDRESS, (Turn("user", "Where is my parcel?"),), Sampling(seed=7))


def events(backend: ScriptedBackend, request: Request = REQUEST) -> list[Event]:
    return list(backend.generate(request, threading.Event()))


def text_of(given: list[Event]) -> str:
    return "".join(event.text for event in given if isinstance(event, Text))


@given(st.text())
def test_pieces_are_the_text(text: str) -> None:
    assert "".join(tokens(text)) == text


def test_pieces_are_about_a_token_each() -> None:
    assert tokens("Unbelievable, isn't it?\n\n你好，世界 3.14") == [
        "Unbeli", "evable", ",", " isn", "'", "t", " it", "?", "\n\n你", "好", "，", "世", "界", " 3", ".", "14",
    ]  # fmt: skip


def test_an_answer_streams_and_makes_a_take() -> None:
    backend: Backend = ScriptedBackend()
    assert isinstance(backend, ScriptedBackend)
    backend.enqueue("It is on its way.", thinking="They ask for a parcel.")
    answer = Answer(REQUEST, "hash")
    given = events(backend)
    for event in given:
        answer.feed(event)
    take = answer.take()
    assert isinstance(given[0], Started)
    assert given[0].sampling.temperature == 1.0
    assert (take.text, take.thinking, take.finish, take.seed) == (
        "It is on its way.", "They ask for a parcel.", "stop", 7,
    )  # fmt: skip
    assert take.usage is not None
    assert take.usage.completion_tokens == len([e for e in given if isinstance(e, Text | Thinking)])
    assert take.usage.prompt_tokens == backend.prompt(REQUEST, threading.Event()).tokens
    assert backend.requests == [REQUEST]


def test_answers_come_in_order_and_then_fail_or_default() -> None:
    backend = ScriptedBackend()
    backend.enqueue("one")
    backend.enqueue("two", finish="length")
    assert text_of(events(backend)) == "one"
    ended = events(backend)[-1]
    assert isinstance(ended, Finished)
    assert ended.reason == "length"
    (failed,) = events(backend)
    assert isinstance(failed, Failed)
    assert text_of(events(ScriptedBackend(default="always"))) == "always"


def test_it_breaks_off_as_told() -> None:
    backend = ScriptedBackend()
    backend.enqueue("So far", fail="engine_died", message="The engine died.")
    backend.enqueue("", fail="context_too_long")
    given = events(backend)
    assert text_of(given) == "So far"
    assert given[-1] == Failed("engine_died", "The engine died.")
    assert events(backend) == [Failed("context_too_long", "context_too_long")]


def test_events_are_given_as_they_are() -> None:
    backend = ScriptedBackend()
    script: list[Event] = [
        Progress("loading", 1, 2),
        Started("chat", Sampling()),
        Text("hi"),
        Failed("engine_died", "x"),
    ]
    backend.enqueue(script)
    assert events(backend) == script


def test_a_stop_is_honoured_at_once_in_a_delay_and_in_a_hold() -> None:
    backend = ScriptedBackend()
    backend.enqueue("one two three", delay_ms=60_000)
    backend.enqueue("one two three", hold=threading.Event())
    for expected in ("", "one"):
        stop = threading.Event()
        running = backend.generate(REQUEST, stop)
        given = [next(running)]
        if expected:
            given.append(next(running))
        with ThreadPoolExecutor(1) as pool:
            rest = pool.submit(list[Event], running)
            stop.set()
            given += rest.result(timeout=PATIENCE_S)
        assert text_of(given) == expected
        assert isinstance(given[-1], Finished)
        assert given[-1].reason == "cancelled"
        assert given[-1].usage.completion_tokens == len(expected) // 3


def test_a_hold_lets_go_when_told() -> None:
    backend, hold = ScriptedBackend(), threading.Event()
    backend.enqueue("one two", hold=hold)
    running = backend.generate(REQUEST, threading.Event())
    assert isinstance(next(running), Started)
    assert next(running) == Text("one")
    hold.set()
    assert next(running) == Text(" two")


@pytest.mark.parametrize("continues", [False, True])
def test_the_prompt_is_chatml(continues: bool) -> None:
    turns = (Turn("user", "Hi"), Turn("assistant", "He"))
    prompt = ScriptedBackend().prompt(Request(ADDRESS, turns, continue_last=continues), threading.Event())
    start = "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nHe"
    assert prompt.text == start + ("" if continues else "<|im_end|>\n<|im_start|>assistant\n")
    assert prompt.mode == "chat"
    assert {piece.text for piece in prompt.pieces if piece.special} == {"<|im_start|>", "<|im_end|>"}
    base = ScriptedBackend(kind="base").prompt(Request(ADDRESS, turns), threading.Event())
    assert (base.mode, base.text) == ("completion", "Hi\n\nHe")


def test_models_are_loaded_and_unloaded() -> None:
    backend = ScriptedBackend(["a", "b"], kind="reasoning", default="x")
    events(backend, Request(Address("scripted", "b"), REQUEST.messages))
    assert [(str(m.address), m.state, m.kind) for m in backend.models()] == [
        ("scripted:a", "on_disk", "reasoning"),
        ("scripted:b", "loaded", "reasoning"),
    ]
    backend.unload(Address("scripted", "b"))
    assert {model.state for model in backend.models()} == {"on_disk"}
    backend.close()
    assert backend.closed
