"""Whether a model fits: in transformers, under vLLM."""

from pathlib import Path

import pytest

from qiao.backends.local.checkpoint import Checkpoint, inspect
from qiao.backends.local.fit import fit, gpu_bytes, with_fit
from qiao.backends.local.kv_cache import KvCache
from qiao.backends.local.placement import WORKING_BYTES
from qiao.backends.local.precision import loaded_bytes
from qiao.backends.local.room import RecentRoom, Room
from qiao.backends.sensors.placement import FreeGpu
from qiao.backends.vllm.fitting import vllm_fit
from qiao.workbench.address import Address
from qiao.workbench.seam import Model

GIB = 2**30
DIRECTORY = Path("/models/Qwen2.5-3B-Instruct")
QWEN_3B = Checkpoint(
    DIRECTORY, "instruct", 3_085_938_688, "BF16", size_bytes=6_171_926_112, context_length=32768,
    kv=KvCache(2 * 36 * 2 * 128), embedding_parameters=151936 * 2048, load_dtype="bfloat16",
)  # fmt: skip


def room(*gpus: float, memory: float = 64, total: float = 40) -> Room:
    free = tuple(FreeGpu(f"GPU-{n}", f"A100 {n}", int(gib * GIB), int(total * GIB)) for n, gib in enumerate(gpus))
    return Room(free, int(memory * GIB), int(128 * GIB))


def test_on_a_gpu() -> None:
    found = fit(QWEN_3B, room(30))
    assert found is not None
    assert found.needed_bytes == gpu_bytes(QWEN_3B) == int(1.1 * 6_171_877_376) + 8192 * 36864 + WORKING_BYTES
    assert found.fits
    assert str(found) == "Needs about 7.6 GiB; 30.0 GiB free on A100 0."


def test_it_goes_to_the_emptiest_and_several_hold_what_one_does_not() -> None:
    assert "on A100 1." in str(fit(QWEN_3B, room(3, 30)))
    found = fit(QWEN_3B, room(5, 6))
    assert found is not None
    assert (found.place, found.fits) == ("several", True)
    assert "spread over several GPUs with 11.0 GiB together" in str(found)
    none = fit(QWEN_3B, room(3, 2))
    assert none is not None
    assert (none.place, none.fits) == ("gpu", False)
    assert "no GPU has that much free (the emptiest, A100 0, has 3.0 GiB)" in str(none)


def test_without_a_gpu_the_machines_memory_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qiao.backends.local.fit.cpu_flags", frozenset[str])
    plenty, scarce, tight = (fit(QWEN_3B, room(memory=memory)) for memory in (64, 8, 4))
    assert plenty is not None
    assert scarce is not None
    assert tight is not None
    # In float32, which is quicker on such a processor, if there is room for it.
    assert plenty.weights_bytes == 4 * 3_085_938_688
    assert plenty.kv_bytes == 8192 * 2 * 36 * 2 * 128 * 4
    assert scarce.weights_bytes == 2 * 3_085_938_688
    assert (plenty.fits, scarce.fits, tight.fits) == (True, True, False)
    assert str(tight).startswith("Needs about 6.5 GiB of the machine's memory; 4.0 GiB free.")


def test_a_longer_conversation_takes_more() -> None:
    short, whole = fit(QWEN_3B, room(30)), fit(QWEN_3B, room(30), tokens=32768)
    assert short is not None
    assert whole is not None
    assert whole.needed_bytes - short.needed_bytes == (32768 - 8192) * 36864


def test_four_bits_pack_all_but_the_tables_of_tokens() -> None:
    packed = loaded_bytes(QWEN_3B, quantize="4bit")
    assert packed is not None
    tables = 151936 * 2048
    assert packed == int((3_085_938_688 - tables) * 0.5625) + 2 * tables
    assert 0.3 < packed / 6_171_926_112 < 0.4
    on_gpu, on_processor = (fit(QWEN_3B, place, quantize="4bit") for place in (room(30), room()))
    assert on_gpu is not None
    assert on_processor is not None
    assert on_gpu.weights_bytes == int(1.1 * packed)
    assert on_processor.weights_bytes == packed


@pytest.mark.parametrize(
    ("checkpoint", "expected"),
    [
        (Checkpoint(DIRECTORY, parameters=100, dtype="F32", size_bytes=400, load_dtype="bfloat16"), 200),
        (Checkpoint(DIRECTORY, parameters=100, dtype="BF16", size_bytes=208), 208),
        (Checkpoint(DIRECTORY, parameters=100, dtype="I32", quantisation="AWQ 4-bit", size_bytes=60), 60),
        (Checkpoint(DIRECTORY), None),
    ],
)
def test_weights_in_memory(checkpoint: Checkpoint, expected: int | None) -> None:
    assert loaded_bytes(checkpoint) == expected


def test_a_gguf_file_is_counted_unpacked(starter: Path) -> None:
    checkpoint = inspect(starter)
    assert gpu_bytes(checkpoint) == int(1.1 * 2 * 134_515_008) + 23040 * 8192 + WORKING_BYTES


def gpu(total: float, free: float) -> FreeGpu:
    return FreeGpu("GPU-0", "A100", int(free * GIB), int(total * GIB))


def test_why_a_small_model_takes_a_whole_gpu_under_vllm() -> None:
    found = vllm_fit(QWEN_3B, gpu(40, 39))
    assert found is not None
    assert found.default_bytes == int(0.92 * 40 * GIB)
    assert found.fits
    said = str(found)
    assert said.startswith("At least 9.0 GiB. If nothing is said, vLLM takes 0.92 × 40.0 GiB = 36.8 GiB of A100")
    assert "qiao serve suggests --gpu-memory-utilization 0.34." in said


def test_under_vllm_beside_someone_else() -> None:
    said = str(vllm_fit(QWEN_3B, gpu(24, 9.5)))
    assert "--gpu-memory-utilization 0.38 --max-model-len 13568" in said
    assert "only 8.0 GiB are free on A100" in str(vllm_fit(QWEN_3B, gpu(24, 8)))
    assert vllm_fit(Checkpoint(DIRECTORY), gpu(24, 24)) is None


def test_a_model_that_is_not_here_or_can_not_be_used_is_left_as_it_is(starter: Path) -> None:
    absent = Model(Address("local", "starter"), "x", "absent")
    broken = Model(Address("local", "x"), "x", "on_disk", path=str(starter), problem="broken")
    assert with_fit(absent, room) == absent
    assert with_fit(broken, room) == broken
    here = with_fit(Model(Address("local", "x"), "x", "on_disk", path=str(starter)), lambda: room(30))
    assert here.fits is True
    assert here.needed_bytes == gpu_bytes(inspect(starter))


def test_room_is_measured_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def measure() -> Room:
        asked.append(1)
        return room(len(asked))

    now = [100.0]
    monkeypatch.setattr("qiao.backends.local.room.time.monotonic", lambda: now[0])
    recent = RecentRoom(measure)
    assert recent() is recent()
    now[0] += 3
    recent()
    assert len(asked) == 2
