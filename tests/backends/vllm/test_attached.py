"""A real vLLM server that was started by somebody else: all that Qiao asks of it."""

import threading
import time
from collections.abc import Callable, Iterator

import pytest

from qiao.backends.registry import Backends
from qiao.backends.vllm.metrics import parse
from qiao.backends.vllm.plain_http import get
from qiao.workbench.address import Address
from qiao.workbench.errors import QiaoError, Refused
from qiao.workbench.sampling import Sampling
from qiao.workbench.seam import Event, Failed, Finished, Request, Started, Text, Thinking, Turn

from .conftest import KEY, SERVED, Attached

pytestmark = [pytest.mark.vllm, pytest.mark.timeout(1200)]

MODEL = Address("box", SERVED)
CAPITAL = (Turn("user", "What is the capital of France?"),)
STORY = (Turn("user", "Tell me a long story about a ship."),)


@pytest.fixture
def backends(attached: Attached, monkeypatch: pytest.MonkeyPatch) -> Iterator[Backends]:
    monkeypatch.setenv("BOX_KEY", KEY)
    made = Backends(attached.config())
    yield made
    made.close()


def request(
    turns: tuple[Turn, ...] = CAPITAL, address: Address = MODEL, *, continue_last: bool = False, **sampling: object
) -> Request:
    sampled = Sampling(**{"temperature": 0.0, "max_tokens": 24, **sampling})  # pyright: ignore[reportArgumentType]
    return Request(address, turns, sampled, continue_last)


def ask(backends: Backends, asked: Request) -> list[Event]:
    return list(backends.generate(asked, threading.Event()))


def text(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Text))


def thinking(events: list[Event]) -> str:
    return "".join(event.text for event in events if isinstance(event, Thinking))


def finished(events: list[Event]) -> Finished:
    assert isinstance(events[-1], Finished), events[-1]
    return events[-1]


def failed(events: list[Event]) -> Failed:
    assert isinstance(events[-1], Failed), events[-1]
    return events[-1]


def running(attached: Attached) -> int | None:
    return parse(get(f"{attached.root_url}/metrics")).running


def until(true: Callable[[], bool], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_its_models_are_listed_with_their_context(backends: Backends) -> None:
    backends.refresh("box", threading.Event())
    models = {str(model.address): model for model in backends.models() if model.address.provider == "box"}
    assert set(models) == {f"box:{SERVED}", "box:alias"}
    assert models[f"box:{SERVED}"].context_length == 2048


def test_with_thinking_off_it_answers(backends: Backends) -> None:
    events = ask(backends, request(thinking=False))
    assert "Paris" in text(events)
    assert not thinking(events)
    end = finished(events)
    assert end.usage.prompt_tokens
    assert end.usage.completion_tokens
    assert end.timing.first_token_ms
    (started,) = [event for event in events if isinstance(event, Started)]
    assert started.mode == "chat"
    assert started.sampling.thinking is False


def test_with_thinking_on_it_thinks(backends: Backends) -> None:
    events = ask(backends, request(thinking=True, max_tokens=12))
    assert thinking(events)
    assert not text(events)
    assert finished(events).reason in ("length", "stop")


def test_the_same_seed_gives_the_same_text(backends: Backends) -> None:
    asked = request(STORY, thinking=False, temperature=1.0, seed=7, max_tokens=12)
    assert text(ask(backends, asked)) == text(ask(backends, asked))


def test_it_goes_on_from_a_text(backends: Backends) -> None:
    turns = (*CAPITAL, Turn("assistant", "The capital of France is"))
    events = ask(backends, request(turns, continue_last=True, thinking=False, max_tokens=4))
    assert text(events).lstrip().startswith("Paris")


def test_it_tells_how_likely_each_token_was(backends: Backends) -> None:
    events = ask(backends, request(thinking=False, logprobs=3, max_tokens=6))
    chances = [token for event in events if isinstance(event, Text) for token in event.chances]
    assert "".join(token.text for token in chances).strip() == text(events).strip() != ""
    assert all(len(token.alternatives) == 3 and token.logprob <= 0 for token in chances)


def test_what_is_cached_is_told(backends: Backends) -> None:
    long = (Turn("user", "One fish, two fish. " * 60), *CAPITAL)
    ask(backends, request(long, max_tokens=1))
    assert (finished(ask(backends, request(long, max_tokens=1))).usage.cached_tokens or 0) >= 128


def test_stopped_midway_it_computes_no_more(backends: Backends, attached: Attached) -> None:
    stop = threading.Event()
    stream = backends.generate(request(STORY, thinking=False, max_tokens=1500), stop)
    for event in stream:
        if isinstance(event, Text):
            break
    assert running(attached) == 1
    stop.set()
    begun = time.monotonic()
    *_, last = stream
    assert isinstance(last, Finished)
    assert last.reason == "cancelled"
    until(lambda: running(attached) == 0, 1.0 - (time.monotonic() - begun))


def test_a_wrong_key_is_refused_and_not_shown(attached: Attached, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BOX_KEY", "a-wrong-key-entirely")
    backends = Backends(attached.config())
    try:
        end = failed(ask(backends, request()))
    finally:
        backends.close()
    assert end.kind == "key_refused"
    assert "a-wrong-key-entirely" not in end.message


def test_an_unknown_model_is_named(backends: Backends) -> None:
    end = failed(ask(backends, request(address=Address("box", "nope"))))
    assert end.kind == "unknown_model"
    assert "nope" in end.message
    with pytest.raises(Refused, match="nope"):
        backends.prompt(request(address=Address("box", "nope")), threading.Event())


def test_a_prompt_that_is_too_long_is_refused(backends: Backends) -> None:
    end = failed(ask(backends, request((Turn("user", "fish " * 3000),))))
    assert end.kind == "context_too_long"


def test_the_exact_prompt_with_its_special_tokens(backends: Backends) -> None:
    off = backends.prompt(request((Turn("user", "Hi 敲 😀"),), thinking=False), threading.Event())
    assert off.text == ("<|im_start|>user\nHi 敲 😀<|im_end|>\n<|im_start|>assistant\n<think>\n\n</think>\n\n")
    assert [piece.text for piece in off.pieces if piece.special][:3] == ["<|im_start|>", "<|im_end|>", "<|im_start|>"]
    assert off.context_length == 2048
    on = backends.prompt(request((Turn("user", "Hi 敲 😀"),), thinking=True), threading.Event())
    assert on.text.endswith("<|im_start|>assistant\n<think>\n")


def test_the_exact_prompt_is_as_long_as_the_server_counts(backends: Backends) -> None:
    asked = request((*CAPITAL, Turn("assistant", "The capital of")), continue_last=True, thinking=False, max_tokens=1)
    prompt = backends.prompt(asked, threading.Event())
    assert prompt.text.endswith("assistant\nThe capital of")
    texts = [prompt.text[share.start : share.end] for share in prompt.shares]
    assert texts == [turn.text for turn in asked.messages]
    assert 0 < sum(share.tokens for share in prompt.shares) < prompt.tokens
    assert finished(ask(backends, asked)).usage.prompt_tokens == prompt.tokens


def test_a_stop_ends_the_question_for_the_prompt(backends: Backends) -> None:
    stop = threading.Event()
    stop.set()
    with pytest.raises(QiaoError):
        backends.prompt(request(), stop)


def test_a_server_that_answered_is_watched_while_somebody_looks(backends: Backends) -> None:
    assert backends.server_loads() == ()
    stop = threading.Event()
    stream = backends.generate(request(STORY, thinking=False, max_tokens=400), stop)
    seen: list[float] = []
    for event in stream:
        loads = backends.server_loads()
        if isinstance(event, Text) and loads and loads[0].load.running and loads[0].load.tokens_per_second:
            seen.append(loads[0].load.tokens_per_second)
            stop.set()
    assert seen
    assert seen[0] > 1
    (load,) = backends.server_loads()
    assert (load.title, load.reached) == ("box", True)
