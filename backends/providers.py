"""Providers as data: `providers.toml`, and the person's own `[provider.NAME]` laid over it."""

import ipaddress
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

import msgspec
import tomli

from ..workbench import words
from ..workbench.address import LOCAL
from ..workbench.seam import FailureKind
from ..workbench.visible import visible_line
from ..workbench.words import say

BUILT_IN = Path(__file__).with_name("providers.toml")

DEFAULT_LIKE = "vllm"
"""Whose ways a server of the person's own is taken to have: those of most servers that people run themselves."""


class Region(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One of the places where a provider answers. Keys of one don't count in another."""

    base_url: str | None = None
    workspace_url: str | None = None
    """With `{workspace}` in it; for accounts whose workspace has a host of its own."""


class ModelList(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How a provider's models are asked for."""

    path: str = "models"
    """Below the base URL."""
    query: dict[str, str] = {}
    exclude: tuple[str, ...] = ()
    """Names, with `*` for anything, of models that don't converse."""


class ThinkingSwitch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How thinking is switched. What is to be sent is merged into the body, tables key by key."""

    on: dict[str, Any] = {}
    off: dict[str, Any] = {}
    budget: str | None = None
    """The body's key for `thinking_budget`; None: it has none."""
    inline: bool = False
    """Thinking may come as `<think>…</think>` inside the answer, rather than in a field of its own."""


class Continuation(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How an assistant message is gone on from."""

    message: dict[str, Any] = {}
    """Merged into the last message."""
    body: dict[str, Any] = {}
    """Merged into the body."""
    base_url: str | None = None
    """Asked there instead."""
    without_thinking: bool = False
    """It works only with thinking off, which is then sent unless the request says otherwise."""


class Provider(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a provider is, and how its ways differ from OpenAI's."""

    name: str = ""
    """As in addresses: `NAME:model`."""
    title: dict[str, str] = {}
    """Language to what it is called."""
    base_url: str = ""
    """Up to and with `/v1`, without a slash at the end."""
    regions: dict[str, Region] = {}
    key_env: tuple[str, ...] = ()
    """Environment variables that may hold its key, in order."""
    key_page: str | None = None
    """Where a person gets a key."""
    needs_key: bool = True
    lists_without_key: bool = False
    """It lists its models to anybody: that tells nothing about the key."""
    models: ModelList = ModelList()
    takes: tuple[str, ...] | None = None
    """The parameters of `Sampling` that it heeds; None: all."""
    only: dict[str, tuple[str, ...]] = {}
    """Parameter to the models, with `*` for anything, that alone heed it."""
    ranges: dict[str, tuple[float, float]] = {}
    """Parameter to its least and greatest value; of `stop`, how many."""
    renames: dict[str, str] = {}
    """Parameter to its key in the body, where that isn't its own name."""
    not_while_thinking: tuple[str, ...] = ()
    """Parameters without effect while it thinks."""
    thinks_by_default: bool = False
    """Thinking is on unless it is switched off."""
    extra_ignored: tuple[str, ...] = ()
    """Keys of `Sampling.extra` that were heeded once, and aren't any more."""
    thinking: ThinkingSwitch | None = None
    """None: it has no switch."""
    continues: Continuation | None = None
    """None: it can't go on from a text."""
    completion: tuple[str, ...] = ()
    """Models, with `*` for anything, that get plain completion rather than chat: base models."""
    completion_instead: bool = False
    """A model that turns out to have no chat template gets plain completion."""
    failures: dict[str, FailureKind] = {}
    """Its error codes, where they mean something that can't be told from the HTTP status."""
    health: str | None = None
    """A path, from the root of its host, that answers 200 as long as it works; asked only nearby."""
    tokenize: str | None = None
    """A path, from what stands before `/v1`, that applies the chat template as vLLM's `/tokenize` does."""
    metrics: str | None = None
    """A path, likewise, that tells how the server is doing, with vLLM's names."""
    stall_seconds: float = 60
    """After so long without new text, an answer counts as broken off."""
    first_seconds: float = 300
    """The same for the first text: a long prompt, a queue, thinking that isn't shown."""
    problem: str | None = None
    """One line: why it can't be asked as it is configured."""

    @property
    def shown(self) -> str:
        """Its title in the current language."""
        return visible_line(self.title.get(words.current(), self.name))

    @property
    def is_near(self) -> bool:
        """Whether it answers on this machine or in its own network: never through a proxy."""
        return is_near(self.base_url)


class OwnProvider(Protocol):
    """The part of the configuration about one provider; see `qiao.workbench.config.Provider`."""

    @property
    def base_url(self) -> str | None: ...
    @property
    def like(self) -> str | None: ...
    @property
    def region(self) -> str | None: ...
    @property
    def workspace(self) -> str | None: ...
    @property
    def key_env(self) -> str | None: ...
    @property
    def completion(self) -> tuple[str, ...] | None: ...
    @property
    def stall_seconds(self) -> float | None: ...
    @property
    def first_seconds(self) -> float | None: ...


@cache
def built_in() -> dict[str, Provider]:
    """What comes with Qiao, by name."""
    table = tomli.loads(BUILT_IN.read_text(encoding="utf-8"))
    return {name: msgspec.convert({**entry, "name": name}, Provider) for name, entry in table.items()}


def providers(own: Mapping[str, OwnProvider]) -> dict[str, Provider]:
    """All providers by name: those of the person's own first, as they care for them most, then the others."""
    mine = {name: _laid_over(name, settings) for name, settings in own.items() if name != LOCAL}
    return {**mine, **{name: provider for name, provider in built_in().items() if name not in mine}}


def _laid_over(name: str, own: OwnProvider) -> Provider:
    """The built-in provider of this name, or one like another, with the person's settings."""
    like = own.like or (name if name in built_in() else DEFAULT_LIKE)
    pattern = built_in().get(like)
    if pattern is None:
        problem = say("remote.unknown_like", name=name, like=visible_line(like), known=", ".join(built_in()))
        return Provider(name=name, title={}, base_url=own.base_url or "", problem=problem)
    if name != like:
        pattern = msgspec.structs.replace(
            pattern,
            name=name,
            title=built_in()[name].title if name in built_in() else {},
            base_url=built_in()[name].base_url if name in built_in() else "",
            key_env=(),
            key_page=None,
            needs_key=own.key_env is not None,
            regions=pattern.regions if own.region else {},
        )
    base_url, problem = _base_url(pattern, own)
    return msgspec.structs.replace(
        pattern,
        base_url=base_url.rstrip("/"),
        key_env=(own.key_env,) if own.key_env else pattern.key_env,
        completion=pattern.completion if own.completion is None else own.completion,
        stall_seconds=own.stall_seconds or pattern.stall_seconds,
        first_seconds=own.first_seconds or pattern.first_seconds,
        problem=problem,
    )


def _base_url(pattern: Provider, own: OwnProvider) -> tuple[str, str | None]:
    """Where it answers, and what is wrong with that."""
    url, problem = own.base_url or pattern.base_url, None
    if own.base_url is None and (own.region or own.workspace):
        name = own.region or next(iter(pattern.regions), "")
        region = pattern.regions.get(name)
        if region is None:
            known = ", ".join(pattern.regions)
            return url, say("remote.unknown_region", name=pattern.name, region=visible_line(name), known=known)
        template = region.workspace_url if own.workspace else region.base_url
        if template is None:
            key = "remote.region_without_workspaces" if own.workspace else "remote.region_needs_workspace"
            return url, say(key, name=pattern.name, region=name)
        url = template.replace("{workspace}", own.workspace or "")
    if not url:
        problem = say("remote.no_base_url", name=visible_line(pattern.name))
    elif not _is_url(url):
        problem = say("remote.bad_base_url", name=visible_line(pattern.name), url=visible_line(url))
    return url, problem


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        return False


def is_near(base_url: str) -> bool:
    """Whether a URL names this machine or one in its own network."""
    host = (urlsplit(base_url).hostname or "") if _is_url(base_url) else ""
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return host == "localhost" or host.endswith((".localhost", ".local")) or (bool(host) and "." not in host)
    return address.is_loopback or address.is_private or address.is_link_local
