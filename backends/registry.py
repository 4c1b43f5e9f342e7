"""All backends behind one door: the address of a request decides which one answers it."""

import os
import threading
from collections.abc import Generator, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import msgspec

from ..workbench.address import LOCAL, STARTER, Address
from ..workbench.errors import QiaoError, Refused
from ..workbench.seam import (
    Backend,
    Count,
    Event,
    Failed,
    FailureKind,
    Finished,
    Model,
    Progress,
    Prompt,
    Request,
    Source,
    Started,
)
from ..workbench.visible import visible_line
from ..workbench.window import fit
from ..workbench.words import say

if TYPE_CHECKING:
    from .assembly import Assembly, Settings
    from .keys.store import Keys
    from .local.describing import Line
    from .local.hub_talk import Hub
    from .providers import Provider
    from .vllm.managed import ServerInfo
    from .vllm.watching import ServerLoad

_ENGINE_PACKAGES = ("torch", "transformers", "accelerate", "gguf")
"""What answering by the starter takes, beside the file."""

_MISSING_EXTRA = ("models.starter_no_pip", "models.starter_no_engine")


class Backends:
    """Every provider's backend, each made when it is first needed. A `Backend` itself, for all addresses.

    Args:
        config: the person's configuration.
        extra: further backends by provider name, as a scripted one in tests.
        keys: the keys of providers; None: a store of its own.
    """

    def __init__(
        self, config: "Settings", extra: Mapping[str, Backend] | None = None, keys: "Keys | None" = None
    ) -> None:
        self._config = config
        self._given = (extra or {}, keys)
        self._assembling = threading.Lock()
        self._assembled: Assembly | None = None

    @property
    def _all(self) -> "Assembly":
        """The parts; put together at first use, since their code takes a while to load."""
        with self._assembling:
            if self._assembled is None:
                from .assembly import Assembly
                from .keys.store import Keys

                extra, keys = self._given
                self._assembled = Assembly(self._config, extra, keys or Keys())
            return self._assembled

    @property
    def keys(self) -> "Keys":
        """The keys of providers."""
        return self._all.keys

    @property
    def providers(self) -> "Mapping[str, Provider]":
        """All servers that are known, by their names in addresses."""
        return self._all.providers

    def default_address(self) -> Address:
        """The model for new conversations: the configured one, else the starter.

        Raises:
            Unreadable: the configured one is no address.
        """
        configured = self._config.model
        return Address.parse(configured) if configured else STARTER

    def configure(self, config: "Settings") -> None:
        """What the settings say now holds from here on; providers that they say nothing new of stay as they are."""
        self._all.configure(config)
        self._config = config

    def backend(self, address: Address) -> Backend:
        """What answers for this address.

        Raises:
            Refused: no such provider is known.
        """
        return self._all.backend(address.provider)

    def sources(self) -> list[Source]:
        """Where models come from: this machine first, then the person's own providers, then the others.

        From what is known already: quick, and without a connection.
        """
        here = Source(LOCAL, say("remote.this_machine"))
        return [here, *(self._source(name) for name in self._all.made() if name != LOCAL)]

    def _source(self, name: str) -> Source:
        from .vllm.managed import PROVIDER as SERVED_AS

        remote = self._all.remote(name)
        if remote is None:
            return Source(name, visible_line(name))
        source = remote.source()
        if name == SERVED_AS and self._all.vllm.servers.listed():
            # What is known of these is known without asking; that the configured URL is silent is no trouble then.
            source = msgspec.structs.replace(source, asked=True, problem=None, serving=True)
        if source.key is not None or name not in self.providers:
            return source
        return msgspec.structs.replace(source, key=self.keys.known(name, self.providers[name].key_env))

    def refresh(self, provider: str, stop: threading.Event) -> None:
        """Asks a provider for its models; `models` has them from then on. Blocks until they are here.

        Raises:
            QiaoError: they can't be listed, or `stop` was set.
        """
        self._all.check(provider)
        if (remote := self._all.remote(provider)) is not None:
            remote.refresh(stop)
            self._all.vllm.answered(remote.provider)

    def forget_key(self, provider: str) -> None:
        """A provider's key was set or deleted: what is known about it doesn't count any more."""
        self.keys.forget(provider)
        if (remote := self._all.remote(provider)) is not None:
            remote.forget_key()

    def models(self) -> list[Model]:
        """What can answer here, the starter first; `absent` until it is fetched. Makes no backend."""
        made = self._all.made()
        local = made.pop(LOCAL, None)
        models = self._all.here.models() if local is None else local.models()
        served = self._all.vllm.servers.models()
        names = {model.address for model in served}
        rest = (model for backend in made.values() for model in backend.models() if model.address not in names)
        return [*models, *served, *rest]

    def describe(self, address: Address) -> "list[Line]":
        """All that is known of one model, line by line, in the person's language.

        Raises:
            Refused: there is no such model.
        """
        from .local.describing import describe

        if address.provider == LOCAL:
            return self._all.here.describe(address)
        self._all.check(address.provider)
        model = next((model for model in self.models() if model.address == address), None)
        if model is None:
            raise Refused("models.not_listed", address=visible_line(str(address)))
        return describe(model)

    def generate(self, request: Request, stop: threading.Event) -> Iterator[Event]:
        """One answer as it comes, from whichever backend the address names; fetches the starter first, if need be."""
        from .local import starter

        try:
            yield from self.prepare(request.address, stop)
            if request.address == STARTER and starter.path() is None:
                yield Finished("cancelled")
                return
            backend = self.backend(request.address)
        except QiaoError as error:
            yield Failed(_failure_kind(error), str(error))
            return
        fitted = fit(request, lambda asked: backend.prompt(asked, stop))
        for event in backend.generate(fitted.request, stop):
            if isinstance(event, Started):
                if (remote := self._all.remote(request.address.provider)) is not None:
                    self._all.vllm.answered(remote.provider, request.address)
                event = msgspec.structs.replace(event, left_out=len(fitted.cut))
            yield event

    def prompt(self, request: Request, stop: threading.Event) -> Prompt:
        """The exact text that `generate` would feed the model; fetches the starter first, if need be.

        Raises:
            QiaoError: as a `Failed` event would say it; or `stop` was set before the starter was there.
        """
        from .local.here import starter_file

        for _ in self.prepare(request.address, stop):
            pass
        if request.address == STARTER:
            starter_file()
        backend = self.backend(request.address)
        fitted = fit(request, lambda asked: backend.prompt(asked, stop))
        return fitted.prompt or backend.prompt(request, stop)

    def count(self, request: Request, stop: threading.Event) -> Count | None:
        """How many tokens the request comes to, by the model's own tokenizer; None where nobody can tell."""
        try:
            return self.backend(request.address).count(request, stop)
        except QiaoError:
            # Also while the starter isn't here: nothing is fetched for a number.
            return None

    def prepare(self, address: Address, stop: threading.Event) -> Generator[Progress, None, None]:
        """Fetches the starter, if that is the model and isn't here. `generate` and `prompt` do so themselves.

        Raises:
            Refused: it can't be fetched, or nothing here could run it: then 93 MB would be loaded for nothing.
        """
        if address == STARTER:
            from importlib.util import find_spec

            from .local import starter

            missing = [name for name in _ENGINE_PACKAGES if find_spec(name) is None]
            if missing and starter.path() is None:
                raise Refused("models.starter_no_engine", missing=", ".join(missing))
            yield from starter.fetch(stop)

    def fetch(
        self, address: Address, stop: threading.Event, hub: "Hub | None" = None
    ) -> Generator[Progress, None, None]:
        """Fetches the model, unless it is here. Ends early, within a second, once `stop` is set.

        Args:
            hub: where from; then it is also brought up to date. None: the configured one.

        Raises:
            QiaoError: it can't be fetched, or broke off; what had arrived is gone on with the next time.
        """
        from .local import hub_fetch, starter

        if address == STARTER:
            yield from starter.fetch(stop)
        elif address.provider != LOCAL:
            self._all.check(address.provider)
            raise Refused("pull.not_local", address=visible_line(str(address)))
        elif hub is not None or not self._all.here.has(address.name):
            yield from hub_fetch.fetch(address.name, hub or self._config.local.hub, stop)

    def serve(self, address: Address, flags: Sequence[str], stop: threading.Event) -> Generator[Progress, None, None]:
        """Starts a vLLM server for a model of this machine; it is in `servers` and ready when this ends.

        Once `stop` is set, or when the generator is closed early, it is ended again.

        Args:
            flags: of `vllm serve`; what they leave open is chosen by what is free.

        Raises:
            QiaoError: it can't be started, and why.
        """
        yield from self._all.vllm.servers.serve(address, self._servable(address), flags, stop)

    def suggested_flags(self, address: Address) -> tuple[str, ...]:
        """Flags of `vllm serve` that suit this model and the memory that is free now. Blocks for some ms.

        Raises:
            QiaoError: it is no model of this machine that vLLM could serve.
        """
        from .vllm.sizing import size

        return size(self._servable(address), (), os.environ.get("CUDA_VISIBLE_DEVICES")).flags

    def _servable(self, address: Address) -> Path:
        if address.provider != LOCAL:
            raise Refused("vllm.not_local", model=visible_line(str(address)))
        if address == STARTER:
            raise Refused("vllm.gguf", model=visible_line(str(address)))
        path = self._all.here.resolve(address.name).expanduser().absolute()
        if path.is_file():
            raise Refused("vllm.gguf", model=visible_line(str(address)))
        return path

    def servers(self) -> "list[ServerInfo]":
        """The vLLM servers that Qiao started, now or earlier, and that run or are starting. Quick."""
        return self._all.vllm.servers.listed()

    def end_server(self, address: Address) -> None:
        """Ends the server that answers as this; blocks for up to 8 s. Nothing happens if there is none."""
        if (remote := self._all.remote(address.provider)) is not None:
            # vLLM waits for its readers before it ends.
            remote.hang_up(address)
        self._all.vllm.servers.end(address.name)

    def leave_server(self, address: Address) -> None:
        """Lets the server run on after this process; the next Qiao finds it again."""
        self._all.vllm.servers.leave(address.name)

    def server_loads(self) -> "tuple[ServerLoad, ...]":
        """How the vLLM servers are doing that run or were talked to. Read in a thread while this is asked every second
        or so, and not at all otherwise."""
        return self._all.vllm.loads()

    def snippet(self, request: Request, language: Literal["curl", "python"]) -> str:
        """The request as a command or a program of one's own, without a key.

        Raises:
            QiaoError: the model isn't known here, or it can't be put so.
        """
        from .snippets import local, remote

        address = request.address
        if (provider := self.providers.get(address.provider)) is not None:
            return remote.curl(provider, request) if language == "curl" else remote.python(provider, request)
        model = next((model for model in self.models() if model.address == address), None)
        if model is None or model.path is None or language == "curl":
            raise Refused("models.no_snippet", address=visible_line(str(address)))
        return local.python(request, Path(model.path), model.kind)

    def unheeded(self, request: Request) -> dict[str, str]:
        """The set parameters that the model's side would ignore or refuse, each with one line that says so."""
        if request.address.provider == LOCAL and self._assembled is None:
            # The first paint asks for this, and a local model that nobody has talked to yet says nothing.
            return {}
        backend = self._all.made().get(request.address.provider)
        return {} if backend is None else backend.unheeded(request)

    def unload(self, address: Address) -> None:
        """Gives back the memory that the model holds, if any backend has loaded it."""
        backend = self._all.made().get(address.provider)
        if backend is not None:
            backend.unload(address)

    def close(self) -> None:
        """Ends all that any backend has started."""
        with self._assembling:
            assembled, (given, _) = self._assembled, self._given
        if assembled is not None:
            assembled.close()
            return
        for backend in given.values():
            backend.close()


def _failure_kind(error: QiaoError) -> FailureKind:
    return "missing_extra" if error.key in _MISSING_EXTRA else "unknown_model"
