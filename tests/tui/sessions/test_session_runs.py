"""Answers that come to an open conversation: each finds its place, whatever has happened meanwhile."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from qiao.backends.registry import Backends
from qiao.backends.scripted import ScriptedBackend
from qiao.tui.sessions.session import Session
from qiao.workbench.address import Address
from qiao.workbench.answering import Answer
from qiao.workbench.config import Config
from qiao.workbench.document import Document
from qiao.workbench.errors import QiaoError
from qiao.workbench.sampling import Sampling
from qiao.workbench.seam import Event, Failed, Finished, Request, Text

from ...patience import PATIENCE_S
from .sessions import ECHO, TALK, answer_all, new_session, select, texts


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return new_session(tmp_path, *TALK)


@pytest.fixture
def scripted() -> ScriptedBackend:
    return ScriptedBackend()


# Running


def test_an_answer_comes_below_its_question(session: Session, scripted: ScriptedBackend) -> None:
    scripted.enqueue("Because.")
    run = session.answering.new_run(ECHO)
    assert session.index == 4
    assert session.in_document is None
    assert session.items()[4].live is run.answer
    answer_all(session, run, scripted)
    message = session.messages[4]
    assert (message.role, message.said, message.uid) == ("assistant", "Because.", run.target)
    assert session.index == 4
    assert not session.runs
    assert [turn.text for turn in scripted.requests[0].messages] == ["Be brief.", "Hi", "Hello.", "Why?"]
    session.undo()
    assert len(session.messages) == 4


def test_running_an_answer_makes_another_take_of_it(session: Session, scripted: ScriptedBackend) -> None:
    scripted.enqueue("Good day.")
    select(session, 2)
    answer_all(session, session.answering.new_run(ECHO), scripted)
    message = session.messages[2]
    assert (message.said, message.text, message.chosen) == ("Good day.", "Hello.", 1)
    assert [turn.text for turn in scripted.requests[0].messages] == ["Be brief.", "Hi"]


def test_running_a_question_with_an_answer_makes_a_take_of_that(session: Session, scripted: ScriptedBackend) -> None:
    scripted.enqueue("Good day.")
    select(session, 1)
    answer_all(session, session.answering.new_run(ECHO), scripted)
    assert texts(session) == ["Be brief.", "Hi", "Good day.", "Why?"]


def test_several_takes_stand_in_one_message_even_if_they_are_quicker_than_the_screen(
    session: Session, scripted: ScriptedBackend
) -> None:
    for text in ("one", "two", "three"):
        scripted.enqueue(text)
    run = session.answering.new_run(ECHO, takes=3)
    answer_all(session, run, scripted)
    message = session.messages[4]
    assert [take.text for take in message.takes] == ["one", "two", "three"]
    first = scripted.requests[0].sampling.seed
    assert first is not None
    assert [take.seed for take in message.takes] == [first, first + 1, first + 2]
    assert not session.runs


def test_the_run_stays_until_its_last_answer_is_in(session: Session, scripted: ScriptedBackend) -> None:
    scripted.enqueue("one")
    scripted.enqueue("two")
    run = session.answering.new_run(ECHO, takes=2)
    ended: list[Answer] = []
    run.work(Backends(Config(), extra={"scripted": scripted}), lambda _run, answer: ended.append(answer))
    session.answering.take_in(run, ended[0])
    assert session.runs == [run]
    session.answering.take_in(run, ended[1])
    assert session.runs == []


@pytest.mark.parametrize("change", ["moved", "deleted", "undone", "question deleted"])
def test_an_answer_finds_its_place_after_any_change(
    tmp_path: Path, session: Session, scripted: ScriptedBackend, change: str
) -> None:
    scripted.enqueue("Late.")
    select(session, 2)
    run = session.answering.new_run(ECHO)
    if change == "moved":
        session.move(1)
        expected = ["Be brief.", "Hi", "Why?", "Late."]
    elif change == "deleted":
        session.document.change(session.conversation.removed(2), "label.delete")
        expected = ["Be brief.", "Hi", "Late.", "Why?"]
    elif change == "undone":
        session.mute()
        session.undo()
        expected = ["Be brief.", "Hi", "Late.", "Why?"]
    else:
        session.document.change(session.conversation.removed(2).removed(1), "label.delete")
        expected = ["Be brief.", "Why?", "Late."]
    shown_before = [m.uid for m in session.messages].index(run.target)
    answer_all(session, run, scripted)
    assert texts(session) == expected
    assert [m.uid for m in session.messages].index(run.target) == shown_before, "it comes where it was shown to come"


def test_a_new_answer_whose_question_is_undone_comes_at_the_end(session: Session, scripted: ScriptedBackend) -> None:
    scripted.enqueue("To nobody.")
    session.add(1, "One more?", "user")
    run = session.answering.new_run(ECHO)
    session.undo()
    answer_all(session, run, scripted)
    assert texts(session)[-2:] == ["Why?", "To nobody."]


def test_a_message_that_became_a_users_keeps_its_text(session: Session, scripted: ScriptedBackend) -> None:
    scripted.enqueue("one")
    scripted.enqueue("two")
    select(session, 2)
    run = session.answering.new_run(ECHO, takes=2)
    session.role()
    answer_all(session, run, scripted)
    assert texts(session) == ["Be brief.", "Hi", "Hello.", "two", "Why?"]
    assert len(session.messages[3].takes) == 2
    assert len({message.uid for message in session.messages}) == 5


def test_stopping_before_a_word_leaves_nothing(session: Session, scripted: ScriptedBackend) -> None:
    before = session.conversation
    scripted.enqueue("never said")
    run = session.answering.new_run(ECHO)
    assert session.answering.stop()
    answer_all(session, run, scripted)
    assert session.conversation is before
    assert session.index == 3
    assert not session.runs
    assert not session.answering.stop()


def test_stopping_half_way_keeps_what_came(session: Session, scripted: ScriptedBackend) -> None:
    hold = threading.Event()
    scripted.enqueue("one two three", hold=hold)
    run = session.answering.new_run(ECHO)
    ended = threading.Event()
    run.start(Backends(Config(), extra={"scripted": scripted}), lambda _run, _answer: ended.set())
    until = threading.Event()
    for _ in range(1000):
        if run.answer.text:
            break
        until.wait(0.01)
    session.answering.stop()
    assert ended.wait(PATIENCE_S)
    session.answering.take_in(run, run.answer)
    take = session.messages[4].take
    assert take is not None
    assert (take.text, take.finish) == ("one", "cancelled")


def test_stopping_several_takes_makes_no_more_of_them(session: Session, scripted: ScriptedBackend) -> None:
    scripted.enqueue("one")
    scripted.enqueue([Text("tw"), Finished("cancelled")])
    scripted.enqueue("three")
    answer_all(session, session.answering.new_run(ECHO, takes=3), scripted)
    assert [take.text for take in session.messages[4].takes] == ["one", "tw"]
    assert not session.runs


def test_a_failure_is_a_state_of_the_take_with_what_had_come(session: Session, scripted: ScriptedBackend) -> None:
    scripted.enqueue("half of", fail="engine_died", message="the engine died")
    answer_all(session, session.answering.new_run(ECHO), scripted)
    take = session.messages[4].take
    assert take is not None
    assert take.error is not None
    assert (take.text, take.finish, take.error.kind, take.error.message) == (
        "half of",
        "error",
        "engine_died",
        "the engine died",
    )


class _Broken(ScriptedBackend):
    """A backend with a mistake in it."""

    def generate(self, request: Request, stop: threading.Event) -> Iterator[Event]:
        yield Text("so f")
        raise ZeroDivisionError("oops")


class _Silent(ScriptedBackend):
    """A backend that ends without the last event."""

    def generate(self, request: Request, stop: threading.Event) -> Iterator[Event]:
        yield Text("so far")


@pytest.mark.parametrize(("backend", "text"), [(_Broken, "so f"), (_Silent, "so far")])
def test_a_mistake_in_a_backend_costs_nothing_that_came(
    session: Session, backend: type[ScriptedBackend], text: str
) -> None:
    run = session.answering.new_run(ECHO)
    answer_all(session, run, backend())
    assert isinstance(run.answer.finished, Failed)
    take = session.messages[4].take
    assert take is not None
    assert take.text == text
    assert take.finish == "error"
    assert not session.runs


def test_an_unknown_provider_is_a_failed_take(session: Session, scripted: ScriptedBackend) -> None:
    answer_all(session, session.answering.new_run(Address("nobody", "x")), scripted)
    take = session.messages[4].take
    assert take is not None
    assert take.error is not None
    assert take.error.kind == "unknown_model"


def test_continuing_goes_on_from_the_answers_text(session: Session, scripted: ScriptedBackend) -> None:
    scripted.enqueue(" And you?")
    select(session, 2)
    answer_all(session, session.answering.new_run(ECHO, go_on=True), scripted)
    take = session.messages[2].take
    assert take is not None
    assert (take.text, take.prefix) == ("Hello. And you?", len("Hello."))
    assert scripted.requests[0].continue_last
    assert scripted.requests[0].messages[-1].text == "Hello."


def test_continuing_needs_an_answer_with_text(session: Session) -> None:
    with pytest.raises(QiaoError, match="Select an answer"):
        session.answering.new_run(ECHO, go_on=True)
    session.add(1, "", "assistant")
    with pytest.raises(QiaoError, match="Select an answer"):
        session.answering.new_run(ECHO, go_on=True)
    assert not session.runs


def test_one_answer_comes_at_a_time_for_a_message(session: Session) -> None:
    session.answering.new_run(ECHO)
    with pytest.raises(QiaoError, match="already coming"):
        session.answering.new_run(ECHO)
    select(session, 3)
    with pytest.raises(QiaoError, match="already coming"):
        session.answering.new_run(ECHO)
    select(session, 1)
    session.answering.new_run(ECHO)
    assert len(session.runs) == 2


def test_two_answers_come_at_once_to_their_own_places(session: Session, scripted: ScriptedBackend) -> None:
    first = session.answering.new_run(ECHO)
    select(session, 1)
    second = session.answering.new_run(ECHO)
    scripted.enqueue("to the second")
    answer_all(session, second, scripted)
    scripted.enqueue("to the first")
    answer_all(session, first, scripted)
    assert texts(session) == ["Be brief.", "Hi", "to the second", "Why?", "to the first"]


def test_answers_that_are_coming_stand_in_their_places_and_make_none_below_stale(
    tmp_path: Path, scripted: ScriptedBackend
) -> None:
    session = new_session(tmp_path, ("user", "one"), ("user", "two"), ("user", "three"))
    scripted.enqueue("to all three")
    answer_all(session, session.answering.new_run(ECHO), scripted)
    for number in (1, 0):
        select(session, number)
        session.answering.new_run(ECHO)
    items = session.items()
    assert texts(session) == ["one", "", "two", "", "three", "to all three"]
    assert [item.live is not None for item in items] == [False, True, False, True, False, False]
    assert not any(item.stale for item in items)


def test_an_unset_variable_refuses_and_names_itself(tmp_path: Path) -> None:
    session = new_session(tmp_path, ("user", "Hi {{name}}"))
    with pytest.raises(QiaoError, match="name"):
        session.answering.new_run(ECHO)
    assert not session.runs
    assert len(session.messages) == 1


def test_asking_changes_nothing(session: Session) -> None:
    before = session.conversation, session.selected
    wanted = session.answering.ask(ECHO)
    assert [turn.text for turn in wanted.requests[0].messages] == ["Be brief.", "Hi", "Hello.", "Why?"]
    assert (session.conversation, session.selected) == before
    assert not session.runs


def test_the_sampling_says_how_many(tmp_path: Path, scripted: ScriptedBackend) -> None:
    session = new_session(tmp_path, ("user", "Hi"), sampling=Sampling(n=2, seed=7))
    scripted.enqueue("one")
    scripted.enqueue("two")
    answer_all(session, session.answering.new_run(ECHO), scripted)
    assert [take.seed for take in session.messages[1].takes] == [7, 8]


def test_a_read_only_document_asks_no_model(tmp_path: Path) -> None:
    path = tmp_path / "newer.toml"
    path.write_text('qiao = 99\n[[message]]\nrole = "user"\ntext = "Hi"\n', encoding="utf-8")
    session = Session(Document.open(path))
    with pytest.raises(QiaoError, match="read-only"):
        session.answering.new_run(ECHO)
    assert session.answering.ask(ECHO).requests, "what the model would see can still be looked at"
    with pytest.raises(QiaoError):
        session.delete()
