"""The machine pane in words, for ears: each figure with what it counts, one to a line, nothing drawn."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from ...backends.sensors.snapshot import Gpu, GpuProcess, Machine, Snapshot
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..text.bars import bytes_short
from ..text.wrap import Line, wrap_text

if TYPE_CHECKING:
    from ...backends.vllm.watching import ServerLoad

PROCESSES = 4
"""So many are told a GPU."""


def machine_words(snapshot: Snapshot, servers: "Sequence[ServerLoad]", width: int) -> list[Line]:
    """What the pane says, wrapped to `width` cells."""
    said: list[str] = []
    for gpu in snapshot.gpus:
        said += [*_gpu(gpu), ""]
    said += _computer(snapshot.machine)
    for server in servers:
        said += ["", *_server(server)]
    if snapshot.problem:
        said += ["", snapshot.problem]
    return [line for words in said for line in wrap_text(visible_line(words), width)]


def _gpu(gpu: Gpu) -> Iterator[str]:
    yield f"{gpu.kind.upper()} {gpu.label} {gpu.short_name or ''}".rstrip()
    if gpu.utilization is not None:
        yield say("plain.busy", n=gpu.utilization)
    yield from _memory(gpu.memory_used, gpu.memory_total)
    if gpu.temperature_c is not None:
        yield say("plain.temperature", n=gpu.temperature_c)
    if gpu.power_w is not None:
        yield say("plain.power", n=f"{gpu.power_w:.0f}")
    if gpu.clock_mhz is not None:
        yield say("plain.clock", n=f"{gpu.clock_mhz / 1000:.2f}")
    if gpu.throttle:
        yield say("screen.throttled", why=", ".join(map(say, gpu.throttle)))
    yield from map(_process, (gpu.processes or ())[:PROCESSES])


def _memory(used: int | None, total: int | None) -> Iterator[str]:
    if used is not None and total is not None:
        yield say("plain.memory", used=bytes_short(used).strip(), total=bytes_short(total).strip())


def _process(process: GpuProcess) -> str:
    owner = say("screen.you") if process.own else process.user or "?"
    words = say("plain.process", owner=owner, name=process.name or "?", pid=process.pid)
    return words if process.memory_bytes is None else f"{words}, {bytes_short(process.memory_bytes).strip()}"


def _computer(machine: Machine) -> Iterator[str]:
    cores = "" if machine.cores is None else f", {say('screen.cores', n=machine.cores)}"
    yield f"{say('screen.machine')}{cores}"
    if machine.cpu_percent is not None:
        yield say("plain.processor", n=f"{machine.cpu_percent:.0f}")
    yield from _memory(machine.memory_used, machine.memory_total)


def _server(server: "ServerLoad") -> Iterator[str]:
    load = server.load
    yield f"vLLM {server.title}"
    if not server.reached:
        yield say("vllm.server_silent")
        return
    yield say("vllm.server_counts", running=load.running or 0, waiting=load.waiting or 0)
    if load.kv_usage is not None:
        yield say("plain.cache", n=f"{load.kv_usage:.0%}")
    yield say("plain.speed", n=f"{load.tokens_per_second or 0:.0f}")
    if load.first_token_ms is not None:
        yield say("plain.first", n=f"{load.first_token_ms / 1000:.2f}")
    if load.prefix_hits is not None:
        yield say("vllm.server_hits", n=f"{load.prefix_hits:.0%}")
