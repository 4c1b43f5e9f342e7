"""Keys typed in one burst, in a real terminal: each does what it means on the screen that the one before it leaves."""

from collections.abc import Callable
from pathlib import Path

from qiao.workbench.conversation import Conversation, Message
from qiao.workbench.conversation_file import dumps, loads

from .conftest import Terminal

OPENED = {
    "Y": "Copy as",
    "N": "How many takes?",
    "W": "Save as",
    ";": "empty takes it away",
    "#": "parted by blanks",
    "?": "MOVING",
    ":": "any action",
    "m": "R ask again",
    "s": "enter type",
}
"""What these keys open, and words of it. It is left by esc, and the key behind that is the conversation's again."""


def test_a_key_right_behind_esc_reaches_the_conversation(
    open_terminal: Callable[..., Terminal], tmp_path: Path
) -> None:
    path = tmp_path / "talk.toml"
    path.write_bytes(dumps(Conversation(messages=(Message(role="user", text="Hello."),))))
    terminal = open_terminal(str(path), columns=80, rows=24)
    terminal.wait("Hello.")
    for times, (key, word) in enumerate(OPENED.items(), 1):
        terminal.send(key)
        terminal.wait(word)
        terminal.send("\x1bM")
        muted = times % 2 == 1
        terminal.wait(lambda _, muted=muted: loads(path.read_bytes(), "").conversation.messages[0].muted is muted)


def test_a_command_and_a_key_behind_it_are_both_carried_out(
    open_terminal: Callable[..., Terminal], tmp_path: Path
) -> None:
    path = tmp_path / "talk.toml"
    messages = tuple(Message(role="user", text=text) for text in ("One.", "Two.", "Three."))
    path.write_bytes(dumps(Conversation(messages=messages)))
    terminal = open_terminal(str(path), columns=80, rows=24, cwd=tmp_path)
    terminal.wait("Three.")

    def muted() -> list[bool]:
        return [message.muted for message in loads(path.read_bytes(), "").conversation.messages]

    # All at once: what is found is what stands in the line, and k goes up in the conversation.
    terminal.send(":mute\rk:mute\r")
    terminal.wait(lambda _: muted() == [False, True, True])
    terminal.send(":add\rFour.\x1bk:next\rM")
    terminal.wait(lambda _: len(muted()) == 4)
    terminal.wait(lambda _: [m.said for m in loads(path.read_bytes(), "").conversation.messages][2] == "Four.")
    terminal.wait(lambda _: muted() == [False, True, True, True])
