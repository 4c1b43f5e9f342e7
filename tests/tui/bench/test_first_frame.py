"""What the first frame shows of a conversation holds in those that follow."""

from collections.abc import Callable
from pathlib import Path

from qiao.workbench.conversation import Conversation, Message
from qiao.workbench.conversation_file import dumps

from ..conftest import Terminal


def test_nothing_is_said_to_be_below_a_conversation_that_is_all_in_sight(
    open_terminal: Callable[..., Terminal], tmp_path: Path
) -> None:
    path = tmp_path / "talk.toml"
    path.write_bytes(dumps(Conversation(messages=(Message(role="user", text="Hello."),))))
    terminal = open_terminal(str(path))
    terminal.wait("Hello.")
    terminal.wait("MACHINE")
    assert b"more below" not in terminal.output
