"""Which sampling parameters a provider heeds: what is sent, and what is said of the others."""

from collections.abc import Iterator
from fnmatch import fnmatchcase
from typing import Any

import msgspec

from ...workbench.sampling import NAMES, Sampling
from ...workbench.seam import Mode
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..providers import Provider

_NOT_SENT = ("n", "extra")
"""Not a parameter of one request; and further ones, which are looked at by themselves."""


def unheeded(provider: Provider, model: str, sampling: Sampling, mode: Mode) -> dict[str, str]:
    """The set parameters, `extra`'s keys included, that would be ignored or refused, each with a line that says so."""
    told = dict(_dropped(provider, model, sampling, mode))
    for name, (least, most) in provider.ranges.items():
        value: Any = getattr(sampling, name)
        number = len(sampling.stop or ()) if name == "stop" else value
        if number is not None and name not in told and not least <= number <= most:
            told[name] = say(
                "remote.out_of_range", name=name, title=provider.shown, least=f"{least:g}", most=f"{most:g}"
            )
    for name in sampling.extra or ():
        if name in provider.extra_ignored:
            told[name] = say("remote.not_taken", name=visible_line(name), title=provider.shown)
    return told


def heeded(provider: Provider, model: str, sampling: Sampling, mode: Mode) -> Sampling:
    """What is sent of it: without the parameters that would be ignored or refused whatever their value."""
    dropped = dict.fromkeys(name for name, _ in _dropped(provider, model, sampling, mode))
    return msgspec.structs.replace(sampling, **dropped)


def _dropped(provider: Provider, model: str, sampling: Sampling, mode: Mode) -> Iterator[tuple[str, str]]:
    title = provider.shown
    thinks = provider.thinks_by_default if sampling.thinking is None else sampling.thinking
    for name in NAMES:
        value: Any = getattr(sampling, name)
        if value is None or name in _NOT_SENT:
            continue
        if not _is_taken(provider, name):
            yield name, say("remote.not_taken", name=name, title=title)
        elif (mode == "completion" and name in ("thinking", "thinking_budget")) or not _matches(
            model, provider.only.get(name, ("*",))
        ):
            yield name, say("remote.not_by_model", name=name, model=visible_line(model))
        elif thinks and name in provider.not_while_thinking:
            yield name, say("remote.not_while_thinking", name=name, title=title)


def _is_taken(provider: Provider, name: str) -> bool:
    if name == "thinking" and provider.thinking is None:
        return False
    if name == "thinking_budget" and (provider.thinking is None or provider.thinking.budget is None):
        return False
    return provider.takes is None or name in provider.takes


def _matches(model: str, patterns: tuple[str, ...]) -> bool:
    return any(fnmatchcase(model.lower(), pattern.lower()) for pattern in patterns)
