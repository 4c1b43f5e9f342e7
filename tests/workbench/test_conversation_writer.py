"""A conversation that is saved again and again: only what changed is written anew, and the file is the same."""

import msgspec
import pytest
import tomli_w
from hypothesis import given
from hypothesis import strategies as st

from qiao.workbench import conversation_file
from qiao.workbench.conversation import Conversation, Message, Take
from qiao.workbench.conversation_file import Writer, dumps, loads
from qiao.workbench.toml_writing import PIECE
from qiao.workbench.toml_writing import dumps as dump_toml

MESSAGES = [
    Message(role="user", text="你好"),
    Message(role="assistant", takes=(Take(text="Hi\nthere"),), chosen=1),
    Message(role="user", text="Two\r\nlines", extra={"score": 3, "tags": [{"name": "x"}]}),
    Message(role="system", text=""),
]

conversations = st.builds(
    lambda messages, title, extra: Conversation(title=title, messages=tuple(messages), extra=extra),
    st.lists(
        st.sampled_from(MESSAGES) | st.builds(Message, role=st.just("user"), text=st.text(max_size=5)), max_size=6
    ),
    st.none() | st.text(max_size=4),
    st.sampled_from([{}, {"colour": "red"}, {"from": {"program": "other"}}, {"list": [{"a": 1}, {"a": 2}], "z": 1}]),
)


@given(st.lists(conversations, max_size=5))
def test_whatever_was_written_before_the_file_is_the_same(several: list[Conversation]) -> None:
    writer = Writer()
    for conversation in several:
        data = writer.dumps(conversation)
        assert data == dumps(conversation)
        read = loads(data, "talk.toml").conversation
        assert [(m.role, m.text, m.takes, m.extra) for m in read.messages] == [
            (m.role, m.text, m.takes, m.extra) for m in conversation.messages
        ]
        assert (read.title, read.extra) == (conversation.title, conversation.extra)


def test_only_messages_that_changed_are_written_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    written: list[object] = []
    original = conversation_file.written

    def counted(struct: msgspec.Struct) -> dict[str, object]:
        if isinstance(struct, Message):
            written.append(struct)
        return original(struct)

    monkeypatch.setattr(conversation_file, "written", counted)
    writer = Writer()
    conversation = Conversation(messages=tuple(Message(role="user", text=str(number)) for number in range(100)))
    writer.dumps(conversation)
    assert len(written) == 100
    edited = conversation.replaced(50, conversation.messages[50].with_text("other")).removed(3)
    assert b"other" in writer.dumps(edited)
    assert len(written) == 101


@pytest.mark.parametrize("times", [1, PIECE - 2, PIECE])
def test_a_string_is_written_as_tomli_w_writes_it(times: int) -> None:
    for text in ("x" * times + '"\\\t\b\f\r\x1b\x7f\0é敲😀', "\n" * times + '"""\\\t\rx', "a\r\nb" + '"' * times):
        multiline = "\n" in text and "\r\n" not in text
        assert dump_toml({"text": text}).decode() == tomli_w.dumps({"text": text}, multiline_strings=multiline)
