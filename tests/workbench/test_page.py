"""The conversation as one text: what an edit of the text does to the messages."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qiao.workbench.conversation import Conversation, Message, Role, Take
from qiao.workbench.page import page_of, rewritten


def hand(text: str, role: Role = "user", *, runs_on: bool = False, muted: bool = False) -> Message:
    return Message(role=role, text=text, runs_on=runs_on, muted=muted)


def model(*texts: str, runs_on: bool = True, chosen: int | None = None) -> Message:
    takes = tuple(Take(text=text) for text in texts)
    return Message(role="assistant", takes=takes, chosen=chosen or len(takes), runs_on=runs_on)


def talk(*messages: Message) -> Conversation:
    return Conversation(messages=messages)


def text_of(conversation: Conversation) -> str:
    return page_of(conversation.messages).text


def shape(conversation: Conversation) -> list[tuple[str, str, int, int | None]]:
    """Role, text, how many takes, which is chosen."""
    return [(m.role, m.said, len(m.takes), m.chosen) for m in conversation.messages]


STORY = talk(hand("Once upon a time"), model(" a fox", " a cat"), model(" met a crow."))


def test_what_a_base_model_wrote_stands_at_once_behind_what_it_went_on_from() -> None:
    assert text_of(STORY) == "Once upon a time a cat met a crow."
    assert (
        text_of(talk(hand("从前"), model("有座山，"), hand("山里有座庙。", runs_on=True))) == "从前有座山，山里有座庙。"
    )
    assert text_of(talk(hand("Q"), model("A", runs_on=False), hand("Q")))[1:] == "\n\nA\n\nQ"


def test_what_is_typed_at_the_end_of_a_take_is_text_by_hand_behind_it() -> None:
    made = rewritten(STORY, text_of(STORY) + "乌鸦")
    assert made.messages[:3] == STORY.messages
    assert shape(made)[3] == ("user", "乌鸦", 0, None)
    more = rewritten(made, text_of(made) + "。\n\nThe end")
    assert shape(more)[3:] == [("user", "乌鸦。\n\nThe end", 0, None)]


def test_a_word_changed_in_a_take_leaves_all_other_takes_and_its_own_beside_it() -> None:
    made = rewritten(STORY, text_of(STORY).replace("cat", "cow"))
    assert made.messages[0] is STORY.messages[0]
    assert shape(made)[1] == ("assistant", " a cow", 2, None)
    assert made.messages[1].takes == STORY.messages[1].takes
    assert made.messages[2] is STORY.messages[2]


def test_a_cut_tail_leaves_the_takes_of_what_is_left() -> None:
    made = rewritten(STORY, "Once upon a time a")
    assert shape(made) == [("user", "Once upon a time", 0, None), ("assistant", " a", 2, None)]
    assert rewritten(STORY, "Once upon a time").messages == STORY.messages[:1]


def test_a_word_before_a_take_that_begins_alike_leaves_it_whole() -> None:
    made = rewritten(STORY, text_of(STORY).replace(" met", " (a white one) met"))
    assert shape(made)[2] == ("user", " (a white one)", 0, None)
    assert (*made.messages[:2], made.messages[3]) == STORY.messages
    longer = rewritten(STORY, "Once upon a time long ago a cat met a crow.")
    assert longer.messages[1:] == STORY.messages[1:]
    assert longer.messages[0].text == "Once upon a time long ago"


def test_a_change_through_several_messages_keeps_what_is_left_of_the_first_and_the_last() -> None:
    made = rewritten(STORY, "Once upon a time a c... crow.")
    assert [m.said for m in made.messages] == ["Once upon a time", " a c...", " crow."]
    assert made.messages[2].takes == STORY.messages[2].takes


@pytest.mark.parametrize("gap", ["", "\n", "\n\n\n", " \n\n"])
def test_a_blank_line_between_messages_can_be_changed(gap: str) -> None:
    chat = talk(hand("Capital?"), model("Paris", runs_on=False), hand("Why?"))
    made = rewritten(chat, f"Capital?{gap}Paris\n\nWhy?")
    assert text_of(made) == f"Capital?{gap}Paris\n\nWhy?"
    assert made.messages[1].takes == chat.messages[1].takes
    assert made.messages[1].chosen == 1
    assert made.messages[2] is chat.messages[2]


def test_muted_and_empty_messages_stay_where_they_are() -> None:
    muted, empty = hand("not sent", muted=True), hand("")
    chat = talk(hand("a"), muted, model("b"), empty)
    assert text_of(chat) == "ab"
    assert rewritten(chat, "").messages == (muted, empty)
    assert rewritten(chat, "axb").messages[1:] == chat.messages[1:]


def test_a_page_that_was_empty_becomes_one_message() -> None:
    assert shape(rewritten(talk(), "从前，")) == [("user", "从前，", 0, None)]


LETTERS = "ab \n"
texts = st.text(LETTERS, max_size=5)


@st.composite
def messages(draw: st.DrawFn) -> Message:
    role: Role = draw(st.sampled_from(["system", "user", "assistant"]))
    takes = tuple(Take(text=text) for text in draw(st.lists(texts, max_size=2))) if role == "assistant" else ()
    chosen = draw(st.sampled_from([None, *range(1, len(takes) + 1)]))
    flags = draw(st.booleans()), draw(st.integers(0, 4)) == 0
    return Message(role=role, text=draw(texts), takes=takes, chosen=chosen, runs_on=flags[0], muted=flags[1])


conversations = st.lists(messages(), max_size=6).map(lambda made: talk(*made))


@st.composite
def edits(draw: st.DrawFn) -> tuple[Conversation, str]:
    """A conversation, and its whole text with something in it replaced, put in or taken out."""
    conversation = draw(conversations)
    text = text_of(conversation)
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + draw(st.sampled_from([0, 1, 3, 30])))))
    return conversation, text[:start] + draw(texts) + text[end:]


@settings(max_examples=600)
@given(edits() | st.tuples(conversations, texts))
def test_the_whole_text_is_what_was_typed_whatever_that_is(edit: tuple[Conversation, str]) -> None:
    conversation, text = edit
    made = rewritten(conversation, text)
    assert text_of(made) == text
    if text == text_of(conversation):
        assert made is conversation


@settings(max_examples=600)
@given(edits())
def test_nothing_outside_of_the_change_is_touched(edit: tuple[Conversation, str]) -> None:
    conversation, text = edit
    before, made = page_of(conversation.messages), rewritten(conversation, text)
    now = {message.uid: message for message in made.messages}
    for message in conversation.messages:
        if message.muted or not message.said:
            assert now[message.uid] is message
        elif message.uid in now:
            # A take is never edited, nor lost while its message is there.
            assert now[message.uid].takes == message.takes
            assert now[message.uid].take in (message.take, None)
    order = [message.uid for message in made.messages if message.uid in {m.uid for m in conversation.messages}]
    assert order == [message.uid for message in conversation.messages if message.uid in now]
    changed = first_change(before.text, text)
    for index, _, end in before.stretches:
        message = conversation.messages[index]
        if end <= changed and message.takes:
            assert now[message.uid] is message


def first_change(before: str, text: str) -> int:
    """The first place at which the change may have been made: what is put in beside its like could be either."""
    longer, shorter = (text, before) if len(text) > len(before) else (before, text)
    size = len(longer) - len(shorter)
    if same := [at for at in range(len(shorter) + 1) if longer[:at] + longer[at + size :] == shorter]:
        return same[0] if size else len(before)
    return next(i for i, (a, b) in enumerate(zip(before, text, strict=False)) if a != b)


def test_what_may_have_been_taken_out_of_text_by_hand_costs_no_take() -> None:
    chat = talk(model(" "), hand(" a", "assistant"))
    assert text_of(chat) == "  a"
    made = rewritten(chat, " a")
    assert made.messages[0] is chat.messages[0]
    assert shape(made)[1:] == [("assistant", "a", 0, None)]


@given(conversations, texts)
def test_typing_at_the_end_leaves_all_that_models_wrote(conversation: Conversation, typed: str) -> None:
    made = rewritten(conversation, text_of(conversation) + typed)
    kept = {message.uid: message for message in made.messages}
    assert all(kept[m.uid] is m for m in conversation.messages if m.takes)
    assert len(made.messages) <= len(conversation.messages) + 1
