"""`qiao serve`: a vLLM server in the foreground, from its start to its end."""

import time
from argparse import Namespace
from collections.abc import Sequence
from typing import TYPE_CHECKING

from ..workbench.address import Address
from ..workbench.errors import BrokenOff
from ..workbench.paths import log_dir
from ..workbench.seam import Progress
from ..workbench.visible import visible_line, without_surrogates
from ..workbench.words import say
from .interrupt import Interrupt
from .progress import bar
from .streams import Narration

if TYPE_CHECKING:
    from ..backends.registry import Backends
    from ..backends.vllm.managed import ServerInfo
    from ..backends.vllm.metrics import Load

LOOK_SECONDS = 0.5
PLAIN_SECONDS = 60.0
"""So often the load is told where no line can be rewritten; and only if something goes on."""


def serve(options: Namespace, backends: "Backends", narration: Narration) -> int:
    """Starts the server, says how to use it, and how it is doing; ctrl+c ends it.

    Returns:
        What the command exits with: 0 after ctrl+c on a server that was ready.

    Raises:
        QiaoError: it can't be started, or ended by itself.
    """
    address = Address.parse(without_surrogates(options.model))
    flags: Sequence[str] = options.flags[1:] if options.flags[:1] == ["--"] else options.flags
    with Interrupt() as interrupt:
        before = {server.address for server in backends.servers()}
        steps = Steps(narration)
        try:
            for progress in backends.serve(address, flags, interrupt.stop):
                steps.show(progress)
        finally:
            narration.clear()
        interrupt.check()
        server = next((s for s in backends.servers() if s.mine and s.address not in before), None)
        if server is None:
            raise BrokenOff("vllm.gone", name=visible_line(address.name), log=visible_line(str(log_dir())))
        for line in ready_lines(server):
            narration.note(line)
        _watch(server, backends, narration, interrupt)
        narration.clear()
        narration.note(say("vllm.serve_ending", model=str(server.address)))
        backends.end_server(server.address)
    return 0


class Steps:
    """The steps of a start: each in a line of its own with the seconds it began at, the current one rewritten."""

    def __init__(self, narration: Narration) -> None:
        self._narration = narration
        self._begun = time.monotonic()
        self._last = ""

    def show(self, progress: Progress) -> None:
        """Shows a step, or how far it is."""
        seconds = f"{time.monotonic() - self._begun:5.0f} s  "
        if progress.note != self._last:
            self._last = progress.note
            self._narration.note(seconds + progress.note)
        if progress.total:
            share = min(progress.done / progress.total, 1)
            self._narration.status(f"{seconds}{bar(share)}  {share:4.0%}")


def ready_lines(server: "ServerInfo") -> list[str]:
    """How to use a server that is ready."""
    model = visible_line(str(server.address))
    return [
        say("vllm.serve_ready", model=model, url=server.base_url),
        say("vllm.serve_use", model=model),
        say("vllm.serve_log", log=visible_line(server.log)),
    ]


def load_line(load: "Load") -> str:
    """How a server is doing, on one line; what it doesn't tell is left out."""
    parts = [
        None if load.running is None else say("vllm.load_running", n=load.running),
        None if load.waiting is None else say("vllm.load_waiting", n=load.waiting),
        None if load.tokens_per_second is None else say("vllm.load_speed", n=f"{load.tokens_per_second:.0f}"),
        None if load.kv_usage is None else say("vllm.load_cache", n=f"{load.kv_usage:.0%}"),
        None if load.prefix_hits is None else say("vllm.load_hits", n=f"{load.prefix_hits:.0%}"),
        None if load.first_token_ms is None else say("vllm.load_first", n=f"{load.first_token_ms:.0f}"),
    ]
    return " · ".join(part for part in parts if part)


def _watch(server: "ServerInfo", backends: "Backends", narration: Narration, interrupt: Interrupt) -> None:
    """Tells how it is doing until it is to end.

    Raises:
        BrokenOff: it ended by itself.
    """
    told = time.monotonic()
    while not interrupt.stop.wait(LOOK_SECONDS):
        if all(s.address != server.address for s in backends.servers()):
            raise BrokenOff("vllm.gone", name=server.title, log=visible_line(server.log))
        load = next((s.load for s in backends.server_loads() if s.root_url == server.root_url), None)
        if load is None:
            continue
        narration.status(load_line(load))
        if not narration.can_rewrite and load.running and time.monotonic() - told >= PLAIN_SECONDS:
            told = time.monotonic()
            narration.note(load_line(load))
