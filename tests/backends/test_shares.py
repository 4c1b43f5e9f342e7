"""Which part of a prompt each message is."""

import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qiao.backends.plain_completion import plain_spans, plain_text
from qiao.backends.scripted import ScriptedBackend
from qiao.backends.shares import marked, shares, spans, token_starts
from qiao.workbench.address import Address
from qiao.workbench.seam import Request, Turn

TURNS = (Turn("system", "Be brief. "), Turn("user", "user"), Turn("assistant", "<think>x</think>\n\nParis"))


def chatml(turns: tuple[Turn, ...] | list[Turn]) -> str:
    """Trims, and leaves thinking out, as Qwen's template does."""
    said = [(t.role, t.text.split("</think>")[-1].strip()) for t in turns]
    return "".join(f"<|im_start|>{role}\n{text}<|im_end|>\n" for role, text in said)


def told(text: str, turns: tuple[Turn, ...]) -> list[str]:
    wrapped = marked(turns)
    assert wrapped is not None
    found = spans(text, chatml(wrapped), turns)
    assert found is not None
    return [text[span.start : span.end] for span in found]


def test_what_a_template_trims_and_leaves_out() -> None:
    assert told(chatml(TURNS), TURNS) == ["Be brief.", "user", "Paris"]


@given(st.lists(st.text(alphabet=" \n<|>imuser敲😀", max_size=12), min_size=1, max_size=5))
def test_texts_of_any_kind_are_found_where_they_stand(texts: list[str]) -> None:
    turns = tuple(Turn("user", text) for text in texts)
    assert told(chatml(turns), turns) == [text.strip() for text in texts]


def test_a_message_that_a_template_leaves_out_has_no_share() -> None:
    wrapped = marked(TURNS)
    assert wrapped is not None
    found = spans(chatml(TURNS[1:]), chatml(wrapped[1:]), TURNS)
    assert found is not None
    assert found[0].start == found[0].end


def test_a_template_that_writes_something_else_for_marked_texts_tells_nothing() -> None:
    assert spans("one", "another", TURNS) is None
    assert marked([Turn("user", "\U000f0001")]) is None


def test_tokens_count_where_they_begin() -> None:
    turns = (Turn("user", "ab"), Turn("user", ""), Turn("user", "cd"))
    found = plain_spans(turns)
    assert [(s.start, s.end, s.tokens) for s in shares(found, "ab\n\ncd", [0, 1, 2, 4, 5], 3)] == [
        (3, 5, 2),
        (5, 5, 0),
        (7, 9, 2),
    ]


def test_a_token_that_begins_with_a_blank_is_its_words() -> None:
    text = "[user] Hi there"
    assert (
        shares(spans(text, "[user] \U000f0000Hi there\U000f0001", [Turn("user", "Hi there")]) or [], text, [0, 6, 9])[
            0
        ].tokens
        == 2
    )


@pytest.mark.parametrize(
    ("text", "names", "starts"),
    [
        ("Hi you", ["Hi", "Ġyou"], [0, 2]),
        ("敲 é", ["æķ", "²", "ĠÃ©"], [0, 0, 1]),
        ("<s>Hi 敲\n", ["<s>", "Hi", "▁", "敲", "<0x0A>"], [0, 3, 5, 6, 7]),
        ("Hi you", ["▁Hi", "▁you"], [0, 2]),
        ("Hi", ["Hello"], None),
        ("", [], []),
    ],
)
def test_where_tokens_begin(text: str, names: list[str], starts: list[int] | None) -> None:
    assert token_starts(text, names) == starts


@pytest.mark.parametrize("kind", ["instruct", "base"])
@pytest.mark.parametrize("continues", [False, True])
def test_a_scripted_model_tells_its_shares(kind: str, continues: bool) -> None:
    turns = (Turn("system", "Be brief."), Turn("user", "Hm?"), Turn("assistant", "\n"))
    backend = ScriptedBackend(kind=kind)  # pyright: ignore[reportArgumentType]
    prompt = backend.prompt(Request(Address("scripted", "x"), turns, continue_last=continues), threading.Event())
    assert [prompt.text[share.start : share.end] for share in prompt.shares] == [turn.text for turn in turns]


def test_what_a_base_model_wrote_on_is_gone_on_from_where_it_stood() -> None:
    story = (Turn("user", "Once upon a time"), Turn("assistant", " there was"), Turn("user", "More."))
    assert plain_text(story) == "Once upon a time there was\n\nMore."
    by_hand = (Turn("user", "Capital?"), Turn("assistant", "Paris"), Turn("user", " Why?"))
    assert plain_text(by_hand) == "Capital?\n\nParis\n\n Why?"


@given(st.lists(st.builds(Turn, st.sampled_from(["user", "assistant"]), st.text(" \nab", max_size=4)), max_size=6))
def test_plain_texts_stand_where_they_are_said_to(turns: list[Turn]) -> None:
    text = plain_text(turns)
    assert [text[span.start : span.end] for span in plain_spans(turns)] == [turn.text for turn in turns]
