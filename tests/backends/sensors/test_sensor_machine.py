"""The processor and the memory, of this machine and of a container with a limit."""

import os
from pathlib import Path

import psutil
import pytest

from qiao.backends.sensors.machine import MachineSensor, machine_memory

M = 2**20


@pytest.fixture
def container(tmp_path: Path) -> tuple[Path, Path]:
    """Files as in a control group `/box/inner` with 512 MiB, of which 300 are held and 100 of these are page cache."""
    proc, cgroups = tmp_path / "proc", tmp_path / "cgroup"
    (proc / "self").mkdir(parents=True)
    (proc / "self" / "cgroup").write_text("0::/box/inner\n")
    inner = cgroups / "box" / "inner"
    inner.mkdir(parents=True)
    (inner / "memory.max").write_text("max\n")
    (cgroups / "box" / "memory.max").write_text(f"{512 * M}\n")
    (cgroups / "box" / "memory.current").write_text(f"{300 * M}\n")
    (cgroups / "box" / "memory.stat").write_text(f"anon {200 * M}\nfile {100 * M}\ninactive_file {100 * M}\n")
    return proc, cgroups


def test_this_machine(tmp_path: Path) -> None:
    sensor = MachineSensor(cgroups=tmp_path)
    first = sensor.read()
    assert first.cpu_percent is None  # There is nothing to compare with yet.
    second = sensor.read()
    assert second.cpu_percent is not None
    assert 0 <= second.cpu_percent <= 100
    assert second.cores == os.cpu_count()
    assert second.load is not None
    assert second.load >= 0
    assert second.memory_total == psutil.virtual_memory().total
    assert second.memory_total is not None
    assert second.memory_used is not None
    assert 0 < second.memory_used < second.memory_total
    assert second.own_memory is not None
    assert 5 * M < second.own_memory < second.memory_total
    assert second.memory_fraction == second.memory_used / second.memory_total


def test_a_containers_limit_counts_as_the_memory(container: tuple[Path, Path]) -> None:
    machine = MachineSensor(*container).read()
    assert (machine.memory_used, machine.memory_total) == (200 * M, 512 * M)
    assert machine_memory(*container) == (200 * M, 512 * M)


def test_the_lower_of_two_limits_counts(container: tuple[Path, Path]) -> None:
    proc, cgroups = container
    inner = cgroups / "box" / "inner"
    (inner / "memory.max").write_text(f"{256 * M}\n")
    (inner / "memory.current").write_text(f"{10 * M}\n")
    (inner / "memory.stat").write_text("anon 0\n")
    assert machine_memory(proc, cgroups) == (10 * M, 256 * M)


@pytest.mark.parametrize("limit", ["max", str(2**62)])
def test_no_limit_that_matters(container: tuple[Path, Path], limit: str) -> None:
    proc, cgroups = container
    (cgroups / "box" / "memory.max").write_text(limit)
    assert machine_memory(proc, cgroups)[1] == psutil.virtual_memory().total


def test_a_limit_whose_use_cant_be_read(container: tuple[Path, Path]) -> None:
    proc, cgroups = container
    (cgroups / "box" / "memory.stat").unlink()
    used, total = machine_memory(proc, cgroups)
    assert total == 512 * M
    assert 0 < used <= total


@pytest.mark.parametrize("lines", ["4:memory:/old\n", "", None])
def test_without_control_groups_of_version_2(tmp_path: Path, lines: str | None) -> None:
    (tmp_path / "self").mkdir()
    if lines is not None:
        (tmp_path / "self" / "cgroup").write_text(lines)
    assert machine_memory(tmp_path, tmp_path)[1] == psutil.virtual_memory().total
