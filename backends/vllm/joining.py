"""How vLLM servers join the providers: a managed one answers before the provider's own URL; both are watched."""

import threading
from collections.abc import Callable
from typing import NamedTuple

from ...workbench.address import Address
from ...workbench.errors import Refused
from ...workbench.seam import Count, Prompt, Request
from ...workbench.visible import visible_line
from ..keys.key import Key
from ..providers import Provider
from ..remote.server import Endpoint
from .managed import PROVIDER, Servers
from .plain_http import root_url
from .watching import ServerLoad, Watch


class _Attached(NamedTuple):
    """A server of somebody else's that has answered in this run."""

    title: str
    root_url: str
    path: str


class Vllm:
    """All that Qiao knows of vLLM servers.

    Args:
        configured: `vllm.command` of the settings.
    """

    def __init__(self, configured: Callable[[], str | None]) -> None:
        self.servers = Servers(configured)
        self._attached: dict[str, _Attached] = {}
        self._watch = Watch(self._watched)

    def elsewhere(self, provider: Provider) -> Callable[[Address], Endpoint | None] | None:
        """Where `vllm:NAME` answers, if that is a managed server; for other providers, nothing."""
        if provider.name != PROVIDER:
            return None

        def find(address: Address) -> Endpoint | None:
            server = self.servers.find(address.name)
            if server is None:
                self._check_known(address)
                return None
            key = self.servers.key(address.name)
            return Endpoint(provider, server.base_url, Key(key, "session") if key else None, server.context_length)

        return find

    def _check_known(self, address: Address) -> None:
        """Looking for it at the provider's own URL would end in a puzzle where it is a server of ours.

        Raises:
            Refused: it is starting, or has ended.
        """
        if any(server.address == address for server in self.servers.listed()):
            raise Refused("vllm.still_starting", name=visible_line(address.name))
        log = self.servers.ended_by_itself(address.name)
        if log is not None:
            raise Refused("vllm.gone", name=visible_line(address.name), log=visible_line(log))

    def prompt(self, endpoint: Endpoint, request: Request, stop: threading.Event) -> Prompt:
        """The exact prompt, from a server of a provider that tells it.

        Raises:
            QiaoError: as a `Failed` event would say it.
        """
        from . import tokenizing

        return tokenizing.prompt(endpoint, request, stop)

    def count(self, endpoint: Endpoint, request: Request, stop: threading.Event) -> Count | None:
        """How many tokens the request comes to, if the server tells that."""
        from . import tokenizing

        return tokenizing.count(endpoint, request, stop)

    def answered(self, provider: Provider, address: Address | None = None) -> None:
        """A provider has answered: from now on its own server is watched, if it tells how it is doing.

        Args:
            address: of the model that answered. If that is a managed server, it wasn't the provider's own.
        """
        managed = address is not None and address.provider == PROVIDER and self.servers.find(address.name) is not None
        if provider.metrics and not managed:
            root = root_url(provider.base_url)
            self._attached[provider.name] = _Attached(provider.name, root, provider.metrics)

    def loads(self) -> tuple[ServerLoad, ...]:
        """How the servers are doing; to be asked again and again by whoever shows it, and by nobody else."""
        return self._watch.loads()

    def close(self) -> None:
        """Ends the servers that this process started, but for those that were left running."""
        self._watch.close()
        self.servers.close()

    def _watched(self) -> list[_Attached]:
        managed = [_Attached(s.title, s.root_url, "/metrics") for s in self.servers.listed() if s.ready]
        roots = {server.root_url for server in managed}
        return managed + [server for server in list(self._attached.values()) if server.root_url not in roots]
