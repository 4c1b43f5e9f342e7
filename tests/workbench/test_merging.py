import itertools
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qiao.workbench.conversation import Conversation, Message, Take
from qiao.workbench.conversation_file import dumps, loads
from qiao.workbench.merging import merged, with_uids_of
from qiao.workbench.sampling import Sampling

replace = msgspec.structs.replace


def user(text: str) -> Message:
    return Message(role="user", text=text)


def answer(*texts: str) -> Message:
    message = Message(role="assistant")
    for text in texts:
        message = message.with_take(Take(text=text))
    return message


def talk(*messages: Message) -> Conversation:
    return Conversation(messages=messages)


def reread(conversation: Conversation) -> Conversation:
    """As another program would have it: the same values, other uids."""
    return loads(dumps(conversation), "x").conversation


def put_together(base: Conversation, ours: Conversation, theirs: Conversation) -> Conversation | None:
    return merged(base, ours, with_uids_of(reread(theirs), base))


def said(conversation: Conversation | None) -> list[str]:
    assert conversation is not None
    return [message.said for message in conversation.messages]


def with_mark(message: Message, **mark: object) -> Message:
    if message.take is None:
        return message
    marked = replace(message.take, **mark)
    return replace(message, takes=tuple(marked if take is message.take else take for take in message.takes))


BASE = talk(user("one"), answer("first", "second"), user("two"))


def test_an_answer_appended_there_joins_an_edit_made_here() -> None:
    ours = BASE.replaced(0, BASE.messages[0].with_text("one, edited"))
    theirs = BASE.inserted(3, answer("theirs"))
    result = put_together(BASE, ours, theirs)
    assert said(result) == ["one, edited", "second", "two", "theirs"]


def test_a_take_added_there_joins_an_edit_made_here() -> None:
    ours = BASE.replaced(2, BASE.messages[2].with_text("two, edited"))
    theirs = BASE.replaced(1, BASE.messages[1].with_take(Take(text="third")))
    result = put_together(BASE, ours, theirs)
    assert said(result) == ["one", "third", "two, edited"]
    assert result is not None
    assert [message.uid for message in result.messages] == [message.uid for message in BASE.messages]


def test_takes_added_on_both_sides_are_all_kept_and_ours_stays_chosen() -> None:
    ours = BASE.replaced(1, BASE.messages[1].with_take(Take(text="ours")))
    theirs = BASE.replaced(1, BASE.messages[1].with_take(Take(text="theirs")))
    result = put_together(BASE, ours, theirs)
    assert said(result) == ["one", "ours", "two"]
    assert result is not None
    assert [take.text for take in result.messages[1].takes] == ["first", "second", "ours", "theirs"]


def test_messages_appended_on_both_sides_are_all_kept_theirs_first() -> None:
    ours = BASE.inserted(3, user("ours"))
    theirs = BASE.inserted(3, answer("theirs"), user("theirs too"))
    assert said(put_together(BASE, ours, theirs)) == ["one", "second", "two", "theirs", "theirs too", "ours"]


def test_a_text_written_here_and_a_take_added_there() -> None:
    ours = BASE.replaced(1, BASE.messages[1].with_text("by hand"))
    theirs = BASE.replaced(1, BASE.messages[1].with_take(Take(text="third")))
    result = put_together(BASE, ours, theirs)
    assert said(result) == ["one", "by hand", "two"]
    assert result is not None
    assert len(result.messages[1].takes) == 3


def test_a_star_here_and_a_note_there_on_the_same_take_are_both_kept() -> None:
    ours = BASE.replaced(1, with_mark(BASE.messages[1], starred=True))
    theirs = BASE.replaced(1, with_mark(BASE.messages[1], note="the better one").with_take(Take(text="third")))
    result = put_together(BASE, ours, theirs)
    assert result is not None
    assert [(take.text, take.note, take.starred) for take in result.messages[1].takes] == [
        ("first", None, False),
        ("second", "the better one", True),
        ("third", None, False),
    ]
    assert said(result) == ["one", "third", "two"]


def test_a_star_taken_away_there_goes_and_the_choice_made_here_stays() -> None:
    base = BASE.replaced(1, with_mark(BASE.messages[1], starred=True))
    ours = base.replaced(1, base.messages[1].walked(-1))
    theirs = base.replaced(1, with_mark(base.messages[1], starred=False))
    result = put_together(base, ours, theirs)
    assert said(result) == ["one", "first", "two"]
    assert result is not None
    assert not any(take.starred for take in result.messages[1].takes)


def test_a_take_deleted_here_and_one_added_there() -> None:
    ours = BASE.replaced(1, BASE.messages[1].walked(-1).without_chosen_take())
    theirs = BASE.replaced(1, BASE.messages[1].with_take(Take(text="third")))
    result = put_together(BASE, ours, theirs)
    assert result is not None
    assert [take.text for take in result.messages[1].takes] == ["second", "third"]


def test_only_walking_the_takes_there_is_followed() -> None:
    theirs = BASE.replaced(1, BASE.messages[1].walked(-1))
    ours = BASE.inserted(0, Message(role="system", text="be brief"))
    assert said(put_together(BASE, ours, theirs)) == ["be brief", "one", "first", "two"]


def test_what_follows_a_message_deleted_here_finds_its_place() -> None:
    ours = BASE.removed(2)
    theirs = BASE.inserted(3, answer("theirs"))
    assert said(put_together(BASE, ours, theirs)) == ["one", "second", "theirs"]


def test_messages_moved_here_and_inserted_there() -> None:
    ours = BASE.moved(0, 2)
    theirs = BASE.inserted(1, user("between"))
    assert said(put_together(BASE, ours, theirs)) == ["second", "two", "one", "between"]


def test_fields_of_the_conversation_are_merged_one_by_one() -> None:
    base = replace(BASE, title="t", sampling=Sampling(temperature=1.0), variables={"a": "1", "b": "2"}, extra={"x": 1})
    ours = replace(base, title="ours", sampling=Sampling(temperature=0.5), variables={"a": "3", "b": "2"})
    theirs = replace(
        base, note="theirs", sampling=Sampling(temperature=1.0, seed=4), variables={"a": "1", "c": "5"}, extra={"x": 2}
    )
    result = put_together(base, ours, theirs)
    assert result is not None
    assert (result.title, result.note, result.extra) == ("ours", "theirs", {"x": 2})
    assert result.sampling == Sampling(temperature=0.5, seed=4)
    assert result.variables == {"a": "3", "c": "5"}


def test_tags_of_both_sides_are_put_together() -> None:
    base = replace(BASE, tags=("old", "kept"))
    ours, theirs = replace(base, tags=("kept", "mine")), replace(base, tags=("old", "kept", "theirs", "mine"))
    result = put_together(base, ours, theirs)
    assert result is not None
    assert result.tags == ("kept", "mine", "theirs")


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (BASE.replaced(0, user("ours")), BASE.replaced(0, user("theirs"))),
        (
            BASE.replaced(0, BASE.messages[0].with_text("ours")),
            BASE.replaced(0, BASE.messages[0].with_text("theirs")),
        ),
        (BASE.inserted(3, user("ours")), BASE.removed(2)),
        (BASE.inserted(3, user("ours")), BASE.moved(0, 2)),
        (BASE.removed(1), BASE.replaced(1, BASE.messages[1].with_take(Take(text="third")))),
        (BASE.inserted(3, user("ours")), BASE.replaced(1, BASE.messages[1].without_chosen_take())),
        (
            BASE.replaced(1, BASE.messages[1].with_role("user")),
            BASE.replaced(1, BASE.messages[1].with_take(Take(text="third"))),
        ),
        (
            BASE.replaced(1, with_mark(BASE.messages[1], note="ours")),
            BASE.replaced(1, with_mark(BASE.messages[1], note="theirs")),
        ),
        (
            BASE.replaced(1, BASE.messages[1].without_chosen_take()),
            BASE.replaced(1, with_mark(BASE.messages[1], starred=True)),
        ),
        (replace(BASE, title="ours"), replace(BASE, title="theirs")),
        (replace(BASE, sampling=Sampling(seed=1)), replace(BASE, sampling=Sampling(seed=2))),
        (BASE.inserted(3, user("ours")), Conversation()),
    ],
)
def test_what_is_in_doubt_is_left_to_the_person(ours: Conversation, theirs: Conversation) -> None:
    assert put_together(BASE, ours, theirs) is None


def test_a_message_that_did_not_change_is_the_same_object() -> None:
    theirs = with_uids_of(reread(BASE.inserted(3, answer("theirs"))), BASE)
    assert all(new is old for new, old in zip(theirs.messages, BASE.messages, strict=False))
    assert theirs.messages[3].uid not in {message.uid for message in BASE.messages}


_numbers = itertools.count()


def fresh() -> str:
    return f"text {next(_numbers)}"


def at(conversation: Conversation, where: int, change: Callable[[Message], Message]) -> Conversation:
    if not conversation.messages:
        return conversation
    index = where % len(conversation.messages)
    return conversation.replaced(index, change(conversation.messages[index]))


def with_new_take(message: Message) -> Message:
    return message.with_take(Take(text=fresh())) if message.role == "assistant" else message


def as_another(message: Message) -> Message:
    return message.with_role("user" if message.role == "assistant" else "assistant")


EDITS: dict[str, Callable[[Conversation, int], Conversation]] = {
    "edit": lambda c, i: at(c, i, lambda m: m.with_text(fresh())),
    "take": lambda c, i: at(c, i, with_new_take),
    "walk": lambda c, i: at(c, i, lambda m: m.walked(-1)),
    "drop take": lambda c, i: at(c, i, Message.without_chosen_take),
    "star": lambda c, i: at(c, i, lambda m: with_mark(m, starred=not (m.take and m.take.starred))),
    "note": lambda c, i: at(c, i, lambda m: with_mark(m, note=fresh())),
    "role": lambda c, i: at(c, i, as_another),
    "mute": lambda c, i: at(c, i, lambda m: replace(m, muted=not m.muted)),
    "append user": lambda c, i: c.inserted(len(c.messages), user(fresh())),
    "append answer": lambda c, i: c.inserted(len(c.messages), answer(fresh())),
    "insert": lambda c, i: c.inserted(i % (len(c.messages) + 1), user(fresh())),
    "remove": lambda c, i: c.removed(i % len(c.messages)) if c.messages else c,
    "move": lambda c, i: c.moved(i % len(c.messages), 1) if c.messages else c,
    "duplicate": lambda c, i: c.inserted(0, user("same")),
}
edits = st.lists(st.tuples(st.sampled_from(sorted(EDITS)), st.integers(0, 5)), max_size=4)


def edited(conversation: Conversation, steps: list[tuple[str, int]]) -> Conversation:
    for name, where in steps:
        conversation = EDITS[name](conversation, where)
    return conversation


def texts(conversation: Conversation) -> set[str]:
    return {message.text for message in conversation.messages} - {""}


def takes(conversation: Conversation) -> set[str]:
    return {take.text for message in conversation.messages for take in message.takes}


def marks(conversation: Conversation) -> set[tuple[str, object]]:
    """Which take has which star, and which note; as far as it has."""
    every = [take for message in conversation.messages for take in message.takes]
    return {(take.text, mark) for take in every for mark in (take.note, take.starred) if mark}


@settings(max_examples=1500)
@given(st.lists(st.sampled_from(["same", "user", "answer"]), max_size=4), edits, edits)
def test_whatever_is_merged_nothing_is_lost(
    kinds: list[str], mine: list[tuple[str, int]], other: list[tuple[str, int]]
) -> None:
    messages = [
        answer(fresh(), fresh()) if kind == "answer" else user("same" if kind == "same" else fresh()) for kind in kinds
    ]
    base = talk(*messages)
    ours, theirs = edited(base, mine), edited(base, other)
    result = put_together(base, ours, theirs)
    if result is None:
        return
    # All that either wrote is there; only what they rewrote themselves, or we deleted ourselves, is not.
    assert texts(ours) - texts(base) <= texts(result)
    assert texts(theirs) - texts(base) <= texts(result)
    assert takes(ours) <= takes(result)
    assert takes(theirs) - takes(base) <= takes(result)
    assert marks(ours) - marks(base) <= marks(result)
    assert marks(theirs) - marks(base) <= marks(result)
    assert (texts(ours) & texts(theirs)) - {"same"} <= texts(result)
    assert dumps(reread(result)) == dumps(result)
    uids = [message.uid for message in result.messages]
    assert len(uids) == len(set(uids))


@settings(max_examples=300)
@given(st.lists(st.sampled_from(["same", "user", "answer"]), max_size=4), edits)
def test_if_one_side_did_nothing_the_other_is_the_result(kinds: list[str], steps: list[tuple[str, int]]) -> None:
    base = talk(*[answer(fresh()) if kind == "answer" else user(kind) for kind in kinds])
    changed = edited(base, steps)
    assert put_together(base, changed, base) == changed
    result = put_together(base, base, changed)
    if result is not None:
        assert dumps(result) == dumps(changed)
