"""The processor and the memory of this machine, or of the container that Qiao runs in."""

from pathlib import Path

import psutil

from .snapshot import Machine


class MachineSensor:
    """Reads them. Used by one thread.

    Args:
        proc: where the process file system is mounted.
        cgroups: where the control groups (version 2) are.
    """

    def __init__(self, proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> None:
        self._self = psutil.Process()
        self._cores = psutil.cpu_count()
        self._group = _tightest_group(proc, cgroups)
        self._warm = False

    def read(self) -> Machine:
        """The values of this moment; the processor's share is that since the reading before."""
        cpu = psutil.cpu_percent(None)
        # The first call has nothing to compare with and says 0.
        warm, self._warm = self._warm, True
        memory = memory_of(self._group)
        return Machine(
            cpu_percent=cpu if warm else None,
            cores=self._cores,
            load=psutil.getloadavg()[0],
            memory_used=memory[0],
            memory_total=memory[1],
            own_memory=self._self.memory_info().rss,
        )


def machine_memory(proc: Path = Path("/proc"), cgroups: Path = Path("/sys/fs/cgroup")) -> tuple[int, int]:
    """Bytes used and in all, here and now, within the container's limit if there is one."""
    return memory_of(_tightest_group(proc, cgroups))


def memory_of(group: Path | None) -> tuple[int, int]:
    """Bytes used and in all: of the machine, or of a control group whose limit is lower.

    In a group, as on the machine, what the page cache could give back at once doesn't count as used.
    """
    whole = psutil.virtual_memory()
    used, total = whole.total - whole.available, whole.total
    limit = None if group is None else _limit(group)
    if group is None or limit is None or limit >= total:
        return used, total
    try:
        held = int((group / "memory.current").read_text())
        stat = dict(line.split(" ", 1) for line in (group / "memory.stat").read_text().splitlines())
        return max(held - int(stat.get("inactive_file", 0)), 0), limit
    except (OSError, ValueError):
        return min(used, limit), limit


def _tightest_group(proc: Path, cgroups: Path) -> Path | None:
    """The control group with the lowest memory limit, of ours and those above it. None: no limit, or version 1."""
    try:
        lines = (proc / "self" / "cgroup").read_text().splitlines()
    except OSError:
        return None
    own = next((line.removeprefix("0::") for line in lines if line.startswith("0::")), None)
    if own is None:
        return None
    inner = cgroups / own.lstrip("/")
    groups = [group for group in (inner, *inner.parents) if group.is_relative_to(cgroups)]
    limited = [(limit, group) for group in groups if (limit := _limit(group)) is not None]
    return min(limited)[1] if limited else None


def _limit(group: Path) -> int | None:
    """memory.max of a group in bytes; None for `max`, and for the root group, which has no such file."""
    try:
        return int((group / "memory.max").read_text())
    except (OSError, ValueError):
        return None
