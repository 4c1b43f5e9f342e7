"""A provider's models behind the seam: one object a provider, over the one client."""

import os
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future
from concurrent.futures import TimeoutError as NotYet
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import TYPE_CHECKING

import msgspec

from ...workbench.address import Address
from ...workbench.conversation import Timing, Usage
from ...workbench.errors import QiaoError
from ...workbench.seam import Count, Event, Failed, Finished, KeySource, Model, Progress, Prompt, Request, Source
from ...workbench.words import say
from ..providers import Provider
from . import listing
from .answering import Answering
from .failures import Refusal, Trouble, how_to_set_key, quoted
from .heeding import unheeded
from .knowledge import Knowledge
from .loop import LoopThread, in_thread
from .server import Endpoint, FoundKey, KeyFinder, connect
from .silence import Silence

if TYPE_CHECKING:
    from openai import AsyncOpenAI

KEY_SECONDS = 10.0
"""So long a key that was found isn't looked for again."""
POLL_SECONDS = 0.05
"""So often a stop is looked for while nothing comes."""

FindEndpoint = Callable[[Address], Endpoint | None]
ShowPrompt = Callable[[Request, threading.Event], Prompt]
CountTokens = Callable[[Request, threading.Event], Count | None]


class RemoteBackend:
    """Answers with the models of one provider. Implements `qiao.workbench.seam.Backend`.

    Nothing is asked of the network, and neither thread nor client is made, before something is wanted.

    Args:
        provider: what it is.
        keys: knows its key.
        elsewhere: where a model answers, if not at the provider's own URL with its own key; None: there. Called in a
            thread; may raise QiaoError.
        prompt: the exact prompt of a request, if the provider can tell. May raise QiaoError.
        count: the tokens of a request, likewise.
    """

    def __init__(
        self,
        provider: Provider,
        keys: KeyFinder,
        *,
        elsewhere: FindEndpoint | None = None,
        prompt: ShowPrompt | None = None,
        count: CountTokens | None = None,
    ) -> None:
        self.provider = provider
        self._keys = keys
        self._elsewhere = elsewhere
        self._show_prompt = prompt
        self._count = count
        self._knowledge = Knowledge(provider)
        self._loop = LoopThread()
        self._lock = threading.Lock()
        self._clients: dict[tuple[str, str], AsyncOpenAI] = {}
        self._models: list[Model] | None = None
        self._looked = False
        """Whether the list of an earlier start was looked for."""
        self._answering: list[tuple[Address, threading.Event]] = []
        """The answers under way, each with what ends it."""
        self._problem: str | None = None
        self._key_source: KeySource | None = None
        self._recent_key: tuple[float, FoundKey | None] | None = None
        """When the key was last looked for, and what was found."""

    def endpoint(self, address: Address) -> Endpoint:
        """Where a model answers. Blocks while the key is looked for.

        Raises:
            QiaoError: the provider is configured wrongly, or needs a key that nobody knows.
        """
        found = None if self._elsewhere is None else self._elsewhere(address)
        return found or self._own_endpoint(address)

    def generate(self, request: Request, stop: threading.Event) -> Iterator[Event]:
        """One answer as it comes; see the seam."""
        if stop.is_set():
            yield Finished("cancelled", Usage(completion_tokens=0))
            return
        hung_up = threading.Event()
        with self._lock:
            self._answering.append((request.address, hung_up))
        try:
            yield from self._events(request, lambda: stop.is_set() or hung_up.is_set())
        finally:
            with self._lock:
                self._answering.remove((request.address, hung_up))

    def hang_up(self, address: Address) -> None:
        """Ends the answers that this model is giving, as a stop would: its server is about to end."""
        with self._lock:
            answering = list(self._answering)
        for asked, hung_up in answering:
            if asked == address:
                hung_up.set()

    def _events(self, request: Request, stopped: Callable[[], bool]) -> Iterator[Event]:
        events: SimpleQueue[Event] = SimpleQueue()
        answering: list[Answering] = []
        at_hand = self._endpoint_at_hand(request.address)
        task = self._loop.submit(self._answer(request, at_hand, events.put, answering.append))
        task.add_done_callback(lambda ended: events.put(_mishap(ended)))
        silence = Silence(self.provider)
        try:
            while True:
                try:
                    event = events.get(timeout=POLL_SECONDS)
                except Empty:
                    if not stopped():
                        if silence.is_too_long():
                            yield silence.failed()
                            return
                        continue
                    event = None
                if stopped():
                    usage, timing = answering[0].so_far() if answering else (Usage(completion_tokens=0), Timing())
                    yield Finished("cancelled", usage, timing)
                    return
                if event is not None:
                    silence.heard(event)
                    if isinstance(event, Failed) and event.kind == "key_refused":
                        self._recent_key = None
                        self._keys.forget(self.provider.name)
                    yield event
                    if isinstance(event, Finished | Failed):
                        return
        finally:
            task.cancel()

    def prompt(self, request: Request, stop: threading.Event) -> Prompt:
        """The exact prompt, where the provider tells it.

        Raises:
            QiaoError: as a `Failed` event would say it.
        """
        if self._show_prompt is None:
            raise Refusal("remote.no_prompt", "invalid_request", title=self.provider.shown)
        return self._show_prompt(request, stop)

    def count(self, request: Request, stop: threading.Event) -> Count | None:
        """The request's tokens, where the provider counts them.

        Raises:
            QiaoError: as `endpoint` does.
        """
        return None if self._count is None else self._count(request, stop)

    def models(self) -> list[Model]:
        """Those that were listed, in this run or within a day; none before that."""
        with self._lock:
            if not self._looked:
                self._looked = True
                if self._models is None:
                    self._models = listing.kept(self.provider)
            listed = list(self._models or ())
        return [
            msgspec.structs.replace(model, kind="base") if self._knowledge.mode(model.address.name) != "chat" else model
            for model in listed
        ]

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
        name = request.address.name
        return unheeded(self.provider, name, request.sampling, self._knowledge.mode(name))

    def forget_key(self) -> None:
        """The key has been changed: it is looked for anew."""
        with self._lock:
            self._key_source = self._problem = self._recent_key = None

    def unload(self, address: Address) -> None:
        """Nothing: the memory is the server's."""

    def close(self) -> None:
        """Ends all requests, their connections and the thread behind them; doesn't wait for that."""
        self._loop.close(self._disconnect)

    async def _answer(
        self,
        request: Request,
        at_hand: Endpoint | None,
        emit: Callable[[Event], None],
        begun: Callable[[Answering], None],
    ) -> None:
        emit(Progress("connecting"))
        try:
            endpoint = at_hand or await in_thread(lambda: self.endpoint(request.address))
            answering = Answering(
                request,
                endpoint,
                self._client,
                self._knowledge,
                endpoint.context_length or self._context_length(request.address),
                emit,
            )
            begun(answering)
            await answering.run()
        except Refusal as refusal:
            emit(refusal.failed())
        except QiaoError as error:
            emit(Failed("invalid_request", str(error)))

    def _context_length(self, address: Address) -> int | None:
        return next((model.context_length for model in self._models or () if model.address == address), None)

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

    async def _disconnect(self) -> None:
        clients = list(self._clients.values())
        self._clients.clear()
        for client in clients:
            await client.close()

    def _own_endpoint(self, address: Address) -> Endpoint:
        """The provider's own URL and key. Blocks while the key is looked for.

        Raises:
            QiaoError: it is configured wrongly, or needs a key that nobody knows.
        """
        key = self._key()
        if key is None and self.provider.needs_key:
            title, how = self.provider.shown, how_to_set_key(self.provider)
            raise Refusal("remote.no_key", "no_key", title=title, how=how)
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
        try:
            key = self._keys.find(self.provider.name, self.provider.key_env)
        except QiaoError as error:
            raise Refusal("asking.failed", "no_key", message=str(error)) from None
        self._key_source = key.source if key else None
        # Where one is needed, it is given while nobody asks: the next look must find it.
        self._recent_key = None if key is None and self.provider.needs_key else (time.monotonic(), key)
        return key

    def _endpoint_at_hand(self, address: Address) -> Endpoint | None:
        """Where the model answers, if the key was looked for a moment ago: many requests at once don't all look."""
        recent = self._recent_key
        if recent is None or time.monotonic() - recent[0] > KEY_SECONDS:
            return None
        with suppress(QiaoError):
            found = None if self._elsewhere is None else self._elsewhere(address)
            return found or Endpoint(self.provider, self.provider.base_url, recent[1])
        return None

    def _known_key_source(self) -> KeySource | None:
        """Where the key is from, as far as that takes no asking around."""
        if any(os.environ.get(name, "").strip() for name in self.provider.key_env):
            return "environment"
        return None if self._key_source == "environment" else self._key_source


def _mishap(task: "Future[None]") -> Event:
    """What is told last if the answer's coroutine ended without a word of its own."""
    if task.cancelled():
        return Finished("cancelled")
    error = task.exception()
    return Failed("engine_died", say("remote.mishap", reason=quoted(f"{type(error).__name__}: {error}")))
