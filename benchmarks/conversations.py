"""Conversations and answers to measure with, always the same ones."""

import random
from pathlib import Path

from qiao.backends.scripted import tokens
from qiao.workbench.conversation import Conversation, Message
from qiao.workbench.conversation_file import dumps

WORDS = (
    "weighing every word is slow work and a good prompt mostly that one changed the answer read again difference seen "
    "question names its audience gets shorter better purpose 推敲 二字 出自 贾岛的故事： 僧推月下门， 还是 僧敲月下门？"
)


def answer(count: int) -> str:
    """Paragraphs of so many tokens; no two lines are alike."""
    chance = random.Random(1)
    text = ""
    while len(tokens(text)) < count:
        text += " ".join(chance.choices(WORDS.split(), k=chance.randint(20, 90))).capitalize() + ".\n\n"
    return "".join(tokens(text)[:count]).strip()


def formatted(count: int) -> str:
    """Markdown of so many tokens: headings, emphasis, lists, a table and code between paragraphs."""
    paragraphs = iter(answer(count).split("\n\n"))
    parts: list[str] = []
    for number, paragraph in enumerate(paragraphs, start=1):
        first, *rest = paragraph.split(" ")
        parts += [f"## {first} {number}", f"**{first}** {' '.join(rest)}"]
        if number % 3 == 0:
            parts.append("\n".join(f"- {' '.join(rest[at : at + 9])}" for at in range(0, len(rest), 9)))
        if number % 4 == 0:
            parts.append("```python\n" + "\n".join(f"{word} = {at}" for at, word in enumerate(rest[:12])) + "\n```")
    return "".join(tokens("\n\n".join(parts))[:count])


def prose(characters: int) -> str:
    """One paragraph of so many characters."""
    chance = random.Random(2)
    words: list[str] = []
    length = 0
    while length < characters:
        words.append(chance.choice(WORDS.split()))
        length += len(words[-1]) + 1
    return " ".join(words)[:characters]


def write_short(path: Path) -> Path:
    """A question to be answered."""
    return _write(path, [Message(role="system", text="Be brief."), Message(role="user", text="What is a good prompt?")])


def write_long(path: Path, count: int, characters: int) -> Path:
    """So many messages of so many characters, each with its number."""
    text = prose(characters)
    roles = ("user", "assistant")
    numbered = [f"Message {number}. {text}"[:characters] for number in range(1, count + 1)]
    return _write(path, [Message(role=roles[at % 2], text=each) for at, each in enumerate(numbered)])


def write_large(path: Path, characters: int, paragraph: int) -> Path:
    """One message of so many characters, in numbered paragraphs of about so many; 0: in a single line."""
    if not paragraph:
        return _write(path, [Message(role="user", text=prose(characters))])
    text = prose(paragraph)
    count = max(1, characters // (paragraph + 20))
    paragraphs = [f"Paragraph {number}. {text}" for number in range(1, count + 1)]
    return _write(path, [Message(role="user", text="\n".join(paragraphs))])


def _write(path: Path, messages: list[Message]) -> Path:
    path.write_bytes(dumps(Conversation(messages=tuple(messages))))
    return path
