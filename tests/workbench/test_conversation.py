import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qiao.workbench.conversation import (
    Conversation,
    Message,
    Role,
    Take,
    join_messages,
    next_role,
    split_message,
)


def answer(*texts: str, chosen: int | None = None, text: str = "") -> Message:
    return Message(role="assistant", text=text, takes=tuple(Take(text=t) for t in texts), chosen=chosen)


def talk(*texts: str) -> Conversation:
    return Conversation(messages=tuple(Message(role="user", text=text) for text in texts))


def texts(conversation: Conversation) -> str:
    return "".join(message.text for message in conversation.messages)


def test_the_chosen_take_is_what_is_said() -> None:
    assert answer("a", "b", chosen=2, text="mine").said == "b"
    assert answer("a", "b", text="mine").said == "mine"
    assert answer().said == ""


def test_an_edit_by_hand_leaves_the_takes_and_chooses_none() -> None:
    edited = answer("a", "b", chosen=2).with_text("mine")
    assert (edited.said, edited.chosen, len(edited.takes)) == ("mine", None, 2)


def test_a_new_take_is_chosen() -> None:
    message = answer("a", text="mine").with_take(Take(text="b"))
    assert (message.said, message.chosen, message.text) == ("b", 2, "mine")


@pytest.mark.parametrize(
    ("chosen", "text", "step", "to"),
    [
        (1, "", 1, 2),
        (2, "", 1, 3),
        (3, "", 1, 3),
        (3, "", -1, 2),
        (1, "", -1, 1),
        (1, "mine", -1, None),
        (None, "mine", -1, None),
        (None, "mine", 1, 1),
        (None, "", 1, 1),
        (2, "mine", -5, None),
        (2, "", -5, 1),
        (1, "", 5, 3),
    ],
)
def test_walking_the_takes(chosen: int | None, text: str, step: int, to: int | None) -> None:
    assert answer("a", "b", "c", chosen=chosen, text=text).walked(step).chosen == to


def test_walking_where_there_are_no_takes() -> None:
    for message in (answer(), answer(text="mine")):
        assert message.walked(1) == message
        assert message.walked(-1) == message


@pytest.mark.parametrize(("chosen", "left", "said"), [(1, "bc", "b"), (2, "ac", "a"), (3, "ab", "b")])
def test_deleting_the_chosen_take(chosen: int, left: str, said: str) -> None:
    message = answer("a", "b", "c", chosen=chosen).without_chosen_take()
    assert "".join(take.text for take in message.takes) == left
    assert message.said == said


def test_deleting_the_last_take_leaves_the_text() -> None:
    message = answer("a", chosen=1, text="mine").without_chosen_take()
    assert (message.said, message.chosen, message.takes) == ("mine", None, ())
    assert message.without_chosen_take() is message


@pytest.mark.parametrize(
    ("index", "step", "order"),
    [(0, 1, "bac"), (2, -1, "acb"), (0, 5, "bca"), (2, -5, "cab"), (1, 0, "abc"), (0, -1, "abc"), (2, 1, "abc")],
)
def test_moving_a_message(index: int, step: int, order: str) -> None:
    assert texts(talk("a", "b", "c").moved(index, step)) == order


def test_messages_put_in_taken_out_and_found() -> None:
    conversation = talk("a", "b")
    new = Message(role="user", text="n")
    assert texts(conversation.inserted(1, new)) == "anb"
    assert texts(conversation.inserted(2, new, new)) == "abnn"
    assert texts(conversation.removed(0)) == "b"
    assert texts(conversation.replaced(1, new)) == "an"
    assert conversation.inserted(1, new).index(new.uid) == 1
    assert conversation.index(new.uid) is None


def test_an_edit_shares_every_other_message() -> None:
    conversation = talk("a", "b", "c")
    edited = conversation.replaced(1, conversation.messages[1].with_text("x"))
    assert edited.messages[0] is conversation.messages[0]
    assert edited.messages[2] is conversation.messages[2]
    assert texts(conversation) == "abc"


def test_an_edit_keeps_the_uid() -> None:
    message = answer("a", chosen=1)
    for edited in (message.with_text("x"), message.with_take(Take(text="b")), message.with_role("user")):
        assert edited.uid == message.uid
    assert Message(role="user").uid != Message(role="user").uid


def test_only_an_assistant_message_has_takes() -> None:
    message = answer("a", "b", chosen=2, text="mine")
    changed = message.with_role("user")
    assert (changed.role, changed.said, changed.takes, changed.chosen) == ("user", "b", (), None)
    assert message.with_role("assistant") == message
    plain = Message(role="user", text="q").with_role("assistant")
    assert (plain.role, plain.said) == ("assistant", "q")


@given(st.text(), st.data())
def test_splitting_loses_nothing(text: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(text)))
    message = Message(role="user", text=text, muted=True)
    first, second = split_message(message, at)
    seam = text.removeprefix(first.said).removesuffix(second.said)
    assert first.said + seam + second.said == text
    assert seam in ("", "\n", "\n\n")
    assert first.uid == message.uid != second.uid
    assert (second.role, second.muted) == ("user", True)


@pytest.mark.parametrize("text", ["one\n\ntwo", "one\n\n\n\ntwo", "\n\none\n\ntwo\n"])
def test_what_is_split_at_a_blank_line_and_joined_again_is_what_it_was(text: str) -> None:
    for at in range(text.index("one") + 3, text.index("two") + 1):
        first, second = split_message(Message(role="user", text=text), at)
        assert join_messages(first, second).said == text


def test_no_line_feed_is_left_at_a_seam() -> None:
    for at in (3, 4, 5):
        first, second = split_message(Message(role="user", text="one\n\ntwo"), at)
        assert (first.said, second.said) == ("one", "two")
    first, second = split_message(Message(role="user", text="one\ntwo"), 4)
    assert (first.said, second.said) == ("one", "two")


def test_splitting_an_answer_parts_what_it_says() -> None:
    first, second = split_message(answer("one two", chosen=1), 4)
    assert (first.said, second.said) == ("one ", "two")
    assert (first.chosen, len(first.takes)) == (None, 1)
    assert second.takes == ()


def test_joining_parts_by_a_blank_line() -> None:
    joined = join_messages(answer("one", chosen=1), Message(role="user", text="two"))
    assert (joined.role, joined.said, len(joined.takes)) == ("assistant", "one\n\ntwo", 1)
    assert join_messages(Message(role="user"), Message(role="user", text="two")).said == "two"
    assert join_messages(Message(role="user", text="one"), Message(role="user")).said == "one"


@pytest.mark.parametrize(
    ("roles", "index", "role"),
    [
        ([], 0, "user"),
        (["user"], 0, "system"),
        (["system"], 0, "user"),
        (["system"], 1, "user"),
        (["user"], 1, "assistant"),
        (["user", "assistant"], 2, "user"),
        (["tool"], 1, "user"),
    ],
)
def test_the_role_that_comes_next(roles: list[Role], index: int, role: Role) -> None:
    assert next_role([Message(role=each) for each in roles], index) == role


def test_a_conversation_is_a_value() -> None:
    with pytest.raises(AttributeError):
        talk("a").title = "x"  # pyright: ignore[reportAttributeAccessIssue]
    first, second = talk("a").messages[0], Message(role="user", text="a")
    assert msgspec.structs.replace(second, uid=first.uid) == first
