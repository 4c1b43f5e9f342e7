"""The sampling thread."""

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from qiao.backends.sensors.machine import MachineSensor
from qiao.backends.sensors.nvidia import NvidiaSensor, Seen
from qiao.backends.sensors.processes import Who
from qiao.backends.sensors.sampler import Sampler
from qiao.backends.sensors.snapshot import Machine, Snapshot
from qiao.workbench import words

from ...patience import PATIENCE_S, PROMPTLY_S

Play = Callable[[str], Any]
Looks = Callable[[int], Who]


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    before = words.current()
    words.choose("en")
    yield
    words.choose(before)


class Collected:
    """Gathers snapshots, and waits for a number of them."""

    def __init__(self) -> None:
        self.snapshots: list[Snapshot] = []
        self._more = threading.Condition()

    def __call__(self, snapshot: Snapshot) -> None:
        with self._more:
            self.snapshots.append(snapshot)
            self._more.notify_all()

    def wait_for(self, count: int) -> list[Snapshot]:
        with self._more:
            assert self._more.wait_for(lambda: len(self.snapshots) >= count, PATIENCE_S)
            return list(self.snapshots)


@pytest.fixture
def running() -> Iterator[Callable[[Sampler], Collected]]:
    """Starts samplers, and stops them after the test."""
    started: list[Sampler] = []

    def run(sampler: Sampler) -> Collected:
        collected = Collected()
        sampler.subscribe(collected)
        started.append(sampler)
        sampler.start()
        return collected

    yield run
    for sampler in started:
        sampler.stop()


class NoGpus:
    """A sensor that finds no GPU."""

    def read(self, now: float, machine: Machine) -> Seen:
        return Seen((), None)

    def close(self) -> None:
        pass


def test_snapshots_of_the_real_machine_come_in_order(running: Callable[[Sampler], Collected]) -> None:
    sampler = Sampler(0.1)
    assert sampler.latest is None
    first, second, third = running(sampler).wait_for(3)[:3]
    assert first.time < second.time < third.time
    assert third.machine.memory_used
    assert third.machine.cpu_percent is not None
    assert third.gpus or third.problem
    assert sampler.latest is not None
    assert sampler.latest.time >= third.time
    assert len(sampler.history().machine.memory) >= 3


def test_a_gpu_is_seen_and_its_history_kept(play: Play, who: Looks, running: Callable[[Sampler], Collected]) -> None:
    sampler = Sampler(0.1, gpus=NvidiaSensor(play("h100"), who))
    snapshot = running(sampler).wait_for(3)[-1]
    (gpu,) = snapshot.gpus
    assert (gpu.utilization, snapshot.problem) == (83, None)
    assert set(sampler.history().gpus[gpu.key].utilization) == {83}
    assert len(sampler.history().gpus[gpu.key].memory) >= 3


def test_stopping_gives_nvml_back_and_ends_the_thread(play: Play, who: Looks) -> None:
    nvml = play("h100")
    sampler = Sampler(60, gpus=NvidiaSensor(nvml, who))
    collected = Collected()
    sampler.subscribe(collected)
    before = threading.enumerate()
    sampler.start()
    collected.wait_for(1)
    (thread,) = [each for each in threading.enumerate() if each.name == "qiao-sensors" and each not in before]
    assert thread.daemon
    sampler.stop()
    thread.join(PATIENCE_S)
    assert not thread.is_alive()
    assert nvml.opened == 0
    sampler.stop()


def test_it_can_be_started_again(running: Callable[[Sampler], Collected]) -> None:
    sampler = Sampler(60, gpus=NoGpus())
    collected = running(sampler)
    collected.wait_for(1)
    sampler.start()  # It runs: nothing happens.
    sampler.stop()
    sampler.start()
    collected.wait_for(2)


def test_stop_does_not_wait_for_a_driver_that_hangs(running: Callable[[Sampler], Collected]) -> None:
    inside, released = threading.Event(), threading.Event()

    class Hanging(NoGpus):
        def read(self, now: float, machine: Machine) -> Seen:
            inside.set()
            released.wait(PATIENCE_S)
            return Seen((), None)

    sampler = Sampler(gpus=Hanging())
    collected = running(sampler)
    assert inside.wait(PATIENCE_S)
    begun = time.monotonic()
    sampler.stop()
    assert time.monotonic() - begun < PROMPTLY_S
    released.set()
    assert collected.snapshots == []


def test_a_shorter_interval_counts_at_once(running: Callable[[Sampler], Collected]) -> None:
    sampler = Sampler(3600, gpus=NoGpus())
    collected = running(sampler)
    collected.wait_for(1)
    sampler.interval = 0
    assert sampler.interval == 0.1
    collected.wait_for(3)


def test_a_sensor_that_throws_is_left_out_and_said(running: Callable[[Sampler], Collected]) -> None:
    class Broken(NoGpus):
        reads = 0
        closed = threading.Event()

        def read(self, now: float, machine: Machine) -> Seen:
            Broken.reads += 1
            raise RuntimeError("odd\x1b[2J driver")

        def close(self) -> None:
            Broken.closed.set()
            raise RuntimeError("it doesn't close either")

    sampler = Sampler(0.1, gpus=Broken())
    snapshots = running(sampler).wait_for(3)
    assert Broken.reads == 1
    assert all(snapshot.problem == "The GPUs can't be read: odd␛[2J driver" for snapshot in snapshots)
    assert snapshots[-1].machine.memory_used
    sampler.stop()
    assert Broken.closed.wait(PATIENCE_S)


def test_a_machine_that_cant_be_read_still_has_gpus(
    play: Play, who: Looks, running: Callable[[Sampler], Collected]
) -> None:
    class Broken(MachineSensor):
        def read(self) -> Machine:
            raise ZeroDivisionError

    snapshot = running(Sampler(0.1, machine=Broken(), gpus=NvidiaSensor(play("h100"), who))).wait_for(2)[-1]
    assert snapshot.machine == Machine()
    assert snapshot.gpus[0].utilization == 83
    assert snapshot.problem == "Processor and memory can't be read: ZeroDivisionError"


def test_a_subscriber_that_raises_is_left_out(running: Callable[[Sampler], Collected]) -> None:
    calls: list[Snapshot] = []

    def broken(snapshot: Snapshot) -> None:
        calls.append(snapshot)
        raise RuntimeError("a pane that is gone")

    sampler = Sampler(0.1, gpus=NoGpus())
    sampler.subscribe(broken)
    running(sampler).wait_for(3)
    assert len(calls) == 1


def test_unsubscribing(running: Callable[[Sampler], Collected]) -> None:
    sampler = Sampler(0.1, gpus=NoGpus())
    others = Collected()
    unsubscribe = sampler.subscribe(others)
    collected = running(sampler)
    collected.wait_for(1)
    unsubscribe()
    unsubscribe()
    seen = len(others.snapshots)
    collected.wait_for(seen + 3)
    assert len(others.snapshots) <= seen + 1  # One may have been on its way.


def test_a_subscriber_may_stop_it(running: Callable[[Sampler], Collected]) -> None:
    sampler = Sampler(0.1, gpus=NoGpus())
    stopped = threading.Event()

    def stop(snapshot: Snapshot) -> None:
        sampler.stop()
        stopped.set()

    sampler.subscribe(stop)
    running(sampler)
    assert stopped.wait(PATIENCE_S)


def test_importing_and_making_a_sampler_loads_neither_nvml_nor_psutil() -> None:
    program = (
        "import sys; from qiao.backends.sensors import sampler, snapshot; sampler.Sampler();"
        "print([name for name in ('pynvml', 'psutil', 'ctypes') if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
