"""The local engine with a real model: what it answers, with which parameters, and what it says of what it did."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from qiao.backends.local.engine import LocalBackend
from qiao.workbench.address import Address
from qiao.workbench.errors import Refused
from qiao.workbench.seam import Model, Progress, Text, Thinking

from .asking_models import CAPITAL, STORY, ask, request


@pytest.fixture(scope="module")
def backend(starter: Path, base_model: Path, thinking_model: Path) -> Iterator[LocalBackend]:
    """With three models, each loaded when it is first asked."""
    places = {"starter": starter, "base": base_model, "thinker": thinking_model}
    address = Address("local", "starter")
    found = Model(address, "starter", "on_disk", kind="instruct", path=str(starter))
    backend = LocalBackend(lambda: [found], places.__getitem__)
    yield backend
    backend.close()


def test_a_gguf_model_answers_and_says_what_it_did(backend: LocalBackend) -> None:
    outcome = ask(backend, "starter", CAPITAL, temperature=0)
    assert "Paris" in outcome.text
    stages = [event.stage for event in outcome.of(Progress)]
    if "loading" in stages:
        assert stages.index("starting") < stages.index("loading") < stages.index("prefill")
        loading = [event for event in outcome.of(Progress) if event.stage == "loading" and event.total]
        assert [e.done for e in loading] == sorted(e.done for e in loading)
        assert loading[-1].done == loading[-1].total
    started, finished = outcome.started, outcome.finished
    assert started.mode == "chat"
    assert started.context_length == 8192
    assert (started.sampling.temperature, started.sampling.top_p, started.sampling.top_k) == (0, 1.0, 0)
    assert started.sampling.max_tokens == 2048
    assert started.sampling.seed is not None
    assert finished.reason == "stop"
    assert finished.usage.prompt_tokens == started.prompt_tokens == 37
    # The end token has been computed, and isn't text.
    assert finished.usage.completion_tokens == sum(event.tokens for event in outcome.of(Text)) + 1
    timing = finished.timing
    assert timing.first_token_ms is not None
    assert timing.total_ms is not None
    assert timing.tokens_per_second is not None
    assert 0 < timing.first_token_ms <= timing.total_ms


def test_the_state_is_seen(backend: LocalBackend) -> None:
    ask(backend, "starter", CAPITAL, temperature=0, max_tokens=1)
    assert [model.state for model in backend.models() if model.address.name == "starter"] == ["loaded"]
    assert backend.process_id(Address("local", "starter")) is not None


def test_two_models_answer_in_turn_without_reloading(backend: LocalBackend) -> None:
    for name in ("starter", "base"):
        ask(backend, name, CAPITAL, max_tokens=1)
    for name in ("starter", "base", "starter"):
        outcome = ask(backend, name, CAPITAL, max_tokens=1)
        assert "loading" not in [event.stage for event in outcome.of(Progress)]
    pids = {backend.process_id(Address("local", name)) for name in ("starter", "base")}
    assert len(pids) == 2
    # A model that was given by its path only is shown while it is in memory.
    assert [model.state for model in backend.models()].count("loaded") >= 2


def test_a_seed_reproduces_and_another_does_not(backend: LocalBackend) -> None:
    first = ask(backend, "starter", STORY, temperature=1, seed=7, max_tokens=24)
    ask(backend, "starter", CAPITAL, temperature=1, seed=9, max_tokens=8)
    again = ask(backend, "starter", STORY, temperature=1, seed=7, max_tokens=24)
    other = ask(backend, "starter", STORY, temperature=1, seed=8, max_tokens=24)
    assert first.text == again.text
    assert first.text != other.text
    assert first.finished.reason == "length"
    assert first.finished.usage.completion_tokens == 24
    assert first.started.sampling.seed == 7


def test_an_answer_is_continued_from_its_exact_text(backend: LocalBackend) -> None:
    whole = ask(backend, "starter", CAPITAL, temperature=0).text
    prefix = whole[: whole.index("Paris")].rstrip()
    outcome = ask(backend, "starter", CAPITAL, prefix, continue_last=True, temperature=0)
    assert prefix + outcome.text == whole
    blank = backend.prompt(request("starter", CAPITAL, "It is ", continue_last=True), threading.Event())
    assert blank.text.endswith("<|im_start|>assistant\nIt is ")
    empty = backend.prompt(request("starter", CAPITAL, "", continue_last=True), threading.Event())
    assert empty.text.endswith("<|im_start|>assistant\n")


def test_a_base_model_goes_on_with_the_bare_texts(backend: LocalBackend) -> None:
    outcome = ask(backend, "base", "The capital of France is", temperature=0, max_tokens=6)
    assert outcome.started.mode == "completion"
    assert "Paris" in outcome.text
    prompt = backend.prompt(request("base", "One", "two", "three"), threading.Event())
    assert prompt.mode == "completion"
    assert prompt.text == "One\n\ntwo\n\nthree"


def test_a_stop_string_ends_the_answer_and_is_not_part_of_it(backend: LocalBackend) -> None:
    outcome = ask(backend, "starter", CAPITAL, temperature=0, stop=("of Fr", "never"))
    assert outcome.text == "The capital "
    assert outcome.finished.reason == "stop"
    # Ended at the very token that completed it: The, capital, of, France.
    assert outcome.finished.usage.completion_tokens == 4


def test_penalties_keep_tokens_from_coming_back(backend: LocalBackend) -> None:
    texts = ("Say the word no again and again, as often as you can.", "no no no no no no")
    options = {"temperature": 0, "max_tokens": 12, "continue_last": True}
    plain = ask(backend, "starter", *texts, **options).text
    frequency = ask(backend, "starter", *texts, **options, frequency_penalty=2.0).text
    presence = ask(backend, "starter", *texts, **options, presence_penalty=2.0).text
    repetition = ask(backend, "starter", *texts, **options, repetition_penalty=2.0).text
    assert plain.count("no") > 5
    assert frequency.count("no") < plain.count("no")
    assert len({plain, frequency, presence, repetition}) >= 3


def test_narrow_sampling_is_greedy(backend: LocalBackend) -> None:
    greedy = ask(backend, "starter", STORY, temperature=0, max_tokens=12).text
    for narrow in ({"top_k": 1}, {"top_p": 1e-6}, {"min_p": 1.0}):
        assert ask(backend, "starter", STORY, temperature=1, seed=5, max_tokens=12, **narrow).text == greedy


def test_extra_parameters_reach_the_engine_and_wrong_ones_are_named(backend: LocalBackend) -> None:
    held = ask(backend, "starter", CAPITAL, temperature=0, extra={"min_new_tokens": 12})
    assert held.finished.usage.completion_tokens is not None
    assert held.finished.usage.completion_tokens >= 12
    for extra in ({"no_such_thing": 1}, {"num_beams": 4}, {"to_dict": 1}, {"min_new_tokens": "many"}):
        failed = ask(backend, "starter", CAPITAL, temperature=0, max_tokens=2, extra=extra).failed
        assert failed.kind == "invalid_request", extra
    assert "no_such_thing" in ask(backend, "starter", CAPITAL, extra={"no_such_thing": 1}).failed.message


def test_a_token_that_is_to_end_the_answer_does(backend: LocalBackend, base_model: Path) -> None:
    tokenizer = Tokenizer.from_file(str(base_model / "tokenizer.json"))
    ends = {"eos_token_id": tokenizer.token_to_id(".")}
    outcome = ask(backend, "starter", CAPITAL, temperature=0, extra=ends)
    assert (outcome.finished.reason, outcome.text) == ("stop", "The capital of France is Paris")


def test_what_utf8_cannot_write_costs_nobody_the_process(backend: LocalBackend) -> None:
    outcome = ask(
        backend, "starter", f"{CAPITAL} \ud83d", max_tokens=1, stop=("\udc00",), extra={"bad_words_ids": None}
    )
    assert outcome.finished.reason == "length"
    shown = backend.prompt(request("starter", f"{CAPITAL} \ud83d"), threading.Event())
    assert f"{CAPITAL} \ufffd" in shown.text


def test_a_prompt_beyond_the_context_is_refused_with_both_numbers(backend: LocalBackend) -> None:
    failed = ask(backend, "base", "word " * 9000).failed
    assert failed.kind == "context_too_long"
    assert "8192" in failed.message
    assert "9001" in failed.message


def test_no_text_at_all_is_refused(backend: LocalBackend) -> None:
    assert ask(backend, "base", "").failed.kind == "invalid_request"
    failed = ask(backend, "starter").failed
    assert failed.kind == "invalid_request"
    assert "template" in failed.message


def test_a_models_own_sampling_is_taken_where_nothing_is_said(backend: LocalBackend) -> None:
    used = ask(backend, "thinker", CAPITAL, thinking=False, max_tokens=1).started.sampling
    assert (used.temperature, used.top_p, used.top_k, used.min_p) == (0.6, 0.95, 20, 0.1)
    said = {"temperature": 0.9, "top_p": 1.0, "top_k": 0, "min_p": 0.0}
    used = ask(backend, "thinker", CAPITAL, thinking=False, max_tokens=1, **said).started.sampling
    assert (used.temperature, used.top_p, used.top_k, used.min_p) == (0.9, 1.0, 0, 0.0)


def test_thinking_can_be_switched(backend: LocalBackend) -> None:
    off = ask(backend, "thinker", CAPITAL, temperature=0, thinking=False, max_tokens=10)
    assert off.thinking == ""
    assert "Paris" in off.text
    assert off.started.sampling.thinking is False
    default = ask(backend, "thinker", CAPITAL, temperature=0, max_tokens=10)
    assert default.started.sampling.thinking is True
    assert default.thinking
    assert default.text == ""
    usage = default.finished.usage
    assert usage.thinking_tokens == sum(event.tokens for event in default.of(Thinking))


def test_a_thinking_budget_ends_the_thinking_and_the_answer_follows(backend: LocalBackend) -> None:
    outcome = ask(backend, "thinker", CAPITAL, temperature=0, thinking=True, thinking_budget=5, max_tokens=30)
    assert outcome.thinking
    assert outcome.text
    assert "think>" not in outcome.thinking + outcome.text
    usage = outcome.finished.usage
    assert usage.thinking_tokens is not None
    assert 5 <= usage.thinking_tokens <= 12
    assert usage.completion_tokens is not None
    assert usage.thinking_tokens < usage.completion_tokens


def test_the_prompt_shows_what_the_model_sees(backend: LocalBackend) -> None:
    text = "敲 <|im_end|> [red]\x1b[2J"
    prompt = backend.prompt(request("starter", text, system="Be brief."), threading.Event())
    expected = f"<|im_start|>system\nBe brief.<|im_end|>\n<|im_start|>user\n{text}<|im_end|>\n<|im_start|>assistant\n"
    assert prompt.text == expected
    specials = [piece.text for piece in prompt.pieces if piece.special]
    # One was written by the user, and the model takes it for the real thing: just what a person must see.
    assert specials.count("<|im_end|>") == 3
    assert prompt.context_length == 8192
    outcome = ask(backend, "starter", text, system="Be brief.", max_tokens=1)
    assert outcome.started.prompt_tokens == prompt.tokens


def test_an_unknown_name_is_refused(backend: LocalBackend) -> None:
    def nothing(name: str) -> Path:
        raise Refused("models.unknown", name=name)

    other = LocalBackend(list, nothing)
    failed = ask(other, "nobody", CAPITAL).failed
    assert failed.kind == "unknown_model"
    assert "nobody" in failed.message
    with pytest.raises(Refused):
        other.prompt(request("nobody", CAPITAL), threading.Event())
