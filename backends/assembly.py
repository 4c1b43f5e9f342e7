"""What the backends are made of: every provider's own, the key store, vLLM servers, the models of this machine.

A module of its own, since it brings the code of all of them along: the first paint needs none of it.
"""

import threading
from collections.abc import Callable, Mapping
from typing import Protocol

from ..workbench.address import LOCAL
from ..workbench.errors import Refused
from ..workbench.seam import Backend, Count, Prompt, Request
from ..workbench.visible import visible_line
from .keys.store import Keys
from .local.here import LocalModels, LocalSettings
from .providers import OwnProvider, Provider, providers
from .remote.engine import RemoteBackend
from .vllm.joining import Vllm


class VllmSettings(Protocol):
    """The part of the configuration about managed vLLM servers."""

    @property
    def command(self) -> str | None: ...


class Settings(Protocol):
    """What is asked of the configuration here."""

    @property
    def model(self) -> str | None: ...

    @property
    def local(self) -> LocalSettings: ...

    @property
    def vllm(self) -> VllmSettings: ...

    @property
    def provider(self) -> Mapping[str, OwnProvider]: ...


class Assembly:
    """All parts, for as long as the program runs; may be asked from any thread.

    Args:
        config: the person's configuration.
        extra: further backends by provider name, as a scripted one in tests.
        keys: the keys of providers.
    """

    def __init__(self, config: Settings, extra: Mapping[str, Backend], keys: Keys) -> None:
        self._config = config
        self.keys = keys
        self.providers = providers(config.provider)
        """All servers that are known, by their names in addresses."""
        self.vllm = Vllm(lambda: self._config.vllm.command)
        self.here = LocalModels(lambda: self._config.local)
        self._remote = {name: self._make_remote(provider) for name, provider in self.providers.items()}
        self._retired: list[Backend] = []
        """Backends of providers that the settings say other things of by now: they may still be answering."""
        self._factories: dict[str, Callable[[], Backend]] = {LOCAL: self._make_local}
        self._made: dict[str, Backend] = {**self._remote, **extra}
        self._lock = threading.Lock()

    def configure(self, config: Settings) -> None:
        """What the settings say now holds from here on; providers that they say nothing new of stay as they are.

        How long an idle model stays loaded is asked once only, when the first is.
        """
        wanted = providers(config.provider)
        with self._lock:
            before = self._remote
            others = {name: made for name, made in self._made.items() if made is not before.get(name)}
            self._config, self.providers = config, wanted
            self._remote = {
                name: before[name]
                if name in before and before[name].provider == provider
                else self._make_remote(provider)
                for name, provider in wanted.items()
            }
            self._retired += [old for name, old in before.items() if self._remote.get(name) is not old]
            self._made = {**self._remote, **others}

    def made(self) -> dict[str, Backend]:
        """The backends that there are by now, by their providers' names."""
        with self._lock:
            return dict(self._made)

    def remote(self, provider: str) -> RemoteBackend | None:
        """A provider's backend, if it is a server's."""
        backend = self._made.get(provider)
        return backend if isinstance(backend, RemoteBackend) else None

    def backend(self, provider: str) -> Backend:
        """A provider's backend, made if need be.

        Raises:
            Refused: no such provider is known.
        """
        with self._lock:
            self.check(provider)
            if provider not in self._made:
                self._made[provider] = self._factories[provider]()
            return self._made[provider]

    def check(self, provider: str) -> None:
        """Raises Refused if no such provider is known."""
        if provider not in self._made and provider not in self._factories:
            known = ", ".join(visible_line(name) for name in sorted({*self._factories, *self._made}))
            raise Refused("models.unknown_provider", provider=visible_line(provider), known=known)

    def close(self) -> None:
        """Ends all that any of them has started."""
        for backend in (*self.made().values(), *self._retired):
            backend.close()
        # After those that talk to them: a server waits for its readers.
        self.vllm.close()

    def _make_remote(self, provider: Provider) -> RemoteBackend:
        def prompt(request: Request, stop: threading.Event) -> Prompt:
            return self.vllm.prompt(backend.endpoint(request.address), request, stop)

        def count(request: Request, stop: threading.Event) -> Count | None:
            return self.vllm.count(backend.endpoint(request.address), request, stop)

        backend = RemoteBackend(
            provider,
            self.keys,
            elsewhere=self.vllm.elsewhere(provider),
            prompt=prompt if provider.tokenize else None,
            count=count if provider.tokenize else None,
        )
        return backend

    def _make_local(self) -> Backend:
        from .local.engine import LocalBackend

        minutes = self._config.local.unload_after_minutes
        idle_s = None if minutes is None else minutes * 60
        return LocalBackend(self.here.models, self.here.resolve, self.here.manner, idle_s)
