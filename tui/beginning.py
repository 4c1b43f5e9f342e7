"""How a conversation begins that has no file yet."""

from pathlib import Path

from ..workbench.conversation import Conversation
from ..workbench.conversation_file import loads
from ..workbench.saving import read


def load_conversation(path: Path) -> Conversation:
    """What a file holds, to begin another one with.

    Raises:
        Unreadable: it can't be read, or is no conversation.
    """
    return loads(read(path).data, str(path)).conversation
