"""Where a model could go."""

import ctypes
from collections.abc import Callable
from typing import Any

import pytest

from qiao.backends.sensors.machine import machine_memory
from qiao.backends.sensors.placement import FreeGpu, free_gpus

M = 2**20
FIRST = "GPU-4a1b7c9e-02d5-4f68-8a31-c7e95b20d614"
SECOND = "GPU-91e3d0f7-6b4c-4c2a-b5d8-1f07a6c83e92"
LARGE_PART = "MIG-7f1f5ea1-5c0e-5b0c-8f3d-2d7e0a94c6b1"
SMALL_PART = "MIG-e05b27c4-1a96-57d3-b8f0-93c4d1e6a720"

Play = Callable[[str], Any]


def test_free_memory_leaves_out_what_the_driver_reserves(play: Play) -> None:
    nvml = play("two-a100")
    assert free_gpus(nvml, {}) == [
        FreeGpu(FIRST, "A100 80G", (81920 - 41984 - 602) * M, 81920 * M, "0"),
        FreeGpu(SECOND, "A100 80G", (81920 - 602) * M, 81920 * M, "1"),
    ]
    assert nvml.opened == 0  # Given back.


def test_the_parts_of_a_split_gpu_stand_in_its_place(play: Play) -> None:
    parts = free_gpus(play("mig"), {})
    assert [(gpu.device, gpu.name) for gpu in parts] == [(LARGE_PART, "3g.40gb"), (SMALL_PART, "1g.10gb")]
    # CUDA's numbers aren't the driver's there, and one process can't use two of them.
    assert all(gpu.number is None and gpu.is_part for gpu in parts)


def test_unified_memory(play: Play) -> None:
    (gpu,) = free_gpus(play("gb10"), {})
    used, total = machine_memory()
    assert gpu.total_bytes == total
    assert abs(gpu.free_bytes - (total - used)) < 2**30  # Both were read on a machine that goes on working.


@pytest.mark.parametrize(
    ("visible", "devices"),
    [
        ("0,1", [FIRST, SECOND]),
        ("1, 0", [SECOND, FIRST]),
        ("1", [SECOND]),
        (SECOND, [SECOND]),
        ("GPU-91e3", [SECOND]),
        ("GPU-", []),  # Two begin so.
        ("", []),
        ("-1", []),
        ("1,-1,0", [SECOND]),  # CUDA stops at the first that it doesn't find.
        ("2", []),
    ],
)
def test_only_the_gpus_that_this_program_was_given(play: Play, visible: str, devices: list[str]) -> None:
    assert [gpu.device for gpu in free_gpus(play("two-a100"), {"CUDA_VISIBLE_DEVICES": visible})] == devices


@pytest.mark.parametrize(("visible", "devices"), [(SMALL_PART, [SMALL_PART]), ("0", [LARGE_PART])])
def test_parts_that_this_program_was_given(play: Play, visible: str, devices: list[str]) -> None:
    # Of a split GPU that is named by its number, CUDA uses the first part.
    assert [gpu.device for gpu in free_gpus(play("mig"), {"CUDA_VISIBLE_DEVICES": visible})] == devices


def test_a_gpu_without_a_figure_is_left_out(play: Play) -> None:
    nvml = play("two-a100")
    nvml.devices[0]["nvmlDeviceGetMemoryInfo_v2"] = {"error": "NVML_ERROR_UNKNOWN"}
    assert [gpu.device for gpu in free_gpus(nvml, {})] == [SECOND]


def test_without_a_driver(play: Play) -> None:
    nvml = play("h100")
    nvml.answers["nvmlInit"] = {"error": "NVML_ERROR_LIBRARY_NOT_FOUND"}
    assert free_gpus(nvml, {}) == []


def test_on_this_machine() -> None:
    try:
        ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        assert free_gpus() == []
    else:
        assert all(gpu.free_bytes >= 0 for gpu in free_gpus())
