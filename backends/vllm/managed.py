"""The vLLM servers that Qiao starts, and those that an earlier Qiao left running."""

import os
import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from ...workbench.address import Address
from ...workbench.errors import Refused
from ...workbench.seam import Model, Progress
from ...workbench.visible import visible_line
from . import state

if TYPE_CHECKING:
    from .server import Launch, Server

PROVIDER = "vllm"
_LOOK_SECONDS = 1.0
"""So long the list of servers on disk is taken to be true."""

_ENVIRONMENT = {"VLLM_NO_USAGE_STATS": "1", "CUDA_DEVICE_ORDER": "PCI_BUS_ID", "VLLM_LOGGING_COLOR": "0"}
"""Nothing is reported to anyone; GPUs are counted as they were when one was chosen."""


class ServerInfo(msgspec.Struct, frozen=True):
    """A server, for a person to see."""

    address: Address
    """What it answers as: `vllm:NAME`."""
    model: str
    """The address of the model that it serves."""
    root_url: str
    """Without `/v1`."""
    log: str
    ready: bool
    mine: bool
    """This process started it, and ends it with itself unless it is left running."""
    context_length: int | None = None

    @property
    def title(self) -> str:
        return visible_line(self.address.name)

    @property
    def base_url(self) -> str:
        return f"{self.root_url}/v1"


class Servers:
    """All managed servers of this user on this machine.

    Args:
        configured: `vllm.command` of the settings.
    """

    def __init__(self, configured: Callable[[], str | None]) -> None:
        self._configured = configured
        self._mine: dict[str, Server] = {}
        self._ended: dict[str, str] = {}
        """Servers that ended by themselves, with their logs."""
        self._changing = threading.Lock()
        self._found: tuple[float, tuple[state.Running, ...]] = (-_LOOK_SECONDS, ())

    def serve(self, model: Address, path: Path, flags: Sequence[str], stop: threading.Event) -> Iterator[Progress]:
        """Starts a server for a model's folder; it is ready when this ends, unless `stop` was set.

        Args:
            flags: of `vllm serve`, passed on as they are. What they don't say of port, name, memory and length is
                chosen here.

        Raises:
            QiaoError: no server can be started, or it ended.
        """
        # What starting takes is loaded when something is started.
        from .server import Server

        launch = self._launch(model, path, flags)
        with self._changing:
            if launch.name in self._mine:
                raise Refused("vllm.name_taken", name=visible_line(launch.name))
            server = self._mine[launch.name] = Server(launch)
            self._ended.pop(launch.name, None)
        ready = False
        try:
            yield from server.steps(stop)
            ready = server.running.ready
        finally:
            # An error, a stop, or nobody waits any more.
            if not ready:
                server.end()
                with self._changing:
                    self._mine.pop(launch.name, None)
            self._found = (-_LOOK_SECONDS, ())

    def listed(self) -> list[ServerInfo]:
        """The servers that run or are starting, the oldest first. Quick."""
        with self._changing:
            mine = {server.running.port: server for server in self._mine.values() if server.alive}
            for name in [name for name, server in self._mine.items() if not server.alive]:
                self._ended[name] = str(self._mine.pop(name).log)
        running = [*(server.running for server in mine.values()), *(r for r in self._on_disk() if r.port not in mine)]
        return [_info(r, mine=r.port in mine) for r in sorted(running, key=lambda r: r.created)]

    def find(self, name: str) -> ServerInfo | None:
        """The server that `vllm:NAME` means, if it is a managed one that is ready."""
        return next((info for info in self.listed() if info.address.name == name and info.ready), None)

    def ended_by_itself(self, name: str) -> str | None:
        """The log of a server that this process started and that ended by itself; None if there is no such."""
        return self._ended.get(name)

    def key(self, name: str) -> str | None:
        """The key of a managed server."""
        with self._changing:
            server = self._mine.get(name)
        if server is not None:
            return server.key
        return next((state.key_of(running) for running in self._on_disk() if running.name == name), None)

    def models(self) -> list[Model]:
        """What the servers serve."""
        return [
            Model(
                address=info.address,
                title=info.title,
                state="served" if info.ready else "loading",
                context_length=info.context_length,
            )
            for info in self.listed()
        ]

    def end(self, name: str) -> None:
        """Ends the server of this name, whoever started it; blocks for 8 s at most. Without one, nothing happens."""
        with self._changing:
            server = self._mine.pop(name, None)
        if server is not None:
            server.end()
        else:
            for running in self._on_disk():
                if running.name == name:
                    _end(running)
        self._found = (-_LOOK_SECONDS, ())

    def leave(self, name: str) -> None:
        """Lets a server run on when this process ends."""
        with self._changing:
            server = self._mine.get(name)
        if server is not None:
            server.leave()

    def close(self) -> None:
        """Ends all servers that this process started and that weren't left."""
        with self._changing:
            mine, self._mine = list(self._mine.values()), {}
        ends = [threading.Thread(target=server.end, name="server end") for server in mine if not server.left]
        for end in ends:
            end.start()
        for end in ends:
            end.join()

    def _on_disk(self) -> tuple[state.Running, ...]:
        since, found = self._found
        if time.monotonic() - since >= _LOOK_SECONDS:
            found = tuple(state.kept())
            self._found = (time.monotonic(), found)
        return found

    def _launch(self, model: Address, path: Path, flags: Sequence[str]) -> "Launch":
        from . import command
        from .flags import value, values, without
        from .plain_http import free_port
        from .server import Launch
        from .sizing import size

        if path.is_file():
            raise Refused("vllm.gguf", model=visible_line(str(model)))
        program = command.find(self._configured())
        given = without(flags, "--api-key")
        own: list[str] = []
        names = values(flags, "--served-model-name")
        name = names[0] if names else self._free_name(model, path)
        if not names:
            own += ["--served-model-name", name]
        port_text = value(flags, "--port")
        port = int(port_text) if port_text and port_text.isdigit() else free_port()
        if port_text is None:
            own += ["--port", str(port)]
        if value(flags, "--host") is None:
            own += ["--host", "127.0.0.1"]
        if "--disable-uvicorn-access-log" not in flags:
            # Looking at it once a second would fill its log.
            own.append("--disable-uvicorn-access-log")
        sizing = size(path, flags, os.environ.get("CUDA_VISIBLE_DEVICES"))
        chosen = {**_ENVIRONMENT, **sizing.environment}
        environment = {name: text for name, text in chosen.items() if name not in os.environ}
        return Launch(
            name=name,
            model=str(model),
            line=tuple(program.line(str(path), [*own, *sizing.flags, *given])),
            port=port,
            environment={**environment, **program.environment()},
            key=value(flags, "--api-key") or "",
        )

    def _free_name(self, model: Address, path: Path) -> str:
        """The model's name without its owner's; with a number after it where a server of that name runs.

        Not the folder's: in the hubs' caches that is a revision.
        """
        taken = {info.address.name for info in self.listed()}
        own = model.name.rstrip("/").rpartition("/")[2]
        if own in ("", ".", "..", "~"):
            own = path.resolve().name
        number, name = 1, own
        while name in taken:
            number += 1
            name = f"{own}-{number}"
        return name


def _info(running: state.Running, *, mine: bool) -> ServerInfo:
    return ServerInfo(
        Address(PROVIDER, running.name),
        running.model,
        running.root_url,
        running.log,
        running.ready,
        mine,
        running.context_length,
    )


def _end(running: state.Running) -> None:
    """Ends a server that another Qiao started, through its supervisor."""
    from .server import END_SECONDS

    if running.supervisor.signal(signal.SIGTERM):
        until = time.monotonic() + END_SECONDS
        while running.supervisor.alive and time.monotonic() < until:
            time.sleep(0.05)
        running.supervisor.signal(signal.SIGKILL)
    state.end_group(running.server)
    state.forget(running)
