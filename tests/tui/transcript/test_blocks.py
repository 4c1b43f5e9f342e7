"""A message as the lines of a block: what is said of it, safely, in every state, within the width."""

import time
from datetime import UTC, datetime
from typing import get_args

import msgspec
import pytest

from qiao.tui.text.glyphs import glyphs
from qiao.tui.text.wrap import Line, line_width
from qiao.tui.transcript.blocks import Item, lines, provenance, short_model
from qiao.workbench import words
from qiao.workbench.address import Address
from qiao.workbench.answering import Answer
from qiao.workbench.conversation import Finish, Message, Take, TakeError, Timing, Usage
from qiao.workbench.sampling import Sampling
from qiao.workbench.seam import Failed, FailureKind, Finished, Progress, Request, Started, Text, Thinking, Turn

HOSTILE = "[red]\x1b[2J\x1b]52;c;aGk=\x07 \u202egnp.exe \x9b5m \r 中文 👩\u200d👩\u200d👧"

FULL = Take(
    text="Paris.",
    model="local:Qwen/Qwen3-4B",
    created=datetime(2026, 11, 22, tzinfo=UTC),
    seed=1,
    finish="stop",
    sampling=Sampling(temperature=0.7, top_p=0.9, top_k=0, max_tokens=10, seed=1, thinking=True),
    usage=Usage(prompt_tokens=5, completion_tokens=3),
    timing=Timing(first_token_ms=250.0, first_answer_ms=1250.0, total_ms=2000.0, tokens_per_second=23.6),
)


def text_of(line: Line) -> str:
    return "".join(run.text for run in line)


def shown(item: Item, width: int = 60, **variables: str) -> list[str]:
    return [text_of(line).rstrip() for line in lines(item, width, variables)]


def answered(take: Take, **fields: object) -> Item:
    return Item(Message(role="assistant").with_take(take), **fields)  # pyright: ignore[reportArgumentType]


def live(*events: Progress | Started | Thinking | Text | Finished | Failed, prefix: str = "") -> Item:
    answer = Answer(Request(Address("local", "Qwen/Qwen3-4B"), (Turn("user", "Hi"),)), "hash", prefix)
    for event in events:
        answer.feed(event)
    return Item(Message(role="assistant"), answer)


def inks(item: Item, word: str) -> set[str]:
    return {name for line in lines(item, 60, {}) for run in line if word in run.text for name in run.ink.split()}


def test_a_message_by_hand_is_shown_as_it_is() -> None:
    item = Item(Message(role="user", text="# not *a* heading\n\n  two   blanks"))
    assert shown(item) == ["user", "# not *a* heading", "", "  two   blanks"]


def test_an_empty_message_says_so() -> None:
    assert shown(Item(Message(role="user"))) == ["user", "empty"]


def test_an_answer_is_markdown_with_one_line_of_provenance() -> None:
    item = answered(msgspec.structs.replace(FULL, text="**Paris**, of course."))
    assert shown(item) == [
        f"assistant {glyphs.take_left}1/1{glyphs.take_right}",
        "Paris, of course.",
        "Qwen3-4B · t 0.7 · top_p 0.9 · thinking on · 3 tok · 24/s ·",
        "first 0.25 s · stop",
    ]
    assert "strong" in inks(item, "Paris")
    assert inks(item, "Qwen3-4B") == {"faint"}


def test_greedy_says_nothing_of_what_plays_no_part() -> None:
    take = Take(text="x", sampling=Sampling(temperature=0, top_p=0.9, top_k=20, min_p=0.1, repetition_penalty=1.1))
    assert [text_of(line) for line in provenance(take, 80)] == ["t 0 · rep 1.1"]


def test_a_take_that_says_nothing_of_itself_has_no_provenance() -> None:
    assert shown(answered(Take(text="imported"))) == [f"assistant {glyphs.take_left}1/1{glyphs.take_right}", "imported"]


@pytest.mark.parametrize("finish", ["length", "cancelled", "content_filter", "tool_calls"])
def test_an_unusual_end_stands_out_in_words(finish: str) -> None:
    said = words.say(f"screen.finish_{finish}")
    item = answered(Take(text="x", finish=finish))  # pyright: ignore[reportArgumentType]
    assert shown(item)[-1] == said
    assert "warn" in inks(item, said)


def test_an_error_is_a_state_and_keeps_the_text() -> None:
    item = answered(Take(text="so far", finish="error", error=TakeError("engine_died", "The engine\nended.")))
    said = [f"{glyphs.failed} ended · The engine␊ended.", "broke off   r again   p go on from here"]
    assert shown(item)[1:] == ["so far", *said]
    assert "bad" in inks(item, "engine")


def test_an_answer_without_text_says_so_unless_the_error_does() -> None:
    assert shown(answered(Take(text="")))[1] == "no text"
    assert "no text" not in shown(answered(Take(text="", error=TakeError("engine_died", "gone"))))


@pytest.mark.parametrize("kind", get_args(FailureKind))
@pytest.mark.parametrize("width", [20, 74])
def test_every_trouble_is_named_and_says_what_can_be_pressed(kind: str, width: int) -> None:
    item = answered(Take(text="", finish="error", error=TakeError(kind, "It says so.")))
    text = " ".join(shown(item, width))
    assert words.say(f"failing.kind_{kind}") in text
    assert "It says so." in text
    assert "   " in text.partition("broke off")[2]
    assert "p go on" not in text


def test_a_key_that_is_refused_leads_to_the_key() -> None:
    assert shown(answered(Take(text="", finish="error", error=TakeError("key_refused", "no"))))[-1].endswith(
        "A keys   m models"
    )


@pytest.mark.parametrize(
    ("finish", "said"), [("stop", "It only thought"), ("length", "It thought until"), ("cancelled", "Stopped while")]
)
def test_thinking_without_an_answer_is_told_as_that(finish: Finish, said: str) -> None:
    body = shown(answered(Take(text="", thinking="Hm.", finish=finish)))
    assert body[2].startswith(said)
    assert "no text" not in " ".join(body)


def test_a_wait_before_another_try_counts_down_with_its_reason() -> None:
    item = live(Progress("retrying", 3, 15, "too many requests\x1b"))
    assert "trying again in 12 s · too many requests␛" in shown(item, 90)[-1]


def test_an_answer_that_falls_silent_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    item = live(Started("chat", Sampling()), Text("So"))
    assert "nothing for" not in shown(item)[-1]
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + 12)
    assert "nothing for 12 s" in shown(item)[-1]
    assert "warn" in inks(item, "nothing for")


def test_takes_are_counted_and_a_text_by_hand_has_its_own_sign() -> None:
    message = Message(role="assistant", text="mine").with_take(Take(text="a")).with_take(Take(text="b"))
    left, right = glyphs.take_left, glyphs.take_right
    heads = [shown(Item(message.walked(step)))[0] for step in (0, -1, -2)]
    assert heads == [f"assistant {left}{place}/2{right}" for place in ("2", "1", glyphs.by_hand)]


def test_marks_are_said_in_words() -> None:
    message = Message(role="user", text="x", muted=True, note="look\x1bhere")
    heading = shown(Item(message, stale=True, marked=True), 90)[0]
    assert heading == "user  marked  muted, not sent  stale: what it answers has changed  note: look␛here"


def test_thinking_is_folded_until_it_is_opened() -> None:
    take = msgspec.structs.replace(FULL, thinking="Let me see.\n", usage=Usage(completion_tokens=9, thinking_tokens=6))
    folded = shown(answered(take))
    assert folded[1:3] == [f"{glyphs.folded} thought for 6 tokens, 1.0 s", "Paris."]
    opened = shown(answered(take, unfolded=True))
    assert opened[1:5] == [f"{glyphs.unfolded} thought for 6 tokens, 1.0 s", "Let me see.", "", "Paris."]


def test_variables_are_filled_in_and_marked_as_such() -> None:
    item = Item(Message(role="user", text="Dear {{name}}, {{unset}}: {{two}}"))
    assert shown(item, name="Li Lei", two="a\nb") == ["user", "Dear Li Lei, {{unset}}: a", "b"]
    painted = {run.text: run.ink for line in lines(item, 60, {"name": "Li Lei"}) for run in line}
    assert painted["Li Lei"] == "variable"
    assert painted["{{unset}}"] == "unset"


@pytest.mark.parametrize(
    "item",
    [
        Item(Message(role="user", text=HOSTILE, note=HOSTILE)),
        answered(
            Take(
                text=HOSTILE,
                thinking=HOSTILE,
                model=f"local:{HOSTILE}",
                note=HOSTILE,
                error=TakeError(HOSTILE, HOSTILE),
                finish="error",
            ),
            unfolded=True,
        ),
        Item(Message(role="assistant"), Answer(Request(Address("local", HOSTILE), ()), "hash", HOSTILE)),
    ],
)
@pytest.mark.parametrize("width", [8, 20, 200])
def test_nothing_from_outside_reaches_the_terminal_raw(item: Item, width: int) -> None:
    painted = lines(item, width, {})
    text = "".join(text_of(line) for line in painted)
    assert all(char.isprintable() for char in text), [c for c in text if not c.isprintable()]
    assert all(line_width(line) <= width for line in painted)
    if width == 200:
        assert "[red]␛[2J" in text
        assert "中文" in text


def test_what_is_done_before_the_first_token_is_said() -> None:
    assert shown(live(Progress("starting")))[-1].startswith("Qwen3-4B · starting the engine")
    half = shown(live(Progress("loading", 50, 100)))[-1]
    assert "loading weights" in half
    assert f"{glyphs.full * 6}{glyphs.rule * 6}  50%" in half
    assert "100%" in shown(live(Progress("loading", 300, 100)))[-1]
    assert "waiting for the first token" in shown(live(Progress("prefill", 7, 7)))[-1]
    assert "reading the prompt" in shown(live(Progress("prefill", 3, 7)))[-1]


def test_a_streaming_answer_is_readable_as_it_grows() -> None:
    started = Started("chat", Sampling())
    item = live(started, Thinking("Hm"))
    assert shown(item)[1:3] == [f"{glyphs.unfolded} thinking, 1 token", "Hm"]
    item = live(started, Thinking("Hm"), Text("**Par"), Text("is"))
    assert shown(item)[1:3] == [f"{glyphs.folded} thinking, 3 tokens", "**Paris"]
    assert "3 tok" in shown(item)[-1]
    assert "esc stop" in shown(item)[-1]


def test_a_continued_answer_shows_what_it_goes_on_from() -> None:
    assert shown(live(Started("chat", Sampling()), Text(" you?"), prefix="How are"))[1] == "How are you?"


def test_a_coming_take_is_counted_in() -> None:
    message = Message(role="assistant").with_take(Take(text="old"))
    item = Item(message, live().live, stale=True)
    assert shown(item)[0] == f"assistant {glyphs.take_left}2/2{glyphs.take_right}"


def test_room_is_kept_for_the_editor() -> None:
    assert shown(Item(Message(role="user", text="x"), editing=3)) == [
        "user  editing",
        "",
        "",
        "",
        "esc done   ctrl+r run   ctrl+t role",
    ]


def test_it_is_chinese_in_chinese() -> None:
    words.choose("zh")
    item = answered(Take(text="好", finish="length", usage=Usage(completion_tokens=1)), stale=True)
    assert shown(item) == [
        "助手 ‹1/1›  过时：它回答的内容已改动",
        "好",
        f"1 词元 · {words.say('screen.finish_length')}",
    ]


def test_a_very_long_answer_is_shown_plainly_and_soon() -> None:
    item = answered(Take(text="*word* " * 30_000))
    begun = time.process_time()
    assert shown(item, 80)[1].startswith("*word* *word*")
    assert time.process_time() - begun < 5, "seconds of this processor, for 210,000 characters"


@pytest.mark.parametrize(
    ("address", "name"),
    [
        ("local:starter", "starter"),
        ("local:Qwen/Qwen3-4B", "Qwen3-4B"),
        ("local:/data/Qwen3/", "Qwen3"),
        ("mybox:a:b", "a:b"),
        ("local:/", "local:/"),
    ],
)
def test_a_model_is_called_by_the_last_part_of_its_name(address: str, name: str) -> None:
    assert short_model(address) == name
