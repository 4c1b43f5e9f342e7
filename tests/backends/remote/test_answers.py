"""Answers that go well: what is sent, and what comes out of every shape in which servers answer."""

import math
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from qiao.workbench.sampling import Sampling
from qiao.workbench.seam import Alternative, Progress, Text, Thinking, Token, Turn

from .conftest import MakeAsker
from .misbehaving import MODEL, Behaviour, Exchange, breaks, completes, delta, events, replies, says, status, usage

STOP = delta(finish="stop")


def test_an_answer_streams_with_its_counts_and_times(asker: MakeAsker) -> None:
    ask = asker(says("Par", "is", ".", pause=0.02))
    answered = ask(Sampling(temperature=0.5, seed=3))
    assert answered.text == "Paris."
    assert [event.text for event in answered.events if isinstance(event, Text)] == ["Par", "is", "."]
    assert [event.stage for event in answered.events if isinstance(event, Progress)][-2:] == ["connecting", "waiting"]
    assert answered.started.sampling == Sampling(temperature=0.5, seed=3)
    finished = answered.finished
    assert (finished.reason, finished.usage.prompt_tokens, finished.usage.completion_tokens) == ("stop", 7, 3)
    timing = finished.timing
    assert timing.first_token_ms
    assert timing.total_ms
    assert 0 < timing.first_token_ms < timing.total_ms
    assert timing.tokens_per_second == pytest.approx(2000 / (timing.total_ms - timing.first_token_ms), rel=0.05)


def sent(
    asker: MakeAsker, sampling: Sampling, like: str = "vllm", model: str = MODEL, **changes: object
) -> dict[str, Any]:
    """What was sent beside the model, the messages and the streaming itself."""
    ask = asker(like=like)
    ask(sampling, model=model)
    body = ask.server.received[-1].body
    assert (body.pop("model"), body.pop("stream"), body.pop("stream_options")) == (model, True, {"include_usage": True})
    assert body.pop("messages") == [{"role": "user", "content": "Capital of France?"}]
    return body


def test_only_what_is_set_is_sent(asker: MakeAsker) -> None:
    assert sent(asker, Sampling()) == {}
    everything = Sampling(
        temperature=0.0,
        top_p=0.9,
        top_k=5,
        min_p=0.1,
        max_tokens=9,
        stop=("\n", "。"),
        seed=7,
        repetition_penalty=1.1,
        presence_penalty=0.5,
        frequency_penalty=-0.5,
        n=4,
        logprobs=2,
        thinking=True,
        thinking_budget=100,
        extra={"chat_template_kwargs": {"mine": 1}, "structured_outputs": {"choice": ["a", "b"]}},
    )
    assert sent(asker, everything) == {
        "temperature": 0.0,
        "top_p": 0.9,
        "top_k": 5,
        "min_p": 0.1,
        "max_tokens": 9,
        "stop": ["\n", "。"],
        "seed": 7,
        "repetition_penalty": 1.1,
        "presence_penalty": 0.5,
        "frequency_penalty": -0.5,
        "logprobs": True,
        "top_logprobs": 2,
        "chat_template_kwargs": {"enable_thinking": True, "thinking": True, "mine": 1},
        "thinking_token_budget": 100,
        "structured_outputs": {"choice": ["a", "b"]},
    }


@pytest.mark.parametrize(
    ("like", "on", "off"),
    [
        ("bailian", {"enable_thinking": True, "thinking_budget": 200}, {"enable_thinking": False}),
        ("siliconflow", {"enable_thinking": True, "thinking_budget": 200}, {"enable_thinking": False}),
        ("modelscope", {"enable_thinking": True}, {"enable_thinking": False}),
        ("deepseek", {"thinking": {"type": "enabled"}}, {"thinking": {"type": "disabled"}}),
        ("ollama", {"reasoning_effort": "medium"}, {"reasoning_effort": "none"}),
        ("openai", {}, {}),
    ],
)
def test_thinking_is_switched_in_each_ones_way(asker: MakeAsker, like: str, on: object, off: object) -> None:
    assert sent(asker, Sampling(thinking=True, thinking_budget=200), like) == on
    assert sent(asker, Sampling(thinking=False), like) == off


def test_what_a_provider_does_not_heed_is_told_and_not_sent(asker: MakeAsker) -> None:
    sampling = Sampling(temperature=1.0, seed=3, top_k=5, min_p=0.1, max_tokens=9, thinking_budget=50)
    assert sent(asker, sampling, "siliconflow") == {
        "temperature": 1.0,
        "top_k": 5,
        "max_tokens": 9,
        "thinking_budget": 50,
    }
    ask = asker(like="siliconflow")
    told = ask.unheeded(sampling)
    assert set(told) == {"seed", "min_p", "thinking_budget"}
    assert "128 to 32768" in told["thinking_budget"]
    assert ask(sampling).started.sampling.seed is None
    assert set(ask.unheeded(sampling, model="Qwen/Qwen3-8B")) == {"seed", "thinking_budget"}
    assert sent(asker, Sampling(max_tokens=5), "openai") == {"max_completion_tokens": 5}
    thinks = Sampling(temperature=1.0)
    assert set(asker(like="deepseek").unheeded(thinks)) == {"temperature"}
    assert not asker(like="deepseek").unheeded(Sampling(temperature=1.0, thinking=False))
    assert set(asker().unheeded(Sampling(extra={"guided_choice": ["a"], "min_tokens": 3}))) == {"guided_choice"}


@pytest.mark.parametrize("name", ["messages", "model", "stream", "n"])
def test_extra_cannot_ask_for_something_else(asker: MakeAsker, name: str) -> None:
    ask = asker()
    failed = ask(Sampling(extra={name: 2})).failed
    assert failed.kind == "invalid_request"
    assert name in failed.message
    assert not ask.server.received


def test_the_key_and_the_messages_are_sent_as_they_are(asker: MakeAsker) -> None:
    ask = asker(key="sk-12345678")
    ask(
        messages=(
            Turn("system", "简短。"),
            Turn("user", "a\ud83d\ude00b\ud83d"),
            Turn("assistant", ""),
            Turn("user", "?"),
        )
    )
    received = ask.server.received[0]
    assert received.headers["authorization"] == "Bearer sk-12345678"
    assert [message["content"] for message in received.body["messages"]] == ["简短。", "a😀b\ufffd", "", "?"]


CONTINUED = (Turn("user", "Capital?"), Turn("assistant", "It is Pa"))


def test_an_answer_goes_on_in_each_ones_way(asker: MakeAsker) -> None:
    ask = asker(says("ris."))
    assert ask(messages=CONTINUED, continue_last=True).text == "ris."
    body = ask.server.received[-1].body
    assert (body["add_generation_prompt"], body["continue_final_message"]) == (False, True)
    asker(like="bailian")(messages=CONTINUED, continue_last=True)
    body = ask.server.received[-1].body
    assert body["messages"][-1] == {"role": "assistant", "content": "It is Pa", "partial": True}
    assert body["enable_thinking"] is False
    beta = asker(like="deepseek")
    url = ask.server.url.replace("/v1", "/beta")
    way = beta.backend.provider.continues
    assert way is not None
    assert way.base_url == "https://api.deepseek.com/beta"
    again = asker(like="deepseek", continues=type(way)(message=way.message, base_url=url))
    again(messages=CONTINUED, continue_last=True)
    assert ask.server.received[-1].path == "/beta/chat/completions"
    assert ask.server.received[-1].body["messages"][-1]["prefix"] is True


def test_a_provider_that_cannot_go_on_says_so(asker: MakeAsker) -> None:
    ask = asker(like="openai")
    failed = ask(messages=CONTINUED, continue_last=True).failed
    assert failed.kind == "invalid_request"
    assert "can't go on" in failed.message
    assert not ask.server.received


def test_going_on_from_nothing_is_answering(asker: MakeAsker) -> None:
    ask = asker(like="openai")
    ask(messages=(Turn("user", "Capital?"), Turn("assistant", "")), continue_last=True)
    assert len(ask.server.received[0].body["messages"]) == 1


def test_a_model_without_a_template_gets_plain_completion(asker: MakeAsker) -> None:
    refusal = {
        "error": {"message": "As of transformers v4.44, default chat template is no longer allowed", "code": 400}
    }
    ask = asker(status(400, refusal), completes(" Paris", "."))
    answered = ask(Sampling(logprobs=1, max_tokens=5), messages=(Turn("user", "The capital of France is"),))
    assert answered.text == " Paris."
    chat, completion = ask.server.received
    assert chat.path == "/v1/chat/completions"
    assert completion.path == "/v1/completions"
    assert completion.body["prompt"] == "The capital of France is"
    assert completion.body["logprobs"] == 1
    assert [event.mode for event in answered.events if hasattr(event, "mode")] == ["chat", "completion"]  # type: ignore[union-attr]
    assert ask().text == " Paris."
    assert ask.server.received[-1].path == "/v1/completions"
    assert set(ask.unheeded(Sampling(thinking=True))) == {"thinking"}
    ask.backend.refresh(threading.Event())
    assert [model.kind for model in ask.backend.models()] == ["base"]


def test_a_server_that_knows_no_token_counts_is_asked_without(asker: MakeAsker) -> None:
    refusal = {"error": {"message": "Unrecognized request argument supplied: stream_options"}}
    ask = asker(status(400, refusal), says("Paris."))
    assert ask().text == "Paris."
    assert ask().text == "Paris."
    assert ["stream_options" in received.body for received in ask.server.received] == [True, False, False]


def test_many_answers_at_once_stay_apart(asker: MakeAsker) -> None:
    def echoes(exchange: Exchange) -> None:
        said = exchange.received.body["messages"][0]["content"]
        events(*(delta(f"{said}.") for _ in range(20)), STOP, pause=0.005)(exchange)

    ask = asker(echoes)
    with ThreadPoolExecutor(24) as threads:
        answers = threads.map(lambda number: ask(messages=(Turn("user", str(number)),)).text, range(48))
    assert list(answers) == [f"{number}." * 20 for number in range(48)]


def test_configured_base_models_get_plain_completion(asker: MakeAsker) -> None:
    ask = asker(completes("x"), completion=("*-base",))
    ask(model="smol-base", messages=(Turn("user", "One"), Turn("assistant", "Two")), continue_last=True)
    assert ask.server.received[0].body["prompt"] == "One\n\nTwo"


PIECES = ("<th", "ink>\nHm", "m.\n</thi", "nk>\n\nPar", "is.")
SHAPES: dict[str, tuple[Behaviour, str, str]] = {
    "vLLM's field": (events(delta(reasoning="Hm"), delta(reasoning="m."), delta("Paris."), STOP), "Hmm.", "Paris."),
    "the others' field": (events(delta(reasoning_content="Hmm."), delta("Paris."), STOP), "Hmm.", "Paris."),
    "both fields": (events(delta(reasoning="Hmm.", reasoning_content="Hmm."), delta("Paris."), STOP), "Hmm.", "Paris."),
    "fields that are null": (
        events(delta(None, content=None, reasoning_content="Hmm."), delta("Paris.", reasoning_content=None), STOP),
        "Hmm.",
        "Paris.",
    ),
    "inline": (events(*map(delta, PIECES), STOP), "Hmm.", "Paris."),
    "only thinking": (events(delta(reasoning="Hmm."), STOP), "Hmm.", ""),
    "nothing": (events(delta("", role="assistant"), STOP), "", ""),
    "a tag that the server left in the answer": (
        events(delta(reasoning="Hmm."), delta("<think>Paris"), STOP),
        "Hmm.",
        "<think>Paris",
    ),
    "text in parts": (events(delta(None, content=[{"type": "text", "text": "Paris."}]), STOP), "", "Paris."),
    "several answers": (
        events(
            delta("Par"),
            {"choices": [{"index": 1, "delta": {"content": "Lyon"}, "finish_reason": None}]},
            delta("is."),
            STOP,
        ),
        "",
        "Paris.",
    ),
    "empty chunks": (
        events(
            {"choices": []},
            {"choices": None},
            {},
            {"choices": [{"index": 0, "delta": None, "finish_reason": None}], "usage": None},
            delta("Paris."),
            STOP,
        ),
        "",
        "Paris.",
    ),
    "text with the end": (events(delta("Paris.", finish="stop")), "", "Paris."),
    "no [DONE]": (events(delta("Paris."), STOP, done=False), "", "Paris."),
    "no last word but [DONE]": (events(delta("Paris.")), "", "Paris."),
    "no last word but the counts": (events(delta("Paris."), usage(), done=False), "", "Paris."),
    "comments": (events(b": queued\n\n", delta("Paris."), b": queued\n\n", STOP), "", "Paris."),
    "CRLF, no blank": (
        events(b'data:{"choices":[{"delta":{"content":"Par', b'is."}}]}\r\n\r', b"\ndata:[DONE]\r\n\r\n", done=False),
        "",
        "Paris.",
    ),
    "no empty line at the end": (
        events(b'data: {"choices":[{"delta":{"content":"Paris."},"finish_reason":"stop"}]}', done=False),
        "",
        "Paris.",
    ),
    "no empty lines at all": (
        events(
            b'data: {"choices":[{"delta":{"content":"Par"}}]}\ndata: {"choices":[{"delta":{"content":"is."}}]}\n',
            b"data: [DONE]\n",
            done=False,
        ),
        "",
        "Paris.",
    ),
    "a character in two blocks": (
        events(b'data: {"choices":[{"delta":{"content":"\xe5\xb7', b'\xb4\xe9\xbb\x8e"}}]}\n\n'),
        "",
        "巴黎",
    ),
    "no UTF-8": (events(b'data: {"choices":[{"delta":{"content":"Par\xffis"}}]}\n\n'), "", "Par\ufffdis"),
    "half a character": (events(b'data: {"choices":[{"delta":{"content":"a\\ud83d"}}]}\n\n'), "", "a\ufffd"),
    "halves in two chunks": (
        events(
            b'data: {"choices":[{"delta":{"content":"a\\ud83d"}}]}\n\n',
            b'data: {"choices":[{"delta":{"content":"\\ude00b"}}]}\n\n',
        ),
        "",
        "a😀b",
    ),
    "not streamed": (
        replies(
            b'{"choices": [{"index": 0, "message": {"role": "assistant", "content": "Paris.", "reasoning": "Hmm."},'
            b' "finish_reason": "stop"}], "usage": {"prompt_tokens": 3, "completion_tokens": 2}}',
            "application/json",
        ),
        "Hmm.",
        "Paris.",
    ),
}


@pytest.mark.parametrize("case", SHAPES)
def test_every_shape_is_understood(asker: MakeAsker, case: str) -> None:
    behaviour, thinking, text = SHAPES[case]
    answered = asker(behaviour)()
    assert (answered.thinking, answered.text) == (thinking, text)
    assert answered.finished.reason == "stop"


def test_thinking_whose_opening_tag_is_part_of_the_prompt(asker: MakeAsker) -> None:
    said = events(delta("Hm"), delta("m.\n</think>\n\n"), delta("Paris."), STOP)
    known = asker(said)(model="Qwen/QwQ-32B")
    assert (known.thinking, known.text) == ("Hmm.", "Paris.")
    learning = asker(said)
    assert learning().text == "Hmm.\n</think>\n\nParis."
    learned = learning()
    assert (learned.thinking, learned.text) == ("Hmm.", "Paris.")
    assert asker(said)(Sampling(thinking=False), model="Qwen/QwQ-32B").thinking == ""
    with_tag = asker(events(*map(delta, PIECES), STOP))(Sampling(thinking=True))
    assert (with_tag.thinking, with_tag.text) == ("Hmm.", "Paris.")
    without = asker(says("Par", "is."))(Sampling(thinking=True))
    assert without.text == "Paris."
    cut = asker(breaks(delta("Hm"), delta("m.")))(Sampling(thinking=True))
    assert (cut.thinking, cut.text) == ("Hmm.", "")


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        ("stop", "stop"),
        ("eos", "stop"),
        ("length", "length"),
        ("max_tokens", "length"),
        ("content_filter", "content_filter"),
        ("sensitive", "content_filter"),
        ("tool_calls", "tool_calls"),
        ("repetition", "stop"),
    ],
)
def test_every_end_is_understood(asker: MakeAsker, said: str, reason: str) -> None:
    assert asker(says("x", finish=said))().finished.reason == reason


def test_counts_of_every_kind_and_another_model_that_answered(asker: MakeAsker) -> None:
    counted = usage(
        600, 9, prompt_tokens_details={"cached_tokens": 512}, completion_tokens_details={"reasoning_tokens": 4}
    )
    found = asker(events(delta("x", model="tiny-2026"), STOP, counted))().finished.usage
    assert (found.prompt_tokens, found.completion_tokens) == (600, 9)
    assert (found.cached_tokens, found.thinking_tokens) == (512, 4)
    assert found.extra == {"model": "tiny-2026"}
    deepseek = usage(600, 9, prompt_cache_hit_tokens=384)
    assert asker(events(delta("x"), STOP, deepseek))().finished.usage.cached_tokens == 384
    uncounted = asker(events(delta("x"), delta("y"), STOP))().finished
    assert uncounted.usage.completion_tokens == 2
    assert uncounted.timing.tokens_per_second is None


def test_chances_come_with_their_tokens(asker: MakeAsker) -> None:
    def chance(text: str, logprob: float) -> dict[str, object]:
        return {"token": text, "logprob": logprob, "top_logprobs": [{"token": "L", "logprob": -3.0}]}

    first = delta("Par")
    first["choices"][0]["logprobs"] = {"content": [chance("P", -0.1), chance("ar", -0.2)]}
    ask = asker(events(first, delta("is"), STOP))
    pieces = [event for event in ask(Sampling(logprobs=1)).events if isinstance(event, Text)]
    assert pieces[0].tokens == 2
    assert pieces[0].chances == (
        Token("P", -0.1, (Alternative("L", -3.0),)),
        Token("ar", -0.2, (Alternative("L", -3.0),)),
    )
    plain = {
        "choices": [
            {
                "index": 0,
                "text": " Paris",
                "logprobs": {"tokens": [" Paris"], "token_logprobs": [-0.5], "top_logprobs": [{" Paris": -0.5}]},
                "finish_reason": "stop",
            }
        ]
    }
    ask = asker(events(plain), completion=("*",))
    (piece,) = [event for event in ask(Sampling(logprobs=1)).events if isinstance(event, Text)]
    assert piece.chances == (Token(" Paris", -0.5, (Alternative(" Paris", -0.5),)),)
    assert not any(math.isnan(token.logprob) for token in piece.chances)


def test_chances_of_thinking_stay_with_it(asker: MakeAsker) -> None:
    thought = delta(reasoning="Hm")
    thought["choices"][0]["logprobs"] = {"content": [{"token": "Hm", "logprob": -0.1}]}
    (piece,) = [event for event in asker(events(thought, STOP))().events if isinstance(event, Thinking)]
    assert piece.chances == (Token("Hm", -0.1),)
