"""What is said between Qiao and the process that fetches a model: one JSON object a line, told apart by its tag."""

from typing import Literal

import msgspec

from .hub_files import HubFile

Hub = Literal["modelscope", "hf"]

HUBS: dict[Hub, str] = {"modelscope": "ModelScope", "hf": "Hugging Face"}
"""The hubs and their names."""

PACKAGES: dict[Hub, str] = {"modelscope": "modelscope_hub", "hf": "huggingface_hub"}
"""What talks to each hub."""

Trouble = Literal[
    "not_found",
    "gated",
    "not_allowed",
    "too_many",
    "hub_broken",
    "unreachable",
    "offline",
    "disk_full",
    "not_written",
    "corrupted",
    "broke",
]


class Listed(msgspec.Struct, frozen=True, tag="listed"):
    """The repository's files; what follows is the choice."""

    files: list[HubFile]
    folder: str
    """Where they will be."""


class Got(msgspec.Struct, frozen=True, tag="got"):
    """More of a file has arrived."""

    path: str
    done: int
    """Bytes of this file."""


class Whole(msgspec.Struct, frozen=True, tag="whole"):
    """All files are here."""


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """It ends without them."""

    trouble: Trouble
    reason: str = ""
    """What the hub or the system says, not yet made safe for a terminal."""


class Fetch(msgspec.Struct, frozen=True, tag="fetch"):
    """The choice: fetch these."""

    files: list[HubFile]


Reply = Listed | Got | Whole | Failed

_encoder = msgspec.json.Encoder()
decode_reply = msgspec.json.Decoder(Reply).decode
decode_choice = msgspec.json.Decoder(Fetch).decode


def encode(message: Reply | Fetch) -> bytes:
    """The message as a line, line feed included."""
    return _encoder.encode(message) + b"\n"
