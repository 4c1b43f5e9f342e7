"""What `npu-smi info` prints, as values. It has no other form than a table in a box, two rows a chip:

    | 0     910B3     | OK            | 93.5        35                0    / 0             |
    | 0               | 0000:C1:00.0  | 0           0    / 0          3405 / 65536         |

The first row: NPU and name, health, power in W, temperature in °C, huge pages. The second: chip (on some boards also
its number among all), bus address, AI cores in percent, memory used / total in MB, and, where it has some, HBM used /
total in MB. A table of processes follows. The rows are those that tools which read them describe; Qiao's own samples
are composed after them, not recorded.
"""

import re
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import NamedTuple

from ...workbench.visible import visible_line
from .processes import Who
from .snapshot import Gpu, GpuProcess

MEGABYTE = 2**20
"""npu-smi counts in these."""

_BUS = re.compile(r"[0-9a-fA-F]{4}:[0-9a-fA-F]{2}:[0-9a-fA-F]{2}\.[0-9a-fA-F]$")
_FRACTION = re.compile(r"(\d+)\s*/\s*(\d+)")
_HEALTHY = ("ok", "na", "-")


class Listing(NamedTuple):
    """All that one call showed."""

    chips: tuple[Gpu, ...]
    """In the order of the table: their places in it are what ASCEND_RT_VISIBLE_DEVICES counts."""
    unhealthy: tuple[tuple[int, str], ...]
    """Those whose health isn't OK: index, and what npu-smi calls it."""
    version: str | None
    """Of npu-smi, which comes with the driver."""


class _Process(NamedTuple):
    npu: str
    chip: str
    pid: int
    name: str
    megabytes: int | None


def parse(output: str, who: Callable[[int], Who]) -> Listing:
    """The chips that the table shows; none if it is no such table.

    Args:
        output: of `npu-smi info`.
        who: looks a process up by its number.
    """
    version = re.search(r"npu-smi\s+v?([\w.]+)", output)
    rows = [
        [cell.strip() for cell in line.strip().strip("|").split("|")] for line in output.splitlines() if "|" in line
    ]
    processes = [process for row in rows if (process := _process(row)) is not None]
    chips: list[Gpu] = []
    unhealthy: list[tuple[int, str]] = []
    for index, (first, second) in enumerate(_pairs(rows)):
        npu = first[0].split()[0]
        chip = second[0].split()[0]
        own = tuple(_named(p, who) for p in processes if (p.npu, p.chip) == (npu, chip))
        chips.append(_chip(index, first, second, own))
        if first[1].lower() not in _HEALTHY:
            unhealthy.append((index, visible_line(first[1])))
    return Listing(tuple(chips), tuple(unhealthy), version[1] if version else None)


def _pairs(rows: list[list[str]]) -> Iterator[tuple[list[str], list[str]]]:
    """Each chip's two rows: the second is known by its bus address."""
    for first, second in pairwise(rows):
        if len(first) == len(second) == 3 and _BUS.match(second[1]) and re.match(r"\d+\s+\S", first[0]) and second[0]:
            yield first, second


def _chip(index: int, first: list[str], second: list[str], processes: tuple[GpuProcess, ...]) -> Gpu:
    power, temperature = ([*first[2].split(), "", ""])[:2]
    # Cards without HBM show one pair, the others a first one of 0 / 0 or of the card's small memory.
    sizes = [(int(used), int(total)) for used, total in _FRACTION.findall(second[2])]
    used, total = next(((used, total) for used, total in reversed(sizes) if total), (None, None))
    cores = second[2].split()[:1]
    name = " ".join(first[0].split()[1:])
    return Gpu(
        index=index,
        uuid=f"NPU-{second[1]}",
        name=visible_line(name if name.lower().startswith("ascend") else f"Ascend {name}"),
        kind="npu",
        utilization=int(cores[0]) if cores and cores[0].isdigit() and int(cores[0]) <= 100 else None,
        memory_used=None if used is None else used * MEGABYTE,
        memory_free=None if used is None or total is None else max(total - used, 0) * MEGABYTE,
        memory_total=None if total is None else total * MEGABYTE,
        temperature_c=int(temperature) if temperature.isdigit() else None,
        power_w=_watts(power),
        processes=tuple(sorted(processes, key=lambda process: -(process.memory_bytes or 0))),
    )


def _watts(written: str) -> float | None:
    try:
        watts = float(written)
    except ValueError:
        return None
    return watts if 0 < watts < 10_000 else None


def _process(row: list[str]) -> _Process | None:
    if len(row) != 4 or not re.fullmatch(r"\d+\s+\d+", row[0]) or not row[1].isdigit():
        return None
    npu, chip = row[0].split()
    return _Process(npu, chip, int(row[1]), row[2], int(row[3]) if row[3].isdigit() else None)


def _named(process: _Process, who: Callable[[int], Who]) -> GpuProcess:
    seen = who(process.pid)
    size = None if process.megabytes is None else process.megabytes * MEGABYTE
    return GpuProcess(process.pid, seen.user, seen.name or visible_line(process.name) or None, size, seen.own)
