"""A transcript in Markdown, to be read by people. Only written."""

import re
from collections.abc import Sequence

from ..conversation import Conversation
from ..words import say
from .exchanged import Exported, LeftOut, sent_messages


def write(conversations: Sequence[Conversation]) -> Exported:
    """A heading a conversation, one a message, and under each answer the model that gave it."""
    left_out = LeftOut()
    parts = [_transcript(conversation, left_out) for conversation in conversations]
    left_out["sampling"] += sum(each.sampling != type(each.sampling)() for each in conversations)
    return Exported("\n---\n\n".join(parts), left_out)


def _transcript(conversation: Conversation, left_out: LeftOut) -> str:
    blocks: list[str] = []
    if conversation.title:
        blocks.append(f"# {' '.join(conversation.title.split())}")
    takes = [message.take for message in conversation.messages if not message.muted]
    for (role, text), take in zip(sent_messages(conversation, left_out), takes, strict=True):
        blocks.append(f"## {say(f'exchange.role_{role}')}")
        blocks.append(_nested(text.strip("\n")))
        if take is not None and take.model:
            blocks.append(f"*{take.model}*")
    return "\n\n".join(blocks) + "\n"


def _nested(text: str) -> str:
    """Its own headings two levels down, outside of fenced code, so that the messages' stay above them."""
    lines: list[str] = []
    fence = ""
    for line in text.split("\n"):
        mark = re.match(r" {0,3}(`{3,}|~{3,})", line)
        if mark and not fence:
            fence = mark[1]
        elif mark and mark[1].startswith(fence):
            fence = ""
        heading = None if fence else re.match(r"(#{1,6})(?=[ \t]|$)", line)
        lines.append(f"{'#' * min(len(heading[1]) + 2, 6)}{line[len(heading[1]) :]}" if heading else line)
    return "\n".join(lines)
