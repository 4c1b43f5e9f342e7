"""Where a model goes, from what is free and what it needs."""

import json
from pathlib import Path

import hypothesis.strategies as st
import pytest
from hypothesis import given

from qiao.backends.local.placement import CPU, WORKING_BYTES, Gpu, Placement, needed_bytes, place
from qiao.backends.local.sizes import gpu_bytes, kv_bytes_per_token

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


def test_npus_have_a_variable_and_a_name_of_their_own() -> None:
    npus = [Gpu("10", 30 * GIB, "npu"), Gpu("2", 40 * GIB, "npu")]
    alone = place(npus, 20 * GIB)
    assert (alone.device_map, alone.environment) == ("npu:0", {"ASCEND_RT_VISIBLE_DEVICES": "2"})
    both = place(npus, 50 * GIB)
    assert (both.device_map, both.environment) == ("auto", {"ASCEND_RT_VISIBLE_DEVICES": "2,10"})
    assert place(npus, 500 * GIB) == CPU


def test_needed_bytes_count_weights_context_and_working_memory() -> None:
    assert needed_bytes(10 * GIB, 0, None) == 11 * GIB + WORKING_BYTES
    assert needed_bytes(0, 1000, 4096) == 4096 * 1000 + WORKING_BYTES
    # A context of a million tokens is nobody's usual conversation.
    assert needed_bytes(0, 1000, 1_000_000) == 8192 * 1000 + WORKING_BYTES


def config(folder: Path, **values: object) -> Path:
    (folder / "config.json").write_text(json.dumps(values))
    return folder


def test_kv_cache_of_a_token(tmp_path: Path) -> None:
    smol = config(tmp_path, num_hidden_layers=30, num_key_value_heads=3, hidden_size=576, num_attention_heads=9)
    assert kv_bytes_per_token(smol) == 23040
    seeing = config(tmp_path, text_config={"num_hidden_layers": 2, "num_attention_heads": 4, "head_dim": 8})
    assert kv_bytes_per_token(seeing) == 2 * 2 * 4 * 8 * 2
    latent = config(tmp_path, num_hidden_layers=61, kv_lora_rank=512, qk_rope_head_dim=64)
    assert kv_bytes_per_token(latent) == 61 * 576 * 2
    assert kv_bytes_per_token(tmp_path / "nowhere") == 0


def test_a_gguf_file_is_counted_unpacked(starter: Path) -> None:
    assert kv_bytes_per_token(starter) == 23040
    unpacked = 2 * 134_515_008
    assert gpu_bytes(starter) == int(1.1 * unpacked) + 23040 * 8192 + WORKING_BYTES
