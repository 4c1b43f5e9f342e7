"""Ascend NPUs, by a stand-in for npu-smi that prints a sample."""

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from qiao.backends.sensors.accelerators import Accelerators
from qiao.backends.sensors.ascend import LIMIT_S, AscendSensor, npu_smi, npus
from qiao.backends.sensors.npu_smi import parse
from qiao.backends.sensors.nvidia import NvidiaSensor, Seen
from qiao.backends.sensors.placement import FreeGpu, free_npus
from qiao.backends.sensors.processes import Who
from qiao.backends.sensors.snapshot import GpuProcess, Machine

from ...patience import PATIENCE_S, PROMPTLY_S

SAMPLES = Path(__file__).parent / "samples"
M = 2**20

Looks = Callable[[int], Who]
Play = Callable[[str], Any]


def sample(name: str) -> str:
    return (SAMPLES / f"{name}.txt").read_text(encoding="utf-8")


@pytest.fixture
def program(tmp_path: Path) -> Callable[[str], str]:
    """Makes an npu-smi of a shell script's body."""

    def make(body: str) -> str:
        file = tmp_path / "bin" / "npu-smi"
        file.parent.mkdir(exist_ok=True)
        file.write_text(f'#!/bin/sh\n[ "$*" = info ] || exit 3\n{body}\n')
        file.chmod(0o755)
        return str(file)

    return make


def printing(name: str) -> str:
    return f"cat '{SAMPLES / name}.txt'"


def answer(sensor: AscendSensor | Accelerators, now: float = 0.0) -> Seen:
    """What the sensor says once the call that it began at `now` has ended."""
    before = sensor.read(now, Machine())
    deadline = time.monotonic() + PATIENCE_S
    while (seen := sensor.read(now, Machine())) == before:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return seen


@pytest.fixture
def sensor(who: Looks) -> Iterator[Callable[[str], AscendSensor]]:
    made: list[AscendSensor] = []

    def make(program: str) -> AscendSensor:
        made.append(AscendSensor(program, who))
        return made[-1]

    yield make
    for one in made:
        one.close()


def test_one_chip_a_card(who: Looks) -> None:
    listing = parse(sample("npu-910b"), who)
    first, second = listing.chips
    assert (first.kind, first.name, first.utilization, first.temperature_c) == ("npu", "Ascend 910B3", 0, 35)
    assert (first.memory_used, first.memory_free, first.memory_total) == (3405 * M, 62131 * M, 65536 * M)
    assert (first.power_w, first.label, first.key) == (93.5, "0", "NPU-0000:C1:00.0")
    assert first.processes == ()
    assert (second.utilization, second.memory_used) == (97, 61740 * M)
    assert second.processes == (
        GpuProcess(9313, "mei", "vllm", 41088 * M),
        GpuProcess(4021, "lin", "python", 17250 * M),
    )
    assert listing.unhealthy == ((1, "Warning"),)
    assert listing.version == "24.1.rc3"


def test_two_chips_a_card_count_through(who: Looks) -> None:
    chips = parse(sample("npu-two-chips"), who).chips
    assert [chip.index for chip in chips] == [0, 1, 2]
    assert [chip.power_w for chip in chips] == [178.5, None, 171.2]
    assert [chip.memory_used for chip in chips] == [3129 * M, 2876 * M, 2880 * M]


def test_a_card_without_hbm(who: Looks) -> None:
    (chip,) = parse(sample("npu-310p"), who).chips
    assert (chip.name, chip.utilization) == ("Ascend 310P3", 35)
    assert (chip.memory_used, chip.memory_total) == (1588 * M, 21527 * M)
    assert chip.power_w is None


@pytest.mark.parametrize(
    "output", ["", "Killed", "| a | b | c |\n| | | |", "dcmi module initialize failed. ret is -8005\n"]
)
def test_what_is_no_table_shows_no_chip(output: str, who: Looks) -> None:
    assert parse(output, who).chips == ()


def test_any_cut_of_the_table_can_be_read(who: Looks) -> None:
    for name in ("npu-910b", "npu-two-chips", "npu-310p"):
        whole = sample(name)
        for end in range(0, len(whole), 7):
            assert len(parse(whole[:end], who).chips) <= 3


def test_the_sensor_never_waits(
    program: Callable[[str], str], sensor: Callable[[str], AscendSensor], tmp_path: Path
) -> None:
    go = tmp_path / "go"
    ascend = sensor(program(f"while [ ! -e {go} ]; do sleep 0.01; done; {printing('npu-910b')}"))
    assert ascend.read(0, Machine()) == Seen((), None)
    assert ascend.read(1, Machine()) == Seen((), None)
    go.touch()
    seen = answer(ascend, 1)
    assert [gpu.utilization for gpu in seen.gpus] == [0, 97]
    assert seen.problem == "NPU 1 reports: Warning."


def test_it_asks_every_few_seconds_only(
    program: Callable[[str], str], sensor: Callable[[str], AscendSensor], tmp_path: Path
) -> None:
    calls = tmp_path / "calls"
    ascend = sensor(program(f"echo x >> {calls}; {printing('npu-910b')}"))
    first = answer(ascend)
    for now in (1, 2, 3, 4):
        assert ascend.read(now, Machine()) == first
    assert calls.read_text() == "x\n"
    ascend.read(5, Machine())
    deadline = time.monotonic() + PATIENCE_S
    while calls.read_text() == "x\n":
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_one_that_fails_is_told_and_tried_again_later(
    program: Callable[[str], str], sensor: Callable[[str], AscendSensor]
) -> None:
    path = program("exit 7")
    ascend = sensor(path)
    assert answer(ascend).problem == "npu-smi doesn't answer: it ended with 7"
    program(printing("npu-310p"))
    assert ascend.read(30, Machine()).gpus == ()
    assert len(answer(ascend, 61).gpus) == 1


def test_one_that_hangs_is_given_up(program: Callable[[str], str], sensor: Callable[[str], AscendSensor]) -> None:
    ascend = sensor(program("exec sleep 1000"))
    ascend.read(0, Machine())
    assert ascend.read(LIMIT_S - 1, Machine()).problem is None
    begun = time.monotonic()
    problem = ascend.read(LIMIT_S, Machine()).problem
    assert problem is not None
    assert problem.startswith("npu-smi says nothing for 20 s")
    assert time.monotonic() - begun < PROMPTLY_S


def test_closing_ends_a_call_under_way(
    program: Callable[[str], str], sensor: Callable[[str], AscendSensor], tmp_path: Path
) -> None:
    note = tmp_path / "pid"
    ascend = sensor(program(f"echo $$ > {note}.new; mv {note}.new {note}; exec sleep 1000"))
    ascend.read(0, Machine())
    deadline = time.monotonic() + PATIENCE_S
    while not note.exists():
        assert time.monotonic() < deadline
        time.sleep(0.01)
    ascend.close()
    with pytest.raises(ProcessLookupError):
        os.kill(int(note.read_text()), 0)


def test_npus_stand_after_the_gpus(
    play: Play, who: Looks, program: Callable[[str], str], sensor: Callable[[str], AscendSensor]
) -> None:
    both = Accelerators(NvidiaSensor(play("h100"), who), sensor(program(printing("npu-310p"))))
    assert [gpu.kind for gpu in answer(both).gpus] == ["gpu", "npu"]
    both.close()


def test_where_npus_are_nothing_is_said_of_missing_gpus(
    play: Play, who: Looks, program: Callable[[str], str], sensor: Callable[[str], AscendSensor]
) -> None:
    nvml = play("h100")
    nvml.answers["nvmlInit"] = {"error": "NVML_ERROR_LIBRARY_NOT_FOUND"}
    both = Accelerators(NvidiaSensor(nvml, who), sensor(program(printing("npu-310p"))))
    seen = answer(both)
    assert [gpu.kind for gpu in seen.gpus] == ["npu"]
    assert seen.problem is None
    both.close()


def test_free_memory_by_the_numbers_that_the_runtime_counts(program: Callable[[str], str]) -> None:
    folder = str(Path(program(printing("npu-two-chips"))).parent)
    path = f"{folder}{os.pathsep}{os.environ['PATH']}"
    assert npu_smi({"PATH": path}) == f"{folder}/npu-smi"
    listing = npus({"PATH": path})
    assert listing is not None
    assert len(listing.chips) == 3
    free = [(65536 - used) * M for used in (3129, 2876, 2880)]
    assert free_npus({"PATH": path}) == [FreeGpu(str(i), "Ascend910", free[i], 65536 * M) for i in range(3)]
    some = free_npus({"PATH": path, "ASCEND_RT_VISIBLE_DEVICES": "2, 0"})
    assert [npu.device for npu in some] == ["2", "0"]
    assert free_npus({"PATH": path, "ASCEND_RT_VISIBLE_DEVICES": ""}) == []


def test_without_the_program_there_are_no_npus(tmp_path: Path) -> None:
    assert npu_smi({"PATH": str(tmp_path)}) is None
    assert npus({"PATH": str(tmp_path)}) is None
    assert free_npus({"PATH": str(tmp_path)}) == []
