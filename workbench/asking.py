"""From a conversation to requests, and which takes still answer what stands above them."""

import hashlib
import random
from collections.abc import Mapping, Sequence

import msgspec

from .address import Address
from .conversation import Conversation, Message
from .errors import Unreadable
from .sampling import Sampling
from .seam import Request, Turn
from .variables import message_filled, message_runs

START_HASH = hashlib.sha256(b"qiao prompt 1").hexdigest()
"""The prompt hash of no messages at all."""


def next_hash(before: str, role: str, text: str, *, runs_on: bool = False) -> str:
    """The prompt hash after one more message: a chain, so that a long conversation is hashed once, not once a take."""
    joint = "+" if runs_on else ""
    return hashlib.sha256(f"{before}\n{joint}{role}\n{text}".encode("utf-8", "surrogatepass")).hexdigest()


def prompt_hashes(messages: Sequence[Message], values: Mapping[str, str], before: str = START_HASH) -> list[str]:
    """For each message, the hash of the filled-in, unmuted messages before it; one more at the end for all of them.

    Args:
        before: the hash of what stands before the first of them.
    """
    hashes = [before]
    for message in messages:
        if message.muted:
            hashes.append(hashes[-1])
        else:
            text = message.said
            if "{{" in text:
                text = "".join(run.text for run in message_runs(message, values))
            hashes.append(next_hash(hashes[-1], message.role, text, runs_on=message.runs_on))
    return hashes


def turns(messages: Sequence[Message], values: Mapping[str, str]) -> tuple[Turn, ...]:
    """What is sent of these messages: muted ones left out, variables filled in.

    Raises:
        Unreadable: a variable has no value.
    """
    return tuple(Turn(m.role, message_filled(m, values), m.runs_on) for m in messages if not m.muted)


class Ask(msgspec.Struct, frozen=True):
    """One run: the requests (one a take wanted), and where their takes go."""

    requests: tuple[Request, ...]
    prompt_hash: str
    prefix: str = ""
    """What a continued answer starts with."""


def ask(
    conversation: Conversation,
    upto: int,
    address: Address,
    sampling: Sampling,
    *,
    going_on: Message | None = None,
    seed: int | None = None,
    prompt_hash: str | None = None,
) -> Ask:
    """The run that answers the first `upto` messages.

    Args:
        upto: how many messages stand before the answer.
        sampling: its `n` says how many takes; its seed, if unset, is drawn here.
        going_on: not None: the answer goes on from what this assistant message says.
        seed: drawn instead of a random one, for tests.
        prompt_hash: of those messages, where it is known already.

    Raises:
        Unreadable: a variable has no value, or there is nothing to answer.
    """
    before = conversation.messages[:upto]
    sent = turns(before, conversation.variables)
    if not sent and going_on is None:
        raise Unreadable("asking.nothing_to_answer")
    if going_on is not None:
        sent = (*sent, Turn("assistant", message_filled(going_on, conversation.variables), going_on.runs_on))
    first = sampling.seed if sampling.seed is not None else (random.randrange(2**31) if seed is None else seed)
    # Past the largest seed comes 0, and what only a newer program knows isn't sent.
    seeds = [(first + i) % 2**63 for i in range(sampling.n or 1)]
    samplings = [msgspec.structs.replace(sampling, seed=each, n=None, unknown={}) for each in seeds]
    requests = tuple(
        Request(address, sent, each, going_on is not None, conversation.window is not None) for each in samplings
    )
    hash_before = prompt_hash or prompt_hashes(before, conversation.variables)[-1]
    return Ask(requests, hash_before, sent[-1].text if going_on is not None else "")
