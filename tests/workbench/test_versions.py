"""Prompts that were run, and bringing one back."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from qiao.workbench.asking import prompt_hashes
from qiao.workbench.conversation import Conversation, Message, Role, Take
from qiao.workbench.versions import Prompt, Said, brought_back, history, prompt_of, recall, remember


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QIAO_HOME", str(tmp_path))


def hash_of(conversation: Conversation, index: int) -> str:
    return prompt_hashes(conversation.messages[:index], conversation.variables)[-1]


OLD = Conversation(
    variables={"city": "Paris"},
    messages=(
        Message(role="system", text="Be brief."),
        Message(role="user", text="Where is {{city}}?"),
        Message(role="assistant"),
    ),
)


def test_a_prompt_is_kept_once_and_found_by_its_hash() -> None:
    prompt = prompt_of(OLD.messages[:2], OLD.variables)
    remember("ab12", prompt)
    remember("ab12", Prompt(()))
    assert recall("ab12") == prompt
    assert recall("cd34") is None
    assert recall("../ab12") is None


def test_the_history_has_the_prompt_of_each_take_and_the_one_of_now() -> None:
    first, second = "aa11", hash_of(OLD, 2)
    remember(first, Prompt((Said("user", "Hm?"),)))
    takes = (
        Take(text="1", prompt_hash=first, created=datetime(2026, 11, 22, tzinfo=UTC)),
        Take(text="2", prompt_hash=second),
        Take(text="3", prompt_hash="bb22"),
        Take(text="4", prompt_hash=first),
    )
    now = OLD.replaced(2, Message(role="assistant", takes=takes, chosen=1))
    found = history(now, 2)
    assert [(v.hash, [t.text for t in v.takes], v.is_current) for v in found] == [
        (first, ["1", "4"], False),
        ("bb22", ["3"], False),
        (second, ["2"], True),
    ]
    assert found[0].prompt == Prompt((Said("user", "Hm?"),))
    assert found[0].last == datetime(2026, 11, 22, tzinfo=UTC)
    assert found[1].prompt is None


def test_bringing_back_keeps_values_that_messages_below_name() -> None:
    prompt = prompt_of(OLD.messages[:2], OLD.variables)
    below = Message(role="user", text="And in {{year}}?")
    now = OLD.inserted(3, below)
    back = brought_back(msgspec.structs.replace(now, variables={"city": "Rome", "year": "1900"}), 2, prompt)
    assert back.variables == {"city": "Paris", "year": "1900"}


def test_bringing_back_keeps_what_says_the_same_and_all_takes() -> None:
    prompt = prompt_of(OLD.messages[:2], OLD.variables)
    answer = Message(role="assistant", takes=(Take(text="4"),), chosen=1)
    muted = Message(role="user", text="off", muted=True)
    now = Conversation(messages=(OLD.messages[0], muted, Message(role="user", text="Else?"), answer))
    back = brought_back(now, 3, prompt)
    assert [(m.role, m.said, m.muted) for m in back.messages] == [
        ("system", "Be brief.", False),
        ("user", "off", True),
        ("user", "Where is {{city}}?", False),
        ("assistant", "4", False),
    ]
    assert back.variables == {"city": "Paris"}
    assert back.messages[0] is OLD.messages[0]
    assert back.messages[3] is answer


def test_an_earlier_answer_is_chosen_again_rather_than_written_over() -> None:
    answer = Message(role="assistant", takes=(Take(text="yes"), Take(text="no")), chosen=1)
    prompt = prompt_of((answer,), {})
    now = Conversation(messages=(msg := answer.walked(1), Message(role="assistant")))
    assert msg.said == "no"
    back = brought_back(now, 1, prompt)
    assert (back.messages[0].chosen, back.messages[0].takes) == (1, answer.takes)


roles = st.sampled_from(["system", "user", "assistant"])
talks = st.lists(st.tuples(roles, st.text(st.sampled_from("ab{} "), max_size=4), st.booleans()), max_size=5)


def conversation(talk: list[tuple[Role, str, bool]]) -> Conversation:
    made: list[Message] = []
    for role, text, is_take in talk:
        taken = is_take and role == "assistant"
        made.append(Message(role=role).with_take(Take(text=text)) if taken else Message(role=role, text=text))
    return Conversation(messages=tuple(made))


@given(talks, talks)
def test_what_is_brought_back_is_the_same_prompt_again(
    before: list[tuple[Role, str, bool]], now: list[tuple[Role, str, bool]]
) -> None:
    old, new = conversation(before), conversation(now)
    back = brought_back(new, len(new.messages), prompt_of(old.messages, {}))
    assert hash_of(back, len(back.messages)) == hash_of(old, len(old.messages))
