"""Which message a run answers, and where its takes go."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qiao.workbench.conversation import Conversation, Message, Take
from qiao.workbench.errors import Unreadable
from qiao.workbench.placing import (
    Place,
    answer_from,
    continuation,
    next_answer,
    retake,
    taking,
    with_takes,
    written_from,
)


def user(text: str = "Hello?", muted: bool = False) -> Message:
    return Message(role="user", text=text, muted=muted)


def assistant(*texts: str, chosen: int | None = None, written: str = "", muted: bool = False) -> Message:
    takes = tuple(Take(text=text) for text in texts)
    return Message(role="assistant", text=written, takes=takes, chosen=chosen or len(takes) or None, muted=muted)


def talk(*messages: Message, **variables: str) -> Conversation:
    return Conversation(messages=messages, variables=variables)


NEW = Take(text="new")


def said_before(place: Place) -> str:
    assert place.going_on is not None
    return place.going_on.said


def said(conversation: Conversation | None) -> list[str]:
    assert conversation is not None
    return [message.said for message in conversation.messages]


def test_the_next_answer_is_a_new_message_at_the_end() -> None:
    conversation = talk(user())
    assert said(with_takes(conversation, next_answer(conversation), [NEW])) == ["Hello?", "new"]


def test_after_an_answer_one_must_say_what_is_meant() -> None:
    with pytest.raises(Unreadable, match="--retake"):
        next_answer(talk(user(), assistant("Hi.")))


@pytest.mark.parametrize("rule", [retake, continuation])
def test_there_must_be_an_answer_to_retake_or_continue(rule: object) -> None:
    for conversation in (talk(), talk(user()), talk(user(), assistant("Hi."), user("And?"))):
        with pytest.raises(Unreadable):
            rule(conversation)  # type: ignore[operator]


def test_a_muted_answer_at_the_end_counts_as_not_there() -> None:
    conversation = talk(user(), assistant("Hi.", muted=True))
    place = next_answer(conversation)
    assert said(with_takes(conversation, place, [NEW])) == ["Hello?", "Hi.", "new"]
    with pytest.raises(Unreadable):
        retake(conversation)


def test_a_retake_stands_beside_the_others_and_is_chosen() -> None:
    conversation = talk(user(), assistant("one", "two", chosen=1), user("muted", muted=True))
    place = retake(conversation)
    assert place.upto == 1
    assert place.going_on is None
    changed = with_takes(conversation, place, [NEW])
    assert changed is not None
    assert [take.text for take in changed.messages[1].takes] == ["one", "two", "new"]
    assert said(changed) == ["Hello?", "new", "muted"]


def test_a_continuation_goes_on_from_what_is_said() -> None:
    assert said_before(continuation(talk(user(), assistant("one", "two", chosen=1)))) == "one"
    assert said_before(continuation(talk(user(), assistant(written="by hand")))) == "by hand"


def test_of_several_new_takes_the_first_is_chosen() -> None:
    conversation = talk(user(), assistant("old"))
    changed = with_takes(conversation, retake(conversation), [Take(text="a"), Take(text="b")])
    assert changed is not None
    assert changed.messages[1].said == "a"
    assert len(changed.messages[1].takes) == 3


class TestRunningFromAMessage:
    conversation = talk(user("1"), assistant("2"), user("3"), user("4"), assistant("5", muted=True))

    @pytest.mark.parametrize(
        ("index", "upto", "takes_of"),
        [(0, 1, "2"), (1, 1, "2"), (2, 3, None), (3, 4, None), (4, 4, "5")],
    )
    def test_answers_what_follows(self, index: int, upto: int, takes_of: str | None) -> None:
        place = answer_from(self.conversation, index)
        assert place.upto == upto
        assert (place.seen.said if place.seen else None) == takes_of
        assert place.going_on is None

    def test_leaves_later_messages(self) -> None:
        place = answer_from(self.conversation, 2)
        assert said(with_takes(self.conversation, place, [NEW])) == ["1", "2", "3", "new", "4", "5"]


class TestAnotherProgramWroteMeanwhile:
    conversation = talk(user("1"))
    place = next_answer(conversation)

    def test_what_was_answered_was_edited(self) -> None:
        assert with_takes(talk(user("one")), self.place, [NEW]) is None

    def test_a_variable_in_it_was_changed(self) -> None:
        place = next_answer(talk(user("{{a}}"), a="x"))
        assert with_takes(talk(user("{{a}}"), a="y"), place, [NEW]) is None
        assert with_takes(talk(user("{{a}}"), a="x", b="z"), place, [NEW]) is not None

    def test_it_was_answered_there_too(self) -> None:
        changed = with_takes(talk(user("1"), assistant("theirs"), user("2")), self.place, [NEW])
        assert said(changed) == ["1", "theirs", "2"], "their choice stands: what follows was written to it"
        assert changed is not None
        assert [take.text for take in changed.messages[1].takes] == ["theirs", "new"]

    def test_a_message_was_added(self) -> None:
        assert said(with_takes(talk(user("1"), user("2")), self.place, [NEW])) == ["1", "new", "2"]

    def test_a_muted_message_was_put_before_or_taken_away(self) -> None:
        moved = talk(user("note", muted=True), user("1"))
        assert said(with_takes(moved, self.place, [NEW])) == ["note", "1", "new"]
        place = next_answer(moved)
        assert said(with_takes(self.conversation, place, [NEW])) == ["1", "new"]

    def test_the_answer_was_deleted(self) -> None:
        place = retake(talk(user("1"), assistant("old")))
        assert said(with_takes(self.conversation, place, [NEW])) == ["1", "new"]

    def test_the_answer_was_edited(self) -> None:
        place = retake(talk(user("1"), assistant("old")))
        edited = talk(user("1"), assistant("old", written="by hand"))
        edited = edited.replaced(1, edited.messages[1].with_text("by hand"))
        changed = with_takes(edited, place, [NEW])
        assert said(changed) == ["1", "by hand"]
        assert changed is not None
        assert len(changed.messages[1].takes) == 2

    def test_only_something_else_changed(self) -> None:
        place = retake(talk(user("1"), assistant("old")))
        retitled = Conversation(title="New title", messages=(user("1"), assistant("old")))
        assert said(with_takes(retitled, place, [NEW])) == ["1", "new"]


def messages_of() -> st.SearchStrategy[Message]:
    texts = st.sampled_from(["", "a", "b"])
    plain = st.builds(Message, role=st.sampled_from(["system", "user"]), text=texts, muted=st.booleans())
    answers = st.builds(
        lambda takes, written, muted: assistant(*takes, written=written, muted=muted),
        st.lists(texts, max_size=2),
        texts,
        st.booleans(),
    )
    return plain | answers


@given(st.lists(messages_of(), min_size=1, max_size=6), st.lists(messages_of(), max_size=6), st.data())
def test_nothing_of_either_side_is_lost(before: list[Message], theirs: list[Message], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(before) - 1))
    place: Place = answer_from(talk(*before), index)
    changed = with_takes(talk(*theirs), place, [NEW])
    if changed is None:
        return
    rest = list(changed.messages)
    for message in theirs:
        kept = next(m for m in rest if _holds(m, message))
        rest.remove(kept)
    assert sum(NEW in message.takes for message in changed.messages) == 1


def _holds(message: Message, other: Message) -> bool:
    """Whether all of the other message is in this one, at most takes being added."""
    written = (message.role, message.text, message.muted) == (other.role, other.text, other.muted)
    return written and message.takes[: len(other.takes)] == other.takes


def test_on_a_page_a_take_is_taken_again_and_a_text_by_hand_gone_on_from() -> None:
    page = talk(user("Once"), assistant(" upon"), user(" a time"), user("not sent", muted=True))
    assert [written_from(page, i).upto for i in range(3)] == [1, 1, 3]
    assert [written_from(page, i).seen for i in range(3)] == [page.messages[1], page.messages[1], None]
    assert (written_from(page, None).upto, written_from(page, None).seen) == (4, None)
    with pytest.raises(Unreadable):
        written_from(talk(user(""), user("not sent", muted=True)), 0)


def test_the_first_take_with_words_settles_whether_its_message_runs_on() -> None:
    failed = taking(Message(role="assistant"), Take(text=""), runs_on=False)
    written = taking(failed, NEW, runs_on=True)
    assert (failed.runs_on, written.runs_on, written.chosen) == (False, True, 2)
    assert taking(written, NEW, runs_on=False).runs_on
    assert not taking(assistant("Hi."), NEW, runs_on=True).runs_on
