"""A provider's models behind the seam: one object a provider, over the one client."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as NotYet
from typing import TYPE_CHECKING

from ...workbench.address import Address
from ...workbench.errors import QiaoError
from ...workbench.seam import Event, Failed, KeySource, Model, Prompt, Request, Source
from ..providers import Provider
from . import listing
from .failures import Refusal, Trouble
from .loop import LoopThread, in_thread
from .server import Endpoint, FoundKey, KeyFinder, connect

if TYPE_CHECKING:
    from openai import AsyncOpenAI

POLL_SECONDS = 0.05
"""So often a stop is looked for while nothing comes."""

FindEndpoint = Callable[[Address], Endpoint]
ShowPrompt = Callable[[Request, threading.Event], Prompt]


class RemoteBackend:
    """Answers with the models of one provider. Implements `qiao.workbench.seam.Backend`.

    Nothing is asked of the network, and neither thread nor client is made, before something is wanted.

    Args:
        provider: what it is.
        keys: knows its key.
        endpoint: where a model answers, if not at the provider's own URL with its own key. Called in a thread; may
            raise QiaoError.
        prompt: the exact prompt of a request, if the provider can tell. May raise QiaoError.
    """

    def __init__(
        self,
        provider: Provider,
        keys: KeyFinder,
        *,
        endpoint: FindEndpoint | None = None,
        prompt: ShowPrompt | None = None,
    ) -> None:
        self.provider = provider
        self._keys = keys
        self._find_endpoint = endpoint or self._own_endpoint
        self._show_prompt = prompt
        self._loop = LoopThread()
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str], AsyncOpenAI] = {}
        self._models: list[Model] | None = None
        self._looked = False
        """Whether the list of an earlier start was looked for."""
        self._problem: str | None = None
        self._key_source: KeySource | None = None

    def generate(self, request: Request, stop: threading.Event) -> Iterator[Event]:
        """One answer as it comes; see the seam."""
        yield Failed("invalid_request", "…")

    def prompt(self, request: Request, stop: threading.Event) -> Prompt:
        """The exact prompt, where the provider tells it.

        Raises:
            QiaoError: as a `Failed` event would say it.
        """
        if self._show_prompt is None:
            raise Refusal("remote.no_prompt", "invalid_request", title=self.provider.shown)
        return self._show_prompt(request, stop)

    def models(self) -> list[Model]:
        """Those that were listed, in this run or within a day; none before that."""
        with self._lock:
            if not self._looked:
                self._looked = True
                if self._models is None:
                    self._models = listing.kept(self.provider)
            return list(self._models or ())

    def refresh(self, stop: threading.Event) -> None:
        """Asks for the list of models; `models` has them from then on. Blocks until it is here or `stop` is set.

        Raises:
            QiaoError: they can't be listed.
        """
        task = self._loop.submit(self._list())
        try:
            while True:
                try:
                    models = task.result(POLL_SECONDS)
                    break
                except NotYet:
                    if stop.is_set():
                        raise Refusal("remote.stopped", "unreachable") from None
        except Trouble as trouble:
            self._problem = str(trouble.refusal)
            raise trouble.refusal from None
        except CancelledError:
            raise Refusal("remote.stopped", "unreachable") from None
        except QiaoError as error:
            self._problem = str(error)
            raise
        finally:
            task.cancel()
        with self._lock:
            self._models, self._looked, self._problem = models, True, None
        listing.keep(self.provider, self.provider.base_url, models)

    def source(self) -> Source:
        """The provider as it stands, from what is known already."""
        asked = bool(self.models()) or self._models is not None
        provider = self.provider
        return Source(
            provider=provider.name,
            title=provider.shown,
            base_url=provider.base_url,
            needs_key=provider.needs_key,
            key=self._known_key_source(),
            asked=asked,
            problem=provider.problem or self._problem,
        )

    def unheeded(self, request: Request) -> dict[str, str]:
        """The set parameters that the provider ignores or refuses."""
        return {}

    def forget_key(self) -> None:
        """The key has been changed: it is looked for anew."""
        with self._lock:
            self._key_source = self._problem = None

    def unload(self, address: Address) -> None:
        """Nothing: the memory is the server's."""

    def close(self) -> None:
        """Ends all requests and the thread behind them."""
        self._loop.close()

    async def _list(self) -> list[Model]:
        endpoint = await in_thread(lambda: self._listing_endpoint())
        return await listing.ask(await self._client(endpoint), endpoint)

    async def _client(self, endpoint: Endpoint) -> "AsyncOpenAI":
        """The client for this server; one a URL and key. Made outside the loop, since the import takes its time."""
        which = (endpoint.base_url, endpoint.key.value if endpoint.key else "")
        if which not in self._clients:
            client = await in_thread(lambda: connect(endpoint))
            self._clients.setdefault(which, client)
        return self._clients[which]

    def _own_endpoint(self, address: Address) -> Endpoint:
        """The provider's own URL and key. Blocks while the key is looked for.

        Raises:
            QiaoError: it is configured wrongly, or needs a key that nobody knows.
        """
        key = self._key()
        if key is None and self.provider.needs_key:
            variable = next(iter(self.provider.key_env), "—")
            raise Refusal(
                "remote.no_key", "no_key", title=self.provider.shown, provider=self.provider.name, variable=variable
            )
        return Endpoint(self.provider, self.provider.base_url, key)

    def _listing_endpoint(self) -> Endpoint:
        if self.provider.lists_without_key:
            return Endpoint(self.provider, self._checked_url(), None)
        return self._own_endpoint(Address(self.provider.name, "*"))

    def _checked_url(self) -> str:
        if self.provider.problem is not None:
            raise Refusal("asking.failed", "invalid_request", message=self.provider.problem)
        return self.provider.base_url

    def _key(self) -> FoundKey | None:
        self._checked_url()
        key = self._keys.find(self.provider.name, self.provider.key_env)
        self._key_source = key.source if key else None
        return key

    def _known_key_source(self) -> KeySource | None:
        """Where the key is from, as far as that takes no asking around."""
        import os

        if any(os.environ.get(name, "").strip() for name in self.provider.key_env):
            return "environment"
        return None if self._key_source == "environment" else self._key_source
