"""Where a request goes: a server's address, its key, and the `openai` client that speaks to it."""

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple, Protocol
from urllib.parse import urlsplit, urlunsplit

from ...workbench.seam import KeySource
from ...workbench.visible import visible_line
from ..providers import Provider, is_near
from .failures import Refusal

if TYPE_CHECKING:
    from openai import AsyncOpenAI

CONNECT_SECONDS = 10.0
"""So long a connection may take; all other waiting is watched over by the backend itself."""

HIDDEN = "•••"
"""Stands for a key, or a piece of one."""
TELLING = 8
"""So many characters of a key's beginning or end are no longer told."""


class FoundKey(Protocol):
    """A key; its repr doesn't show it."""

    @property
    def value(self) -> str: ...
    @property
    def source(self) -> KeySource: ...


class KeyFinder(Protocol):
    """Knows the keys of providers."""

    def find(self, provider: str, variables: Sequence[str] = ()) -> FoundKey | None:
        """The key, or None; blocks for some seconds at most."""
        ...

    def forget(self, provider: str) -> None:
        """The key was refused: it is to be looked for anew."""
        ...


class Endpoint(NamedTuple):
    """A server that can be asked."""

    provider: Provider
    base_url: str
    """Up to and with `/v1`."""
    key: FoundKey | None
    context_length: int | None = None
    """Of the model that is meant, in tokens, where it is known."""

    @property
    def host(self) -> str:
        """Host and port, fit to be shown."""
        return visible_line(urlsplit(self.base_url).netloc.rpartition("@")[2])

    @property
    def root(self) -> str:
        """The URL of its host."""
        return urlunsplit((*urlsplit(self.base_url)[:2], "", "", ""))

    def without_key(self, text: str) -> str:
        """The text, the key taken out of it: servers quote the key that they refuse, or its beginning or end."""
        if self.key is None:
            return text
        value = self.key.value
        text = text.replace(value, HIDDEN)
        for length in range(len(value) - 1, TELLING - 1, -1):
            text = text.replace(value[:length], HIDDEN).replace(value[-length:], HIDDEN)
        return text


def connect(endpoint: Endpoint) -> "AsyncOpenAI":
    """A client for this server. Imports `openai`: the first time, half a second.

    Raises:
        Refusal: the proxies in the environment can't be used.
    """
    import httpx2
    from openai import AsyncOpenAI, DefaultAsyncHttpxClient

    near = is_near(endpoint.base_url)
    try:
        http = DefaultAsyncHttpxClient(
            # A proxy for the internet knows nothing of this machine's own servers. What SSL_CERT_FILE trusts counts
            # there too.
            trust_env=not near,
            verify=httpx2.create_ssl_context(),
            timeout=httpx2.Timeout(None, connect=CONNECT_SECONDS),
            event_hooks={"request": [_watch]},
        )
    except ImportError:
        raise Refusal("remote.no_socks", "unreachable") from None
    except (ValueError, httpx2.InvalidURL) as error:
        raise Refusal("remote.bad_proxy", "unreachable", reason=visible_line(_without_password(str(error)))) from None
    client = AsyncOpenAI(
        # The package wants one, and sends it; servers that need none ignore it.
        api_key=endpoint.key.value if endpoint.key else "EMPTY",
        base_url=endpoint.base_url,
        # Waiting to try again is shown, and can be stopped: see `retrying`.
        max_retries=0,
        http_client=http,
    )
    if endpoint.provider.name != "openai":
        # Taken from OPENAI_ORG_ID and OPENAI_PROJECT_ID: nobody else's business.
        client.organization = client.project = None
    # Their modules are imported at the first touch: not while the time to the first token is taken.
    _ = client.chat.completions.with_streaming_response, client.completions.with_streaming_response
    return client


async def _watch(request: object) -> None:
    """Lets the request tell how far it is, if the task that sends it wants to know."""
    from .watching import sending

    told = sending.get()
    if told is not None:
        extensions: dict[str, object] = getattr(request, "extensions")  # noqa: B009 - a request of httpx2, imported late
        extensions["trace"] = told


def _without_password(text: str) -> str:
    return re.sub(r"//[^/@\s]*@", "//", text)
