import time
from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from qiao.workbench.address import Address
from qiao.workbench.answering import Answer
from qiao.workbench.conversation import Conversation, Message, TakeError, Timing, Usage
from qiao.workbench.conversation_file import dumps, loads
from qiao.workbench.sampling import Sampling
from qiao.workbench.seam import Event, Failed, Finished, Progress, Request, Started, Text, Thinking, Turn

REQUEST = Request(Address("local", "starter"), (Turn("user", "Hi"),), Sampling(seed=7))


def fed(*events: Event, prefix: str = "") -> Answer:
    answer = Answer(REQUEST, "hash", prefix)
    for event in events:
        answer.feed(event)
    return answer


def until_the_clock_moves() -> None:
    now = time.monotonic()
    while time.monotonic() == now:
        pass


def test_an_answer_becomes_a_take() -> None:
    sent = Sampling(seed=7, temperature=0.2)
    usage = Usage(prompt_tokens=3, completion_tokens=9, thinking_tokens=4)
    take = fed(
        Started("chat", sent, prompt_tokens=4),
        Thinking("Hm. ", 4),
        Text("Hel"),
        Text("lo.", 2),
        Finished("stop", usage),
    ).take()
    assert (take.text, take.thinking) == ("Hello.", "Hm. ")
    assert (take.model, take.seed, take.prompt_hash, take.finish) == ("local:starter", 7, "hash", "stop")
    assert take.sampling == sent
    assert take.usage == usage
    assert (take.error, take.prefix) == (None, None)
    assert take.created is not None
    assert timedelta(0) <= datetime.now(UTC) - take.created < timedelta(minutes=1)


def test_an_answer_is_the_same_take_whenever_it_is_asked_for() -> None:
    answer = fed(Text("x"), Finished("stop"))
    assert answer.take() == answer.take()


def test_it_tells_what_goes_on() -> None:
    answer = fed()
    assert answer.progress == Progress("starting")
    assert (answer.finish, answer.has_content) == (None, False)
    answer.feed(Progress("loading", 1, 2))
    assert answer.progress == Progress("loading", 1, 2)
    answer.feed(Started("chat", Sampling()))
    answer.feed(Progress("prefill", 5, 10))
    assert answer.progress == Progress("prefill", 5, 10)
    answer.feed(Thinking("a"))
    assert answer.progress is None
    assert answer.has_content
    answer.feed(Finished("length"))
    assert answer.finish == "length"


def test_one_that_broke_off_keeps_what_arrived_and_says_why() -> None:
    take = fed(
        Started("chat", Sampling(seed=7), prompt_tokens=4), Text("Half an"), Failed("engine_died", "It died.")
    ).take()
    assert take.text == "Half an"
    assert take.finish == "error"
    assert take.error == TakeError("engine_died", "It died.")
    assert take.usage == Usage(prompt_tokens=4, completion_tokens=1)


def test_one_that_never_began_is_a_take_too() -> None:
    take = fed(Failed("unknown_model", "No such model.")).take()
    assert (take.text, take.finish, take.seed) == ("", "error", 7)
    assert take.sampling == REQUEST.sampling


def test_going_on_from_a_text() -> None:
    answer = fed(Started("chat", Sampling()), prefix="Once ")
    assert not answer.has_content
    answer.feed(Text("upon"))
    assert answer.has_content
    take = answer.take()
    assert (take.text, take.prefix) == ("Once upon", 5)


def test_what_the_engine_did_not_measure_is_measured_here() -> None:
    answer = fed(Started("chat", Sampling()))
    until_the_clock_moves()
    answer.feed(Thinking("a"))
    until_the_clock_moves()
    answer.feed(Text("b"))
    until_the_clock_moves()
    answer.feed(Finished("stop", Usage(), Timing(tokens_per_second=9.0)))
    timing = answer.take().timing
    assert timing is not None
    assert timing.tokens_per_second == 9.0
    assert timing.first_token_ms is not None
    assert timing.first_answer_ms is not None
    assert timing.total_ms is not None
    assert 0 <= timing.first_token_ms <= timing.first_answer_ms <= timing.total_ms
    assert answer.take().usage == Usage(completion_tokens=2)


def test_time_spent_loading_does_not_count() -> None:
    answer = fed()
    begun = time.monotonic()
    while time.monotonic() - begun < 0.02:
        pass
    for event in (Started("chat", Sampling()), Text("a"), Finished("stop")):
        answer.feed(event)
    timing = answer.take().timing
    assert timing is not None
    assert timing.total_ms is not None
    assert timing.total_ms < (time.monotonic() - begun) * 1000 - 15


def test_a_single_token_has_no_rate() -> None:
    answer = fed(Started("chat", Sampling()), Text("a"))
    assert answer.tokens_per_second is None
    until_the_clock_moves()
    answer.feed(Text("b"))
    assert answer.tokens_per_second is not None


def test_the_rate_is_of_the_tokens_after_the_first() -> None:
    answer = fed(Started("chat", Sampling()), Text("a"))
    until_the_clock_moves()
    answer.feed(Text("bcd", 3))
    answer.feed(Finished("stop"))
    rate, take = answer.tokens_per_second, answer.take()
    assert rate is not None
    assert take.timing is not None
    total, first = take.timing.total_ms, take.timing.first_token_ms
    assert total is not None
    assert first is not None
    assert rate * (total - first) / 1000 == pytest.approx(3, abs=3 * 0.2 / max(total - first, 0.01))


def test_lone_surrogates_end_where_text_enters() -> None:
    answer = fed(Thinking("a\ud800"), Text("\udfffb"))
    assert (answer.thinking, answer.text) == ("a\ufffd", "\ufffdb")


def test_no_engine_can_make_a_file_unreadable() -> None:
    odd = Sampling(seed=7, temperature=0.5, top_k=-1, top_p=float("nan"), stop=("x",), extra={"a": None})
    timing = Timing(total_ms=float("inf"), tokens_per_second=float("nan"), first_token_ms=1.0)
    take = fed(Started("chat", odd), Text("kept"), Finished("stop", Usage(1, 1), timing)).take()
    assert take.text == "kept"
    assert take.sampling is not None
    assert (take.sampling.top_k, take.sampling.top_p, take.sampling.temperature) == (None, None, 0.5)
    assert take.timing == Timing(first_token_ms=1.0, first_answer_ms=take.timing and take.timing.first_answer_ms)
    message = Message(role="assistant").with_take(take)
    read = loads(dumps(Conversation(messages=(message,))), "x").conversation.messages[0].takes[0]
    assert read == msgspec.structs.replace(take, sampling=msgspec.structs.replace(take.sampling, extra={}))


def test_a_lone_surrogate_in_an_error_ends_where_it_enters() -> None:
    error = fed(Failed("server_error", "bad \ud800")).take().error
    assert error == TakeError("server_error", "bad \ufffd")
