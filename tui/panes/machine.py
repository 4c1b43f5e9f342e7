"""The machine pane: GPUs with their history, memory, heat and processes; processor and memory; vLLM servers."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual import events
from textual.geometry import Size
from textual.strip import Strip
from textual.widget import Widget

from ...backends.sensors.history import History, Track
from ...backends.sensors.snapshot import Gpu, GpuProcess, Machine, Snapshot
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..look.inks import Inks, jump_mark
from ..text.bars import bar, bytes_short, sparkline
from ..text.wrap import Line, Run, line_width, truncate, wrap_text
from .machine_words import PROCESSES, machine_words

if TYPE_CHECKING:
    from ...backends.vllm.watching import ServerLoad


class MachinePane(Widget):
    """Paints the latest snapshot. Lines keep their places from one to the next, so that only figures change.

    Args:
        plain: in words, and as it was when the pane was opened: figures that change would be read out again and again.
    """

    DEFAULT_CSS = """
    MachinePane { background: $q-panel; height: auto; }
    """

    def __init__(self, inks: Inks, *, plain: bool = False, id: str | None = None) -> None:
        super().__init__(id=id)
        self.inks = inks
        self._plain = plain
        self._lines: list[Line] = []
        self._seen: tuple[Snapshot, History, Sequence[ServerLoad]] | None = None
        self._letter = ""

    def restyle(self, inks: Inks) -> None:
        self.inks = inks
        self.refresh()

    def show_letter(self, letter: str) -> None:
        """Shows a letter before the first line; none, if it is empty."""
        self._letter = letter
        self.refresh()

    def show(self, snapshot: Snapshot, history: History, servers: "Sequence[ServerLoad]" = ()) -> None:
        if self._plain and self._seen is not None and self._seen[0].machine.cpu_percent is not None:
            # The first snapshot of a run doesn't know yet how busy the processor is.
            return
        self._seen = snapshot, history, servers
        self._paint()

    def on_hide(self) -> None:
        self._seen = None

    def on_resize(self, event: events.Resize) -> None:
        self._paint()

    def _paint(self) -> None:
        if self._seen is None or not self.size.width:
            return
        snapshot, history, servers = self._seen
        width = self.size.width - 3
        lines = (
            machine_words(snapshot, servers, width) if self._plain else machine_lines(snapshot, history, servers, width)
        )
        if lines != self._lines:
            taller = len(lines) != len(self._lines)
            self._lines = lines
            self.refresh(layout=taller)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        return max(len(self._lines), 6)

    def render_line(self, y: int) -> Strip:
        line = self._lines[y] if y < len(self._lines) else ()
        before = jump_mark(self._letter, 1) if y == 0 and self._letter else (Run(" "),)
        return self.inks.strip((*before, *line), "panel", self.size.width)


def machine_lines(snapshot: Snapshot, history: History, servers: "Sequence[ServerLoad]", width: int) -> list[Line]:
    """What the pane shows, `width` cells wide."""
    lines: list[Line] = []
    for gpu in snapshot.gpus:
        lines += [*_gpu(gpu, history, width), ()]
    lines += _computer(snapshot.machine, history, width)
    for server in servers:
        lines += [(), *_server(server, width)]
    if snapshot.problem:
        lines += [(), *wrap_text(visible_line(snapshot.problem), width, "faint")]
    return lines


def _sides(left: Line, right: Line, width: int) -> Line:
    return (*left, Run(" " * max(width - line_width(left) - line_width(right), 1)), *right)


def _gpu(gpu: Gpu, history: History, width: int) -> list[Line]:
    name = truncate(visible_line(gpu.short_name or ""), width - 8)
    lines = [_sides((Run(f"{gpu.kind.upper()} {gpu.label}", "muted strong"),), (Run(name, "faint"),), width)]
    chart = width - 5
    if gpu.utilization is not None:
        used = sparkline(history.gpus.get(gpu.key, Track()).utilization, chart, 100)
        lines.append(_sides((Run(used, "good"),), (Run(f"{gpu.utilization:3d}%", "strong"),), width))
    if gpu.memory_fraction is not None and gpu.memory_used is not None:
        lines.append(_meter(gpu.memory_fraction, bytes_short(gpu.memory_used), width))
    facts = [
        None if gpu.temperature_c is None else f"{gpu.temperature_c}°C",
        None if gpu.power_w is None else f"{gpu.power_w:3.0f} W",
        None if gpu.clock_mhz is None else f"{gpu.clock_mhz / 1000:.2f} GHz",
    ]
    if any(facts):
        lines.append((Run("  ".join(fact for fact in facts if fact), "muted"),))
    if gpu.throttle:
        lines.append((Run(truncate(say("screen.throttled", why=", ".join(map(say, gpu.throttle))), width), "warn"),))
    return lines + [_process(process, width) for process in (gpu.processes or ())[:PROCESSES]]


def _meter(fraction: float, words: str, width: int) -> Line:
    filled, empty = bar(fraction, width - 6)
    ink = "bad" if fraction > 0.95 else "good"
    return _sides((Run(filled, ink), Run(empty, "track")), (Run(words, "strong"),), width)


def _process(process: GpuProcess, width: int) -> Line:
    owner = say("screen.you") if process.own else visible_line(process.user or "?")
    name = visible_line(process.name or "?")
    size = "" if process.memory_bytes is None else bytes_short(process.memory_bytes)
    left = truncate(f"{owner} {name} {process.pid}", width - len(size) - 1)
    return _sides((Run(left, "muted"),), (Run(size, "text"),), width)


def _computer(machine: Machine, history: History, width: int) -> list[Line]:
    cores = "" if machine.cores is None else say("screen.cores", n=machine.cores)
    lines = [_sides((Run(say("screen.machine"), "muted strong"),), (Run(cores, "faint"),), width)]
    if machine.cpu_percent is not None:
        chart = sparkline(history.machine.utilization, width - 5, 100)
        lines.append(_sides((Run(chart, "good"),), (Run(f"{machine.cpu_percent:3.0f}%", "strong"),), width))
    if machine.memory_fraction is not None and machine.memory_used is not None and machine.memory_total is not None:
        lines.append(_meter(machine.memory_fraction, bytes_short(machine.memory_used), width))
        words = say("screen.memory_of", total=bytes_short(machine.memory_total).strip())
        lines.append((Run(words, "muted"),))
    return lines


def _server(server: "ServerLoad", width: int) -> list[Line]:
    """A vLLM server: what it answers, how fast, and how full it is. Each figure has its place, told or not."""
    name = truncate(visible_line(server.title), width - 6)
    lines = [_sides((Run("vLLM", "muted strong"),), (Run(name, "faint"),), width)]
    load = server.load
    if not server.reached:
        return [*lines, (Run(say("vllm.server_silent"), "warn"),)]
    counts = say("vllm.server_counts", running=load.running or 0, waiting=load.waiting or 0)
    lines.append((Run(truncate(counts, width), "text"),))
    if load.kv_usage is not None:
        words = say("vllm.server_cache", n=f"{load.kv_usage:4.0%}")
        filled, empty = bar(load.kv_usage, width - line_width((Run(words),)) - 1)
        ink = "bad" if load.kv_usage > 0.95 else "good"
        lines.append(_sides((Run(filled, ink), Run(empty, "track")), (Run(words, "strong"),), width))
    speed = say("vllm.server_speed", n=f"{load.tokens_per_second or 0:.0f}")
    first = say("vllm.server_first", n="–" if load.first_token_ms is None else _seconds(load.first_token_ms))
    lines.append(_sides((Run(speed, "strong"),), (Run(first, "muted"),), width))
    hits = say("vllm.server_hits", n="–" if load.prefix_hits is None else f"{load.prefix_hits:.0%}")
    lines.append((Run(truncate(hits, width), "muted"),))
    return lines


def _seconds(milliseconds: float) -> str:
    return f"{milliseconds:.0f} ms" if milliseconds < 1000 else f"{milliseconds / 1000:.1f} s"
