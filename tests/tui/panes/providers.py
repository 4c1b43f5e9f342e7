"""What answers, as a test says: providers with their models, keys and troubles, behind `Backends`' own methods."""

import threading
from collections.abc import Generator, Sequence

import msgspec

from qiao.backends.assembly import Settings
from qiao.backends.registry import Backends
from qiao.backends.scripted import ScriptedBackend
from qiao.backends.vllm.managed import ServerInfo
from qiao.workbench.address import Address
from qiao.workbench.config import Config
from qiao.workbench.errors import QiaoError
from qiao.workbench.seam import Model, Progress, Source

HERE = Source("local", "this machine")


def remote(provider: str, title: str = "", **fields: object) -> Source:
    """A provider that hasn't been asked yet."""
    source = Source(provider, title or provider, base_url=f"https://{provider}.example/v1", asked=False)
    return msgspec.structs.replace(source, **fields)


def local(name: str, **fields: object) -> Model:
    """A model on this machine."""
    address = Address("local", name)
    model = Model(address, name, "on_disk", "instruct", 3_000_000_000, 6_200_000_000, 32768)
    return msgspec.structs.replace(model, **fields)


class Providers(Backends):
    """Answers by the scripted backend under every name; what it lists, a test sets.

    Args:
        sources: where models come from.
        models: those that are known from the start.
        behind: by provider, what it lists once it is asked; an error, and it can't be.
    """

    def __init__(
        self,
        sources: Sequence[Source] = (HERE,),
        models: Sequence[Model] = (),
        behind: dict[str, Sequence[str] | QiaoError] | None = None,
        scripted: ScriptedBackend | None = None,
        config: Config | None = None,
    ) -> None:
        self.scripted = scripted or ScriptedBackend(())
        names = {source.provider for source in sources} | {"scripted"}
        self.settings = config or Config(model="local:small")
        super().__init__(self.settings, extra=dict.fromkeys(names, self.scripted))
        self.listed = {source.provider: source for source in sources}
        self.found = list(models)
        self.behind = behind or {}
        self.hold = threading.Event()
        """While it isn't set, asking and fetching wait."""
        self.hold.set()
        self.asked: list[str] = []
        self.fetched: list[Address] = []
        self.running: list[ServerInfo] = []
        self.trouble: QiaoError | None = None
        """What serving ends on."""
        self.flags: list[str] = []
        self.left: list[Address] = []

    def sources(self) -> list[Source]:
        return list(self.listed.values())

    def models(self) -> list[Model]:
        return list(self.found)

    def configure(self, config: Settings) -> None:
        for name, provider in config.provider.items():
            self.listed[name] = remote(name, base_url=provider.base_url)

    def refresh(self, provider: str, stop: threading.Event) -> None:
        self.asked.append(provider)
        while not self.hold.wait(0.01):
            if stop.is_set():
                return
        source = self.listed[provider]
        said = self.behind.get(provider, ())
        self.found = [model for model in self.found if model.address.provider != provider]
        if isinstance(said, QiaoError):
            self.listed[provider] = msgspec.structs.replace(source, problem=str(said))
            raise said
        self.listed[provider] = msgspec.structs.replace(source, asked=True, problem=None)
        self.found += [Model(Address(provider, name), name, "remote") for name in said]

    def fetch(self, address: Address, stop: threading.Event, hub: str | None = None) -> Generator[Progress, None, None]:
        self.fetched.append(address)
        yield Progress("fetching", 42, 100, "model.safetensors")
        while not self.hold.wait(0.01):
            if stop.is_set():
                return
        self.found = [
            msgspec.structs.replace(model, state="on_disk") if model.address == address else model
            for model in self.found
        ]

    def suggested_flags(self, address: Address) -> tuple[str, ...]:
        return ("--gpu-memory-utilization", "0.31")

    def serve(self, address: Address, flags: Sequence[str], stop: threading.Event) -> Generator[Progress, None, None]:
        self.flags = list(flags)
        yield Progress("starting", note="starting Python")
        yield Progress("loading", 5, 12, "loading weights")
        while not self.hold.wait(0.01):
            if stop.is_set():
                return
        if self.trouble is not None:
            raise self.trouble
        served = Address("vllm", address.name)
        self.running.append(ServerInfo(served, str(address), "http://127.0.0.1:1", "", True, True, 2048))
        self.found.append(Model(served, address.name, "served"))

    def servers(self) -> list[ServerInfo]:
        return list(self.running)

    def end_server(self, address: Address) -> None:
        self.running = [server for server in self.running if server.address != address]
        self.found = [model for model in self.found if model.address != address]

    def leave_server(self, address: Address) -> None:
        self.left.append(address)
