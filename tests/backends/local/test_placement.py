"""Where a model goes, from what is free and what it needs."""

import hypothesis.strategies as st
import pytest
from hypothesis import given

from qiao.backends.local.placement import CPU, WORKING_BYTES, Gpu, Placement, place

GIB = 2**30


def gpus(*free: int) -> list[Gpu]:
    return [Gpu(f"GPU-{index}", gib * GIB) for index, gib in enumerate(free)]


@pytest.mark.parametrize(
    ("free", "needed", "expected"),
    [
        ((), 1, CPU),
        ((24,), 20, Placement("gpu", ("GPU-0",))),
        ((24, 80, 40), 20, Placement("gpu", ("GPU-1",))),
        ((24, 24, 40), 60, Placement("several", ("GPU-2", "GPU-0"))),
        ((24, 24, 40), 84, Placement("several", ("GPU-2", "GPU-0", "GPU-1"))),
        ((24, 24, 40), 88, CPU),
        ((-3, 10), 8, Placement("gpu", ("GPU-1",))),
    ],
)
def test_place(free: tuple[int, ...], needed: int, expected: Placement) -> None:
    assert place(gpus(*free), needed * GIB) == expected


@given(st.lists(st.integers(0, 100), max_size=6), st.integers(1, 300))
def test_what_is_chosen_holds_the_model_and_no_fewer_would(free: list[int], needed: int) -> None:
    chosen = place(gpus(*free), needed * GIB)
    if chosen.device == "cpu":
        assert chosen.environment == {"CUDA_VISIBLE_DEVICES": ""}
        assert chosen.device_map is None
        assert sum(free) * GIB < needed * GIB + max(len(free) - 1, 0) * WORKING_BYTES
        return
    sizes = [free[int(id.removeprefix("GPU-"))] for id in chosen.gpus]
    assert sizes == sorted(free, reverse=True)[: len(sizes)]
    assert sum(sizes) * GIB >= needed * GIB + (len(sizes) - 1) * WORKING_BYTES
    assert sum(sizes[:-1]) < needed + max(len(sizes) - 2, 0)
    assert (chosen.device == "gpu") == (len(sizes) == 1)


def test_the_child_sees_what_was_chosen() -> None:
    assert Placement("gpu", ("GPU-a",)).device_map == "cuda:0"
    several = Placement("several", ("GPU-a", "GPU-b"))
    assert several.device_map == "auto"
    assert several.environment == {"CUDA_VISIBLE_DEVICES": "GPU-a,GPU-b"}


def test_parts_of_split_gpus_are_taken_one_at_a_time() -> None:
    parts = [Gpu(f"MIG-{index}", 10 * GIB, is_part=True) for index in range(4)]
    assert place(parts, 9 * GIB) == Placement("gpu", ("MIG-0",))
    # CUDA gives a process one of them, however many are named.
    assert place(parts, 20 * GIB) == CPU
    whole = gpus(9, 8)
    assert place([*parts, *whole], 15 * GIB) == Placement("several", ("GPU-0", "GPU-1"))


def test_npus_have_a_variable_and_a_name_of_their_own() -> None:
    npus = [Gpu("10", 30 * GIB, "npu"), Gpu("2", 40 * GIB, "npu")]
    alone = place(npus, 20 * GIB)
    assert (alone.device_map, alone.environment) == ("npu:0", {"ASCEND_RT_VISIBLE_DEVICES": "2"})
    both = place(npus, 50 * GIB)
    assert (both.device_map, both.environment) == ("auto", {"ASCEND_RT_VISIBLE_DEVICES": "2,10"})
    assert place(npus, 500 * GIB) == CPU
