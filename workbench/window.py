"""A window over a conversation that is longer than the model's context: the oldest messages aren't sent."""

from collections.abc import Callable, Sequence
from itertools import islice
from typing import NamedTuple

import msgspec

from .conversation import Conversation
from .errors import QiaoError
from .seam import Prompt, Request, Share, Turn

ROUNDS = 8
"""A prompt is made so many times at most. What a template writes around messages is only guessed before."""


class Fitted(NamedTuple):
    """A request that fits, if any does."""

    request: Request
    prompt: Prompt | None
    """Its prompt, with a share for each message of the request that was asked for; None: that can't be told."""
    cut: frozenset[int]
    """The messages that aren't sent, from 0."""


def room(context_length: int, max_tokens: int | None) -> int:
    """How many tokens a prompt may take: all but those kept for the answer.

    These are `max_tokens`, or a quarter of the context where it isn't set; half of the context at most.
    """
    return context_length - min(context_length // 4 if max_tokens is None else max_tokens, context_length // 2)


def oldest(turns: Sequence[Turn], tokens: Sequence[float], excess: float) -> frozenset[int]:
    """The oldest turns that together make up for so many tokens too many.

    System messages stay, and so does all from the last user's turn on. What is left begins with a user's turn, since
    an answer to nothing puzzles models, and some templates refuse it. Fewer tokens, if there is no more to leave out.

    Args:
        tokens: of each turn, what the template writes around it included.
    """
    last = max((i for i, turn in enumerate(turns) if turn.role == "user"), default=len(turns) - 1)
    out: set[int] = set()
    for i, turn in enumerate(turns[: max(last, 0)]):
        if turn.role == "system":
            continue
        if excess <= 0 and turn.role == "user":
            break
        if excess <= 0 and not out:
            break
        out.add(i)
        excess -= tokens[i]
    return frozenset(out)


def left_out(conversation: Conversation) -> frozenset[int]:
    """The uids of the messages that the last answer was given without, as its take says; none without a window."""
    if conversation.window is None:
        return frozenset()
    messages = conversation.messages
    at = next((i for i in reversed(range(len(messages))) if messages[i].chosen is not None), None)
    if at is None:
        return frozenset()
    take = messages[at].take
    count = 0 if take is None else take.left_out or 0
    # Always the oldest, system messages aside: see `oldest`.
    sent = (m.uid for m in islice(messages, at) if not m.muted and m.role != "system")
    return frozenset(islice(sent, count))


def cut_messages(conversation: Conversation, prompt: Prompt) -> frozenset[int]:
    """The uids of the messages that don't fit into this prompt of the conversation."""
    sent = [message.uid for message in conversation.messages if not message.muted]
    return frozenset(uid for number, uid in enumerate(sent) if number in prompt.cut)


def fit(request: Request, prompt_of: Callable[[Request], Prompt]) -> Fitted:
    """The request without the oldest messages that don't fit, if it has a window; else as it is.

    Args:
        prompt_of: makes the prompt; where it raises a `QiaoError`, nothing is left out, and whatever is wrong shows
            when the request is answered.
    """
    if not request.window:
        return Fitted(request, None, frozenset())
    cut: frozenset[int] = frozenset()
    sent, prompt = request, None
    for _ in range(ROUNDS):
        try:
            prompt = prompt_of(sent)
        except QiaoError:
            return Fitted(sent, None, cut)
        kept = [i for i in range(len(request.messages)) if i not in cut]
        if prompt.context_length is None:
            break
        excess = prompt.tokens - room(prompt.context_length, request.sampling.max_tokens)
        more = oldest(sent.messages, _costs(sent.messages, prompt), excess) if excess > 0 else frozenset[int]()
        if not more:
            break
        cut |= {kept[i] for i in more}
        messages = tuple(turn for i, turn in enumerate(request.messages) if i not in cut)
        sent = msgspec.structs.replace(request, messages=messages)
    return Fitted(sent, None if prompt is None else _for_all(prompt, len(request.messages), cut), cut)


def _costs(turns: Sequence[Turn], prompt: Prompt) -> list[float]:
    """Tokens of each turn; what stands around them is shared out evenly. By length, where shares aren't told."""
    if not prompt.shares:
        characters = sum(len(turn.text) for turn in turns) or 1
        return [prompt.tokens * len(turn.text) / characters for turn in turns]
    around = (prompt.tokens - sum(share.tokens for share in prompt.shares)) / len(turns)
    return [share.tokens + around for share in prompt.shares]


def _for_all(prompt: Prompt, count: int, cut: frozenset[int]) -> Prompt:
    if not prompt.shares:
        return msgspec.structs.replace(prompt, cut=cut)
    told = iter(prompt.shares)
    shares = tuple(Share(0, 0, 0) if i in cut else next(told, Share(0, 0, 0)) for i in range(count))
    return msgspec.structs.replace(prompt, shares=shares, cut=cut)
