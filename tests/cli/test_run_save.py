"""`qiao run --save`, `--retake` and `--continue`: what of an answer is kept, and where."""

import os
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from qiao.backends.scripted import ScriptedBackend
from qiao.workbench.conversation import Conversation, Message, Take
from qiao.workbench.sampling import Sampling
from qiao.workbench.seam import Event, Finished, Request, Started, Text, Turn

Qiao = Callable[..., Any]
Write = Callable[..., Path]

ANSWERED = Conversation(
    messages=(
        Message(role="system", text="Be brief."),
        Message(role="user", text="Hello, {{name}}?"),
        Message(role="assistant", takes=(Take(text="Hi"),), chosen=1),
    ),
    variables={"name": "Li Lei"},
    model="scripted:echo",
)
ASKED = ANSWERED.removed(2)


def test_a_new_answer_at_the_end(qiao: Qiao, scripted: ScriptedBackend, write: Write, read: Qiao) -> None:
    path = write(ASKED)
    scripted.enqueue("Hi!", thinking="hm")
    assert qiao("run", str(path), "--set", "temperature=0", "--set", "seed=1", "--save").out == "Hi!\n"
    saved = read(path)
    assert (saved.sampling, saved.model) == (Sampling(), "scripted:echo")
    take = saved.messages[2].take
    assert take is not None
    assert (take.text, take.thinking, take.model, take.seed) == ("Hi!", "hm", "scripted:echo", 1)
    assert take.sampling == Sampling(temperature=0, top_p=1, top_k=0, seed=1)
    assert take.finish == "stop"
    assert take.usage.completion_tokens == 3


def test_what_a_base_model_wrote_runs_on(qiao: Qiao, scripted: ScriptedBackend, write: Write, read: Qiao) -> None:
    path = write(ASKED)
    scripted.enqueue((Started("completion", Sampling()), Text("你好"), Finished("stop")))
    qiao("run", str(path), "--save")
    assert [message.runs_on for message in read(path).messages] == [False, False, True]


def test_a_conversation_that_ends_with_an_answer_wants_to_know(qiao: Qiao, write: Write) -> None:
    ended = qiao("run", str(write(ANSWERED)))
    assert (ended.code, ended.out) == (2, "")
    assert "--retake" in ended.err
    assert "--continue" in ended.err


def test_another_take(qiao: Qiao, scripted: ScriptedBackend, write: Write, read: Qiao) -> None:
    path = write(ANSWERED)
    scripted.enqueue("Hello!")
    assert qiao("run", str(path), "--retake", "--save").out == "Hello!\n"
    assert scripted.requests[0].messages[-1] == Turn("user", "Hello, Li Lei?")
    message = read(path).messages[2]
    assert [take.text for take in message.takes] == ["Hi", "Hello!"]
    assert message.chosen == 2


def test_its_continuation(qiao: Qiao, scripted: ScriptedBackend, write: Write, read: Qiao) -> None:
    path = write(ANSWERED)
    scripted.enqueue(", friend.")
    assert qiao("run", str(path), "--continue", "--save").out == ", friend.\n"
    assert scripted.requests[0].continue_last
    assert scripted.requests[0].messages[-1] == Turn("assistant", "Hi")
    take = read(path).messages[2].take
    assert (take.text, take.prefix) == ("Hi, friend.", 2)


@pytest.mark.parametrize("way", ["--retake", "--continue"])
def test_there_must_be_one(qiao: Qiao, write: Write, way: str) -> None:
    assert qiao("run", str(write(ASKED)), way).code == 2


def test_several_takes_of_one_answer(qiao: Qiao, scripted: ScriptedBackend, write: Write, read: Qiao) -> None:
    path = write(ASKED)
    for text in ("a", "b"):
        scripted.enqueue(text)
    qiao("run", str(path), "--set", "n=2", "--save")
    message = read(path).messages[2]
    assert [take.text for take in message.takes] == ["a", "b"]
    assert message.said == "a"


def test_a_partial_answer(qiao: Qiao, scripted: ScriptedBackend, write: Write, read: Qiao) -> None:
    path = write(ASKED)
    scripted.enqueue("one two", fail="engine_died", message="Gone.")
    assert qiao("run", str(path), "--save").code == 4
    take = read(path).messages[2].take
    assert (take.text, take.finish, take.error.kind) == ("one two", "error", "engine_died")


def test_nothing_at_all_is_not_saved(qiao: Qiao, scripted: ScriptedBackend, write: Write) -> None:
    path = write(ASKED)
    before = path.read_bytes()
    scripted.enqueue("", fail="unloadable", message="No.")
    assert qiao("run", str(path), "--save").code == 3
    assert path.read_bytes() == before


def test_a_system_message_for_once_leaves_the_file_and_the_take_in_its_place(
    qiao: Qiao, scripted: ScriptedBackend, write: Write, read: Qiao
) -> None:
    path = write(Conversation(messages=(Message(role="user", text="Hello?"),), model="scripted:echo"))
    scripted.enqueue("Hi.")
    assert qiao("run", str(path), "--system", "Be brief.", "--save").code == 0
    assert [message.said for message in read(path).messages] == ["Hello?", "Hi."]


def test_without_asking_nothing_is_written(qiao: Qiao, scripted: ScriptedBackend, write: Write) -> None:
    path = write(ASKED)
    before = path.read_bytes()
    scripted.enqueue("Hi.")
    qiao("run", str(path))
    assert path.read_bytes() == before


def test_stdin_has_no_file_to_save_in(qiao: Qiao, scripted: ScriptedBackend) -> None:
    ended = qiao("run", "-", "-m", "scripted:echo", "--save", stdin="?")
    assert (ended.code, ended.out) == (2, "")
    assert "--save" in ended.err
    assert scripted.requests == []


def test_a_newer_programs_file_is_only_read(qiao: Qiao, scripted: ScriptedBackend, write: Write) -> None:
    path = write(ASKED)
    path.write_bytes(path.read_bytes().replace(b"qiao = 1", b"qiao = 99"))
    scripted.enqueue("Hi.")
    assert qiao("run", str(path), "--save").code == 2
    assert qiao("run", str(path)).out == "Hi.\n"


def test_another_program_wrote_meanwhile(
    qiao: Qiao, scripted: ScriptedBackend, write: Write, read: Qiao, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(ASKED)

    def generate(request: Request, stop: threading.Event) -> Iterator[Event]:
        yield Text("Hi.")
        write(ASKED.inserted(2, Message(role="user", text="And?")))
        yield Finished("stop")

    monkeypatch.setattr(scripted, "generate", generate)
    assert qiao("run", str(path), "--save") == (0, "Hi.\n", "")
    assert [message.said for message in read(path).messages][2:] == ["Hi.", "And?"]


def test_another_program_changed_what_was_answered(
    qiao: Qiao, scripted: ScriptedBackend, write: Write, read: Qiao, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(ASKED)
    theirs = ASKED.replaced(1, Message(role="user", text="Bye."))

    def generate(request: Request, stop: threading.Event) -> Iterator[Event]:
        yield Text("Hi.")
        write(theirs)
        yield Finished("stop")

    monkeypatch.setattr(scripted, "generate", generate)
    ended = qiao("run", str(path), "--save", "--json")
    beside = path.with_name("talk.answer-1.toml")
    assert (ended.code, ended.json["saved"]) == (0, str(beside))
    assert str(beside) in ended.err
    assert [message.said for message in read(path).messages] == ["Be brief.", "Bye."]
    assert [message.said for message in read(beside).messages] == ["Be brief.", "Hello, {{name}}?", "Hi."]


def test_an_answer_that_can_not_be_saved_is_printed_all_the_same(
    qiao: Qiao, scripted: ScriptedBackend, write: Write, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    path = write(ASKED, "folder/talk.toml")

    def generate(request: Request, stop: threading.Event) -> Iterator[Event]:
        yield Text("Hi.")
        path.unlink()
        folder.rmdir()
        yield Finished("stop")

    monkeypatch.setattr(scripted, "generate", generate)
    ended = qiao("run", str(path), "--save", "--json")
    assert (ended.code, ended.json["text"], ended.json["error"]["kind"]) == (2, "Hi.", "unsaved")


def test_comments_are_not_lost(qiao: Qiao, scripted: ScriptedBackend, write: Write) -> None:
    path = write(ASKED)
    path.write_bytes(b"# precious\n" + path.read_bytes())
    scripted.enqueue("Hi.")
    ended = qiao("run", str(path), "--save")
    copy = path.with_name("talk.toml.bak")
    assert copy.read_bytes().startswith(b"# precious\n")
    assert str(copy) in ended.err


def test_a_pipe_that_nobody_reads_any_more_costs_nothing_that_arrived(
    qiao: Qiao, scripted: ScriptedBackend, write: Write, read: Qiao, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    path = write(ASKED)
    scripted.enqueue("one two")
    with open(writer, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        assert qiao("run", str(path), "--save").code == 141
    take = read(path).messages[2].take
    assert (take.text, take.finish) == ("one", "cancelled")


def test_a_file_whose_name_is_no_text(
    qiao: Qiao, scripted: ScriptedBackend, write: Write, read: Qiao, tmp_path: Path
) -> None:
    path = tmp_path / os.fsdecode(b"talk\xff.toml")
    write(ASKED).rename(path)
    scripted.enqueue("Hi.")
    ended = qiao("run", str(path), "--save", "--json")
    assert (ended.code, ended.json["saved"]) == (0, str(tmp_path / "talk\ufffd.toml"))
    assert read(path).messages[2].said == "Hi."
    ended = qiao("run", str(path), "--json")
    assert (ended.code, ended.json["error"]["kind"]) == (2, "unreadable")
