"""The prompts that were run, each kept once under its hash: what a take answered can be looked up and brought back.

They lie in the data folder, as `versions/ab/abcd….json`. A take names its prompt by `prompt_hash`: so a conversation's
history survives a new name, a copy and a fork, as long as it stays on this machine.
"""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from .asking import prompt_hashes
from .conversation import Conversation, Message, Role, Take
from .errors import QiaoError
from .paths import data_dir
from .saving import ChangedOnDisk, read, write
from .visible import without_surrogates


class Said(msgspec.Struct, frozen=True, omit_defaults=True):
    """A message of a prompt, as it was written, variables not filled in."""

    role: Role
    text: str
    is_take: bool = False
    """A model said it: no variables in it."""
    runs_on: bool = False


class Prompt(msgspec.Struct, frozen=True, omit_defaults=True):
    """A prompt that was run."""

    messages: tuple[Said, ...]
    variables: dict[str, str] = {}


class Version(msgspec.Struct, frozen=True):
    """A prompt of a message's history, with the takes that answered it."""

    hash: str
    prompt: Prompt | None
    """None: it was run elsewhere, or before prompts were kept."""
    takes: tuple[Take, ...]
    is_current: bool

    @property
    def last(self) -> datetime | None:
        """When it was answered last."""
        return max((take.created for take in self.takes if take.created is not None), default=None)


def prompt_of(messages: Sequence[Message], variables: dict[str, str]) -> Prompt:
    """The prompt that these messages are."""
    sent = (m for m in messages if not m.muted)
    said = (Said(m.role, without_surrogates(m.said), m.take is not None, m.runs_on) for m in sent)
    values = {name: without_surrogates(value) for name, value in variables.items()}
    return Prompt(tuple(said), values)


def remember(prompt_hash: str, prompt: Prompt) -> None:
    """Keeps a prompt that is run; nothing happens if it is kept already. Blocks on the disk.

    Raises:
        QiaoError, OSError: it can't be written.
    """
    path = _path(prompt_hash)
    if not path.exists():
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            write(path, msgspec.json.encode(prompt), None)
        except ChangedOnDisk:
            # Another run of the same prompt was quicker.
            return


def recall(prompt_hash: str) -> Prompt | None:
    """The prompt with this hash, if it was run on this machine."""
    if not prompt_hash.isalnum():
        return None
    try:
        return msgspec.json.decode(read(_path(prompt_hash)).data, type=Prompt)
    except (QiaoError, msgspec.DecodeError):
        return None


def _path(prompt_hash: str) -> Path:
    return data_dir() / "versions" / prompt_hash[:2] / f"{prompt_hash}.json"


def history(conversation: Conversation, index: int) -> list[Version]:
    """The prompts that the assistant message at `index` was given, the oldest first, the one of now last."""
    before = conversation.messages[:index]
    current = prompt_hashes(before, conversation.variables)[-1]
    takes: dict[str, list[Take]] = {}
    for take in conversation.messages[index].takes if index < len(conversation.messages) else ():
        if take.prompt_hash:
            takes.setdefault(take.prompt_hash, []).append(take)
    now = Version(current, prompt_of(before, conversation.variables), tuple(takes.pop(current, ())), True)
    earlier = [Version(hash, recall(hash), tuple(given), False) for hash, given in takes.items()]
    return [*earlier, now]


def brought_back(conversation: Conversation, index: int, prompt: Prompt) -> Conversation:
    """The conversation with the messages before `index` saying again what they said in an old prompt.

    What stands there now and says the same stays as it is, takes and all. Muted messages weren't part of the prompt,
    and stay where they are; so do variables that it hadn't, which messages below may name.
    """
    wanted = list(prompt.messages)
    messages: list[Message] = []
    for message in conversation.messages[:index]:
        if message.muted:
            messages.append(message)
        elif wanted:
            messages.append(_placed(message, wanted.pop(0)))
    messages += [_placed(None, said) for said in wanted]
    rest = list(conversation.messages[index:])
    variables = {**conversation.variables, **prompt.variables}
    now = prompt_hashes(messages, variables)[-1]
    if rest:
        # The last answer that it was given is the one to be seen with it.
        answers = [number for number, take in enumerate(rest[0].takes, start=1) if take.prompt_hash == now]
        if answers:
            rest[0] = msgspec.structs.replace(rest[0], chosen=answers[-1])
    return msgspec.structs.replace(conversation, messages=(*messages, *rest), variables=variables)


def _placed(message: Message | None, said: Said) -> Message:
    made = _saying(message, said)
    return made if made.runs_on == said.runs_on else msgspec.structs.replace(made, runs_on=said.runs_on)


def _saying(message: Message | None, said: Said) -> Message:
    if message is not None and (message.role, message.said) == (said.role, said.text):
        return message
    if message is not None and message.role == said.role == "assistant":
        for number, take in enumerate(message.takes, start=1):
            if take.text == said.text:
                return msgspec.structs.replace(message, chosen=number)
    if said.is_take and said.role == "assistant":
        base = message if message is not None and message.role == "assistant" else Message(role="assistant")
        return base.with_take(Take(text=said.text))
    if message is not None and message.role == said.role:
        return message.with_text(said.text)
    return Message(role=said.role, text=said.text)
