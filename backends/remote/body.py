"""From a request to what is sent: only what is set, in the provider's own terms."""

from typing import Any, NamedTuple, cast

import msgspec

from ...workbench.sampling import Sampling
from ...workbench.seam import Mode, Request, Turn
from ...workbench.visible import visible_line, without_surrogates
from ..plain_completion import plain_text
from ..providers import Provider
from .failures import Refusal
from .heeding import heeded

_AS_THEY_ARE = (
    *("temperature", "top_p", "top_k", "min_p", "max_tokens", "seed"),
    *("repetition_penalty", "presence_penalty", "frequency_penalty"),
)

_OURS = frozenset({"model", "messages", "prompt", "stream", "n"})
"""What `extra` can't set: the answer would be another's, or couldn't be read."""


COMPLETION_TOKENS = 2048
"""At most so many in a plain completion where nothing is said, as in the local engine: a base model seldom ends by
itself. Servers refuse more than the model's context."""
UNKNOWN_CONTEXT_TOKENS = 512
"""The same where the context isn't known."""


class Body(NamedTuple):
    """What is sent to /chat/completions, or to /completions."""

    mode: Mode
    sampling: Sampling
    """As it is sent."""
    messages: list[dict[str, Any]]
    """Of a chat."""
    prompt: str
    """Of a completion."""
    fields: dict[str, Any]
    """Everything else."""
    base_url: str | None
    """Where it is to be sent instead of the provider's own URL."""
    continues: bool
    """The answer goes on from the last message."""


def body(
    provider: Provider, request: Request, mode: Mode, *, counts: bool = True, context_length: int | None = None
) -> Body:
    """What to send for this request.

    Args:
        counts: the server is asked to count the tokens.
        context_length: of the model, in tokens, where it is known.

    Raises:
        Refusal: it can't be put into the provider's terms.
    """
    messages = [{"role": turn.role, "content": without_surrogates(turn.text)} for turn in request.messages]
    continues = request.continue_last
    if mode == "chat" and continues and messages and not messages[-1]["content"]:
        # Nothing to continue: the model opens its answer by itself.
        messages, continues = messages[:-1], False
    prompt = plain_text([Turn(turn.role, without_surrogates(turn.text), turn.runs_on) for turn in request.messages])
    if not (prompt if mode == "completion" else messages):
        raise Refusal("remote.nothing_to_send", "invalid_request", model=visible_line(str(request.address)))
    sampling = heeded(provider, request.address.name, request.sampling, mode)
    if mode == "completion" and sampling.max_tokens is None:
        # Else the protocol's own default counts: 16.
        most = COMPLETION_TOKENS if context_length else UNKNOWN_CONTEXT_TOKENS
        sampling = msgspec.structs.replace(sampling, max_tokens=min(most, context_length or most))
    fields = {**({"stream_options": {"include_usage": True}} if counts else {}), **_fields(provider, sampling, mode)}
    base_url = None
    if continues and mode == "chat":
        way = provider.continues
        if way is None:
            raise Refusal("remote.cannot_continue", "invalid_request", title=provider.shown)
        messages[-1] |= way.message
        fields = merged(fields, way.body)
        if way.without_thinking and provider.thinking is not None and sampling.thinking is None:
            fields = merged(fields, provider.thinking.off)
        base_url = way.base_url
    extra = sampling.extra or {}
    for name in extra:
        if name in _OURS:
            raise Refusal("remote.extra_refused", "invalid_request", name=name)
    return Body(mode, sampling, messages, prompt, merged(fields, extra), base_url, continues)


def _fields(provider: Provider, sampling: Sampling, mode: Mode) -> dict[str, Any]:
    fields: dict[str, Any] = {}
    for name in _AS_THEY_ARE:
        value = getattr(sampling, name)
        if value is not None:
            fields[provider.renames.get(name, name) if mode == "chat" else name] = value
    if sampling.stop:
        fields["stop"] = [without_surrogates(stop) for stop in sampling.stop]
    if sampling.logprobs is not None:
        fields |= (
            {"logprobs": True, "top_logprobs": sampling.logprobs} if mode == "chat" else {"logprobs": sampling.logprobs}
        )
    switch = provider.thinking
    if switch is not None and sampling.thinking is not None:
        fields = merged(fields, switch.on if sampling.thinking else switch.off)
    if switch is not None and switch.budget is not None and sampling.thinking_budget is not None:
        fields[switch.budget] = sampling.thinking_budget
    return fields


def merged(under: dict[str, Any], over: dict[str, Any]) -> dict[str, Any]:
    """Both tables in one, `over` winning; tables in them are merged too."""
    both = dict(under)
    for key, value in over.items():
        below = both.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            both[key] = merged(cast(dict[str, Any], below), cast(dict[str, Any], value))
        else:
            both[key] = value
    return both
