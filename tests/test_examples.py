"""Every example opens, asks what it means to ask, and is written as Qiao itself writes it."""

from pathlib import Path

import pytest

from qiao.workbench.address import Address
from qiao.workbench.asking import ask
from qiao.workbench.conversation_file import dumps, loads

EXAMPLES = sorted((Path(__file__).parents[1] / "examples").glob("*.toml"))


def named(name: str) -> Path:
    return next(path for path in EXAMPLES if path.name == name)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
class TestEachExample:
    def test_it_is_ready_to_run(self, path: Path) -> None:
        conversation = loads(path.read_bytes(), path.name).conversation
        address = Address.parse(conversation.model or "local:starter")
        (request,) = ask(conversation, len(conversation.messages), address, conversation.sampling).requests
        assert request.messages[-1].role == "user"
        assert not any("{{" in turn.text for turn in request.messages)

    def test_its_first_save_changes_only_what_the_person_did(self, path: Path) -> None:
        data = path.read_bytes()
        loaded = loads(data, path.name)
        assert not loaded.had_comments
        assert dumps(loaded.conversation) == data

    def test_it_says_what_it_is_for(self, path: Path) -> None:
        conversation = loads(path.read_bytes(), path.name).conversation
        assert conversation.title
        assert conversation.note


def test_the_first_example_asks_the_starter_greedily() -> None:
    conversation = loads(named("first.toml").read_bytes(), "first.toml").conversation
    assert conversation.model == "local:starter"
    assert conversation.sampling.temperature == 0
    assert [message.said for message in conversation.messages] == [
        "Answer in one short sentence.",
        "What is the capital of France?",
    ]


def test_few_shot_examples_are_assistant_turns() -> None:
    conversation = loads(named("few-shot.toml").read_bytes(), "few-shot.toml").conversation
    roles = [message.role for message in conversation.messages]
    assert roles == ["system", *["user", "assistant"] * 3, "user"]
    assert {m.said for m in conversation.messages if m.role == "assistant"} == {"positive", "negative", "mixed"}
