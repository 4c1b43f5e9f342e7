from pathlib import Path

import pytest

from qiao.backends.sensors.placement import FreeGpu
from qiao.backends.vllm.flags import value
from qiao.backends.vllm.sizing import GIB, Needs, Sizing, on_gpus, on_processor, size

QWEN_3B = Needs(weights=6 * GIB, token=36 * 1024, context=32768)
LONG_8B = Needs(weights=16 * GIB, token=144 * 1024, context=262144)


def gpu(free: float, total: float = 80, device: str = "GPU-1", number: str | None = None) -> FreeGpu:
    return FreeGpu(device, "GPU", int(free * GIB), int(total * GIB), number)


def test_a_small_model_doesnt_take_the_whole_gpu() -> None:
    sizing = on_gpus(QWEN_3B, [], [gpu(79)], 1, chosen=False)
    assert sizing.flags == ("--gpu-memory-utilization", "0.17")
    assert 0.17 * 80 * GIB >= 6 * GIB + 16 * 8192 * 36 * 1024


def test_no_more_is_asked_for_than_is_free() -> None:
    sizing = on_gpus(QWEN_3B, [], [gpu(12)], 1, chosen=False)
    assert float(value(sizing.flags, "--gpu-memory-utilization") or 1) * 80 <= 12


def test_a_context_that_doesnt_fit_is_shortened() -> None:
    sizing = on_gpus(LONG_8B, [], [gpu(23.5, 24)], 1, chosen=False)
    length = int(value(sizing.flags, "--max-model-len") or 0)
    assert length % 256 == 0
    assert 16 * GIB + 3 * GIB + length * LONG_8B.token <= 23.5 * GIB
    assert length > 16000


def test_the_emptiest_gpu_is_taken_unless_the_person_chose() -> None:
    gpus = [gpu(10), gpu(70, device="GPU-2")]
    assert on_gpus(QWEN_3B, [], gpus, 1, chosen=False).environment["CUDA_VISIBLE_DEVICES"] == "GPU-2"
    assert on_gpus(QWEN_3B, [], gpus, 1, chosen=True).environment == {}
    assert on_gpus(QWEN_3B, [], gpus, 2, chosen=False).environment == {}


def test_the_gpu_is_named_by_a_number_as_all_versions_of_vllm_take_it() -> None:
    gpus = [gpu(10, number="0"), gpu(70, device="GPU-2", number="1")]
    environment = on_gpus(QWEN_3B, [], gpus, 1, chosen=False).environment
    assert environment == {"CUDA_VISIBLE_DEVICES": "1", "CUDA_DEVICE_ORDER": "PCI_BUS_ID"}


@pytest.mark.parametrize(("split", "chosen"), [(1, True), (2, False), (2, True)])
def test_it_is_reckoned_by_the_gpus_that_vllm_takes_which_are_the_first_visible(split: int, chosen: bool) -> None:
    gpus = [gpu(12), gpu(70, device="GPU-2"), gpu(79, device="GPU-3")]
    flags = on_gpus(LONG_8B, [], gpus, split, chosen=chosen).flags
    assert float(value(flags, "--gpu-memory-utilization") or 1) * 80 <= 12


def test_a_spread_model_is_reckoned_by_the_fullest_gpu_it_uses() -> None:
    alone = on_gpus(LONG_8B, [], [gpu(23.5, 24)], 1, chosen=False)
    both = on_gpus(LONG_8B, [], [gpu(23.5, 24), gpu(23, 24)], 2, chosen=False)
    assert int(value(both.flags, "--max-model-len") or 0) > 2 * int(value(alone.flags, "--max-model-len") or 0)


def test_a_model_in_two_copies_is_whole_on_each_gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gpus = [gpu(23.5, 24), gpu(23.5, 24), gpu(23.5, 24), gpu(23.5, 24)]
    monkeypatch.setattr("qiao.backends.sensors.placement.free_gpus", lambda: gpus)
    monkeypatch.setattr("qiao.backends.vllm.sizing.needs_of", lambda checkpoint: LONG_8B)
    assert size(tmp_path, ["-dp", "2"], None).flags == on_gpus(LONG_8B, [], gpus[:1], 1, chosen=True).flags
    assert size(tmp_path, ["-tp", "2", "-pp=2"], None).flags == on_gpus(LONG_8B, [], gpus, 4, chosen=True).flags


def test_what_the_person_says_is_left_alone() -> None:
    flags = ["--gpu-memory-utilization=0.5", "--max-model-len", "4096"]
    assert on_gpus(LONG_8B, flags, [gpu(23.5, 24)], 1, chosen=False).flags == ()
    assert on_processor(LONG_8B, ["--kv-cache-memory-bytes", "1G"], 8 * GIB) == on_gpus(
        LONG_8B, flags, [gpu(20)], 1, chosen=True
    )


def test_without_a_gpu_the_cache_is_of_use_and_a_third_of_what_is_free() -> None:
    small = on_processor(Needs(GIB // 4, 23040, 8192), [], 20 * GIB)
    assert small.environment == {"VLLM_CPU_KVCACHE_SPACE": "2"}
    assert small.flags == ()
    large = on_processor(LONG_8B, [], 28 * GIB)
    assert large.environment == {"VLLM_CPU_KVCACHE_SPACE": "4"}
    assert int(value(large.flags, "--max-model-len") or 0) * LONG_8B.token <= 4 * GIB


def test_on_an_npu_vllm_chooses_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qiao.backends.sensors.placement.free_gpus", list)
    monkeypatch.setattr("qiao.backends.sensors.placement.free_npus", lambda: [gpu(60)])
    assert size(tmp_path, [], None) == Sizing()


def test_a_model_that_nothing_is_known_of_gets_vllms_own() -> None:
    sizing = on_gpus(Needs(0, 0, None), [], [gpu(79)], 1, chosen=False)
    assert sizing.flags == ("--gpu-memory-utilization", "0.92")
