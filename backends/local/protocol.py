"""What the parent and an engine's child process say to each other: one JSON object a line, told apart by its tag."""

import json

import msgspec

from ...workbench.seam import Event, FailureKind, Prompt, Request
from ...workbench.visible import without_surrogates


class Generate(msgspec.Struct, frozen=True, tag="generate"):
    """Answer this; load the weights first, if they aren't. Replies: `Said`s, up to the last event; or `Refusal`."""

    id: int
    request: Request


class Render(msgspec.Struct, frozen=True, tag="render"):
    """Show the exact prompt; the tokenizer is enough for it. Reply: `Rendered` or `Refusal`."""

    id: int
    request: Request


class Stop(msgspec.Struct, frozen=True, tag="stop"):
    """Stop answering request `id`. Reply: its last event, `cancelled` unless it had just ended."""

    id: int


Command = Generate | Render | Stop


class Said(msgspec.Struct, frozen=True, tag="said"):
    """An event of the answer to request `id`."""

    id: int
    event: Event


class Rendered(msgspec.Struct, frozen=True, tag="rendered"):
    """The prompt that request `id` asked for."""

    id: int
    prompt: Prompt


class Loaded(msgspec.Struct, frozen=True, tag="loaded"):
    """The weights are in memory."""

    device: str
    """What torch calls it, as `cpu` or `cuda:0`."""
    dtype: str
    """As `float32`."""


class Noted(msgspec.Struct, frozen=True, tag="noted"):
    """What request `id` is to know while it waits; said as a `Refusal` is."""

    id: int
    key: str
    params: dict[str, str]


class Refusal(msgspec.Struct, frozen=True, tag="refusal"):
    """Request `id` can't be answered, or broke off. The parent says it, in the person's language."""

    id: int
    kind: FailureKind
    key: str
    """An entry of the word catalogue's area `engine`."""
    params: dict[str, str]
    """What its placeholders stand for, not yet made safe for a terminal."""
    fatal: bool = False
    """The child is of no use any more, and goes."""


Reply = Said | Rendered | Loaded | Noted | Refusal

_encoder = msgspec.json.Encoder()
decode_command = msgspec.json.Decoder(Command).decode
decode_reply = msgspec.json.Decoder(Reply).decode


def encode(message: Command | Reply) -> bytes:
    """The message as a line, line feed included. What UTF-8 can't write becomes U+FFFD."""
    try:
        return _encoder.encode(message) + b"\n"
    except UnicodeEncodeError:
        text = json.dumps(msgspec.to_builtins(message), ensure_ascii=False)
        return without_surrogates(text).encode() + b"\n"
