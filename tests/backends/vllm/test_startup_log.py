"""Logs in `logs/` were written by vLLM 0.32 (CPU build) when it was started wrongly; only paths are changed."""

from pathlib import Path

import pytest

from qiao.backends.vllm.startup_log import Log, cause, step
from qiao.workbench.seam import Progress

LOGS = Path(__file__).parent / "logs"

CAUSES = {
    "unknown_flag": "doesn't know --max-modl-len",
    "bad_flag": "--max-num-seqs has a wrong value: invalid int value: 'abc'",
    "too_long": "--max-model-len 100000 is longer than the model's own context, 8192 tokens",
    "port": "port is taken",
    "no_model": "holds no model",
    "architecture": "doesn't know the architecture foo",
    "tensor_parallel": "can't be parted over 4 GPUs",
    "not_free": "8.59 GiB of memory (0.92 of 9.34) are to be used, and only 7.74 GiB are free",
    "no_cache": "no memory for the KV cache",
}


@pytest.mark.parametrize("name", CAUSES)
def test_the_cause_of_a_failed_start(name: str) -> None:
    found = cause((LOGS / f"{name}.log").read_text())
    assert found is not None
    assert CAUSES[name] in found.sentence


def test_every_recorded_log_is_looked_at() -> None:
    assert {file.stem for file in LOGS.glob("*.log")} == {*CAUSES, "ready"}


GPU = {
    "ValueError: Free memory on device cuda:0 (3.21/39.39 GiB) on startup is less than desired GPU memory utilization "
    "(0.92, 36.24 GiB). Decrease GPU memory utilization or reduce GPU memory used by other processes.": "only 3.21 GiB",
    "ValueError: To serve at least one request with the model's max seq len (131072), (16.00 GiB KV cache is needed, "
    "which is larger than the available KV cache memory (9.41 GiB). Based on the available memory, the estimated "
    "maximum model length is 77088. Try increasing": "Set --max-model-len 77088",
    "ValueError: No available memory for the cache blocks. Try increasing": "Raise --gpu-memory-utilization",
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.": "GPU's memory ran out",
    "ValueError: Model architectures ['FooForCausalLM'] are not supported for now. Supported": "FooForCausalLM",
}
"""As vLLM's source words them; there was no GPU to record them on."""


@pytest.mark.parametrize("line", GPU)
def test_causes_on_a_gpu(line: str) -> None:
    log = (
        f"(EngineCore pid=7) ERROR 11-23 03:01:17 [core.py:953] {line}\nRuntimeError: Engine core initialization failed"
    )
    found = cause(log)
    assert found is not None
    assert GPU[line] in found.sentence


def test_the_first_error_is_quoted_where_none_is_known() -> None:
    found = cause("starting\nKeyError: 'odd \x1b[31mthing'\nRuntimeError: Engine core initialization failed.")
    assert found is not None
    assert "KeyError" in found.quoted
    assert "\x1b" not in found.sentence


def test_a_log_without_an_error_tells_nothing() -> None:
    assert cause("INFO all is well\n") is None
    assert cause("") is None


def test_the_steps_of_a_real_start_come_in_order() -> None:
    log = Log()
    found: list[Progress] = []
    text = (LOGS / "ready.log").read_text()
    for at in range(0, len(text), 100):
        found += [progress for line in log.lines(text[at : at + 100]) if (progress := step(line))]
    notes = list(dict.fromkeys(progress.note for progress in found))
    assert notes == [
        "reading the configuration: LlamaForCausalLM",
        "starting the engine",
        "loading weights",
        "weights are loaded",
        "KV cache for 46,592 tokens",
        "opening its port",
    ]
    assert (found[2].stage, found[2].total) == ("loading", 0)
    assert Progress("loading", 1, 1, "loading weights") in found


def test_a_bar_that_is_rewritten_gives_each_of_its_stands() -> None:
    log = Log()
    bar = "\rLoading safetensors checkpoint shards:  {}% Completed | {}/4 [00:01<00:01,  1.4s/it]"
    text = "".join(bar.format(n * 25, n) for n in range(5)) + "\n"
    stands = [progress.done for line in log.lines(text) if (progress := step(line))]
    assert stands == [0, 1, 2, 3, 4]
