"""The models of a server: asked for, told apart from what doesn't converse, and kept for the next start."""

import os
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

import msgspec

from ...workbench.address import Address
from ...workbench.paths import cache_dir
from ...workbench.seam import Model
from ...workbench.visible import visible_line, without_surrogates
from ..providers import Provider, is_near
from .failures import About, Refusal, Trouble, of_exception, of_reply
from .server import CONNECT_SECONDS, Endpoint
from .sse import decoded

if TYPE_CHECKING:
    from openai import AsyncOpenAI

PATIENCE_SECONDS = 20.0
"""So long a list may take."""
KEPT_SECONDS = 86_400.0
"""A list is asked for again after a day."""

_LENGTHS = ("max_model_len", "context_length", "context_window", "max_context_length", "max_input_tokens")
"""What servers call a model's context length."""


class KeptList(msgspec.Struct, frozen=True):
    """A list as it lies in the cache."""

    base_url: str
    asked: float
    """Seconds since the epoch."""
    models: tuple[Model, ...]


async def ask(client: "AsyncOpenAI", endpoint: Endpoint) -> list[Model]:
    """The server's models that converse, in its own order, each name once.

    Raises:
        Trouble: it can't be asked, or answers something else.
    """
    import httpx2
    import openai

    provider = endpoint.provider
    about = About(endpoint, provider.name)
    try:
        reply = await client.get(
            f"/{provider.models.path}",
            cast_to=httpx2.Response,
            options={
                "params": dict(provider.models.query),
                "timeout": httpx2.Timeout(PATIENCE_SECONDS, connect=CONNECT_SECONDS),
            },
        )
    except openai.APITimeoutError as error:
        if isinstance(error.__cause__, httpx2.ConnectTimeout):
            raise of_exception(about, error, arrived=False) from None
        seconds = f"{PATIENCE_SECONDS:g}"
        raise Trouble(Refusal("remote.no_list_came", "stalled", host=endpoint.host, seconds=seconds)) from None
    except openai.APIStatusError as error:
        raise of_reply(about, error.status_code, error.response.content) from None
    except (openai.APIConnectionError, httpx2.HTTPError, UnicodeError) as error:
        raise of_exception(about, error, arrived=False) from None
    try:
        rows = _rows(decoded(reply.content))
    except ValueError:
        raise Trouble(Refusal("remote.no_list", "bad_reply", url=visible_line(endpoint.base_url))) from None
    models: dict[str, Model] = {}
    for row in rows:
        name = _name(row)
        if name and not excluded(provider, name):
            models.setdefault(name, model(provider, endpoint.base_url, name, row))
    return list(models.values())


def _rows(value: Any) -> list[Any]:
    """The list in a reply: {"data": [...]} mostly; {"models": [...]} or a bare list elsewhere."""
    if isinstance(value, dict):
        table = cast(dict[str, Any], value)
        value = next((table[key] for key in ("data", "models", "result") if isinstance(table.get(key), list)), None)
    if not isinstance(value, list):
        raise ValueError("no list")
    return cast(list[Any], value)


def _name(row: Any) -> str:
    if isinstance(row, Mapping):
        table = cast(Mapping[str, Any], row)
        row = next((table[key] for key in ("id", "name", "model") if isinstance(table.get(key), str)), "")
    return without_surrogates(row) if isinstance(row, str) else ""


def excluded(provider: Provider, name: str) -> bool:
    """Whether a model of this name doesn't converse, or nobody can have meant to type it."""
    return any(fnmatchcase(name.lower(), pattern.lower()) for pattern in provider.models.exclude)


def model(provider: Provider, base_url: str, name: str, row: Any = None) -> Model:
    """A model of a server, with what its row in the list tells."""
    told: Mapping[str, Any] = cast(Mapping[str, Any], row) if isinstance(row, Mapping) else {}
    lengths = [told[key] for key in _LENGTHS if type(told.get(key)) is int and told[key] > 0]
    base = is_base(provider, name)
    return Model(
        address=Address(provider.name, name),
        # vLLM's own name for a model that was given none is its folder.
        title=visible_line(name.rstrip("/").rpartition("/")[2] if name.startswith("/") else name),
        state="served" if is_near(base_url) else "remote",
        kind="base" if base else None,
        context_length=lengths[0] if lengths else None,
    )


def is_base(provider: Provider, name: str) -> bool:
    """Whether the configuration says that this is a base model."""
    return any(fnmatchcase(name, pattern) for pattern in provider.completion)


def _file(provider: str) -> Path:
    safe = "".join(char if char.isalnum() or char in "-_." else f"%{ord(char):x}" for char in provider)
    return cache_dir() / "models" / f"{safe}.json"


def keep(provider: Provider, base_url: str, models: Sequence[Model]) -> None:
    """Keeps a list for the next start; not of a server nearby, which may be gone by then. A full disk is no trouble."""
    if is_near(base_url):
        return
    path = _file(provider.name)
    kept = KeptList(base_url, time.time(), tuple(models))
    with suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_suffix(f".{os.getpid()}.tmp")
        beside.write_bytes(msgspec.json.encode(kept))
        beside.replace(path)


def kept(provider: Provider) -> list[Model] | None:
    """The list from an earlier start; None if there is none, it is old, or from another place."""
    try:
        found = msgspec.json.decode(_file(provider.name).read_bytes(), type=KeptList)
    except (OSError, msgspec.MsgspecError, ValueError):
        return None
    fresh = 0 <= time.time() - found.asked < KEPT_SECONDS
    ours = all(model.address.provider == provider.name for model in found.models)
    return list(found.models) if fresh and ours and found.base_url == provider.base_url else None
