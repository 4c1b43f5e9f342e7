"""The work on an open conversation: every edit is one step of undo."""

from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from qiao.backends.scripted import ScriptedBackend
from qiao.tui.sessions.session import Session
from qiao.workbench.asking import prompt_hashes
from qiao.workbench.conversation import Message, Take

from .sessions import ECHO, TALK, answer_all, new_session, select, texts, with_takes


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return new_session(tmp_path, *TALK)


@pytest.fixture
def scripted() -> ScriptedBackend:
    return ScriptedBackend()


# Editing

EDITS: dict[str, tuple[int, Callable[[Session], object], list[str]]] = {
    "add below": (1, lambda s: s.add(1, "new"), ["Be brief.", "Hi", "new", "Hello.", "Why?"]),
    "add above": (1, lambda s: s.add(0, "new"), ["Be brief.", "new", "Hi", "Hello.", "Why?"]),
    "delete": (1, lambda s: s.delete(), ["Be brief.", "Hello.", "Why?"]),
    "write": (1, lambda s: s.write(s.selected, "Hey"), ["Be brief.", "Hey", "Hello.", "Why?"]),
    "split": (0, lambda s: s.split(s.selected, "Be brief.", 3), ["Be ", "brief.", "Hi", "Hello.", "Why?"]),
    "join": (1, lambda s: s.join(), ["Be brief.", "Hi\n\nHello.", "Why?"]),
    "move down": (1, lambda s: s.move(1), ["Be brief.", "Hello.", "Hi", "Why?"]),
    "move up": (1, lambda s: s.move(-1), ["Hi", "Be brief.", "Hello.", "Why?"]),
}


@pytest.mark.parametrize("name", EDITS)
def test_each_edit_is_one_step_of_undo(session: Session, name: str) -> None:
    number, edit, expected = EDITS[name]
    before = session.conversation
    select(session, number)
    edit(session)
    assert texts(session) == expected
    assert session.message is not None
    assert session.message in session.messages, "something sensible is selected"
    assert session.undo() is not None
    assert session.conversation == before
    assert session.redo() is not None
    assert texts(session) == expected


def test_role_and_mute_are_steps_of_undo(session: Session) -> None:
    select(session, 1)
    session.role()
    assert session.conversation.messages[1].role == "assistant"
    session.role()
    assert session.conversation.messages[1].role == "system"
    session.role()
    assert session.conversation.messages[1].role == "user"
    session.mute()
    assert session.conversation.messages[1].muted
    session.undo()
    assert not session.conversation.messages[1].muted


@pytest.mark.parametrize("number", [0, 3])
def test_a_message_at_the_edge_stays_there(session: Session, number: int) -> None:
    select(session, number)
    session.move(-1 if number == 0 else 1)
    assert texts(session) == [text for _role, text in TALK]
    assert not session.document.can_undo


def test_what_is_added_is_selected_and_has_the_likely_role(session: Session) -> None:
    select(session, 1)
    session.add(1)
    assert session.index == 2
    assert [m.role for m in session.messages] == ["system", "user", "assistant", "assistant", "user"]


def test_an_added_message_that_stays_empty_goes_as_if_it_had_never_been(session: Session) -> None:
    before = session.conversation
    select(session, 1)
    for offset in (0, 1):
        session.add(offset)
        session.write(session.selected, "")
        assert session.conversation == before
        assert session.index == 1
        assert not session.document.can_undo


def test_leaving_an_empty_new_message_takes_back_nothing_else(session: Session, scripted: ScriptedBackend) -> None:
    select(session, 1)
    run = session.answering.new_run(ECHO)
    select(session, 3)
    session.add(1)
    added = session.selected
    scripted.enqueue("An answer.")
    answer_all(session, run, scripted)
    session.write(added, "")
    assert texts(session) == ["Be brief.", "Hi", "An answer.", "Why?"]


def test_what_was_typed_survives_its_message(session: Session) -> None:
    select(session, 1)
    uid = session.selected
    session.document.change(session.conversation.removed(1), "label.delete")
    session.write(uid, "typed meanwhile")
    assert "typed meanwhile" in texts(session)
    session.split(uid, "split meanwhile", 5)
    assert "split meanwhile" in texts(session)
    count = len(session.messages)
    session.write(uid, "")
    assert len(session.messages) == count


def test_writing_the_same_is_no_step(session: Session) -> None:
    session.write(session.selected, "Why?")
    assert not session.document.can_undo


def test_editing_an_answer_keeps_its_takes(session: Session) -> None:
    with_takes(session, 2, "one", "two")
    session.write(session.messages[2].uid, "by hand")
    message = session.messages[2]
    assert (message.said, message.chosen, len(message.takes)) == ("by hand", None, 2)


def test_deleting_takes_one_of_several_then_the_message(session: Session) -> None:
    with_takes(session, 2, "one", "two")
    select(session, 2)
    session.delete()
    assert session.messages[2].said == "one"
    session.delete()
    assert texts(session) == ["Be brief.", "Hi", "Why?"]
    session.undo()
    session.undo()
    assert session.messages[2].said == "two"


def test_deleting_everything_leaves_nothing_selected(session: Session) -> None:
    for _ in TALK:
        session.delete()
    assert session.messages == ()
    assert session.message is None
    assert session.index == -1
    assert session.in_document is None
    for nothing in (session.delete, session.role, session.mute, session.join, lambda: session.move(1)):
        nothing()
    session.step(1)
    session.walk(1)
    session.add(1, "first again", "user")
    assert texts(session) == ["first again"]


def test_a_role_change_keeps_what_is_said(session: Session) -> None:
    with_takes(session, 2, "one", "two")
    before = session.conversation
    select(session, 2)
    session.walk(-1)
    session.role()
    message = session.messages[2]
    assert (message.role, message.said, message.takes) == ("system", "one", ())
    session.undo()
    session.undo()
    assert session.conversation == before


def test_walking_stops_at_both_ends_and_makes_steps_only_when_it_moves(session: Session) -> None:
    with_takes(session, 2, "one", "two")
    select(session, 2)
    seen = [session.messages[2].said]
    for step in (-1, -1, -1, 1, 1, 1):
        session.walk(step)
        seen.append(session.messages[2].said)
    assert seen == ["two", "one", "Hello.", "Hello.", "one", "two", "two"]
    for _ in range(4):
        session.undo()
    assert session.messages[2].said == "two"
    assert session.undo() == "label.answer"


def test_stepping_holds_at_the_ends(session: Session) -> None:
    session.step(1)
    assert session.index == 3
    session.step(-99)
    assert session.index == 0


def test_the_last_message_is_selected_at_first_and_when_the_selected_one_is_gone(session: Session) -> None:
    assert session.index == 3
    session.selected = -5
    assert session.index == 3


def test_joining_at_the_end_does_nothing(session: Session) -> None:
    session.join()
    assert not session.document.can_undo


# What is shown


def test_items_say_what_is_stale(session: Session) -> None:
    hashes = prompt_hashes(session.messages, {})
    answer = session.messages[2].with_take(Take(text="Hello!", prompt_hash=hashes[2]))
    session.document.change(session.conversation.replaced(2, answer), "label.answer")
    assert [item.stale for item in session.items()] == [False] * 4
    session.write(session.messages[1].uid, "Hey")
    assert [item.stale for item in session.items()] == [False, False, True, False]
    session.write(session.messages[3].uid, "Why not?")
    assert [item.stale for item in session.items()] == [False, False, True, False]
    session.undo()
    session.undo()
    assert not any(item.stale for item in session.items())
    select(session, 0)
    session.mute()
    assert session.items()[2].stale


def test_a_variable_makes_an_answer_stale(tmp_path: Path) -> None:
    session = new_session(tmp_path, ("user", "Hi {{name}}"), variables={"name": "Li"})
    answer = Message(role="assistant").with_take(
        Take(text="x", prompt_hash=prompt_hashes(session.messages, {"name": "Li"})[1])
    )
    session.document.change(session.conversation.inserted(1, answer), "label.answer")
    assert not session.items()[1].stale
    changed = msgspec.structs.replace(session.conversation, variables={"name": "Wang"})
    session.document.change(changed, "label.variable")
    assert session.items()[1].stale


def test_a_coming_answer_does_not_shift_what_stale_means(session: Session) -> None:
    session.answering.new_run(ECHO)
    session.document.change(session.conversation.inserted(4, Message(role="user", text="And?")), "label.add")
    hashes = prompt_hashes(session.conversation.messages, {})
    fresh = Message(role="assistant").with_take(Take(text="Because.", prompt_hash=hashes[5]))
    session.document.change(session.conversation.inserted(5, fresh), "label.add")
    items = session.items()
    assert [item.live is not None for item in items] == [False, False, False, False, True, False, False]
    assert not any(item.stale for item in items)


def test_hashes_are_right_after_any_edit(session: Session) -> None:
    def fresh() -> list[bool]:
        answers = prompt_hashes(session.conversation.messages, session.conversation.variables)
        return [
            m.take is not None and m.take.prompt_hash != answers[i] for i, m in enumerate(session.conversation.messages)
        ]

    hashes = prompt_hashes(session.messages, {})
    for number in (2, 3):
        changed = session.messages[number].with_take(Take(text="t", prompt_hash=hashes[number]))
        changed = msgspec.structs.replace(changed, role="assistant")
        session.document.change(session.conversation.replaced(number, changed), "label.answer")
    for number, edit in enumerate([e for _n, e, _t in EDITS.values()]):
        select(session, number % len(session.messages))
        edit(session)
        assert [item.stale for item in session.items()] == fresh()
    while session.undo():
        assert [item.stale for item in session.items()] == fresh()


def test_items_are_a_sequence(session: Session) -> None:
    items = session.items(3)
    assert [item.message for item in items] == list(session.messages)
    assert items[-1].message is session.messages[-1]
    assert [item.message.text for item in items[1:3]] == ["Hi", "Hello."]
    with pytest.raises(IndexError):
        items[4]
    session.editing = session.messages[1].uid
    session.folds = session.folds.with_thinking(session.messages[2].uid, folded=False)
    shown = session.items(3)
    assert [item.editing for item in shown] == [0, 3, 0, 0]
    assert [item.unfolded for item in shown] == [False, False, True, False]


def test_undo_stays_where_it_was_done(tmp_path: Path) -> None:
    session = new_session(tmp_path, *(("user", str(n)) for n in range(6)))
    select(session, 1)
    session.add(1, "between")
    assert session.index == 2
    session.undo()
    assert texts(session) == ["0", "1", "2", "3", "4", "5"]
    assert session.index == 1
    session.redo()
    assert (session.index, session.messages[2].text) == (2, "between")
    session.undo()
    select(session, 3)
    session.delete()
    select(session, 0)
    session.undo()
    assert (session.index, session.messages[3].text) == (3, "3")
    select(session, 0)
    session.redo()
    assert session.index == 0


def test_where_a_message_is_gone_the_one_in_its_place_is_selected(tmp_path: Path) -> None:
    session = new_session(tmp_path, *(("user", str(n)) for n in range(6)))
    select(session, 2)
    assert session.index == 2
    left = session.conversation.messages
    session.change(session.conversation.with_messages((*left[:2], *left[3:])), "label.delete")
    assert session.index == 2
    session.change(session.conversation.with_messages(left[:1]), "label.delete")
    assert session.index == 0
