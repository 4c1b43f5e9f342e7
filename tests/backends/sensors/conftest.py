"""A stand-in for the module `pynvml` that plays a sample, and a clock for the sensors."""

import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pynvml
import pytest

from qiao.backends.sensors.processes import Who

SAMPLES = Path(__file__).parent / "samples"


class Replay:
    """Plays `samples/NAME.json` in place of `pynvml`. Constants and errors are the real module's.

    A test may change `devices` while it plays. `calls` counts what was asked, by function and device.
    """

    def __init__(self, name: str) -> None:
        sample = json.loads((SAMPLES / f"{name}.json").read_text(encoding="utf-8"))
        self.devices: list[dict[str, Any]] = sample["devices"]
        self.answers: dict[str, Any] = {}
        """Instead of success: what `nvmlInit` and the like end in, as in a sample."""
        self.calls: Counter[tuple[str, str]] = Counter()
        self.opened = 0

    def __getattr__(self, name: str) -> Any:
        if name.startswith("nvmlDeviceGet"):
            return lambda handle, *arguments: self._answer(name, handle)
        return getattr(pynvml, name)

    def nvmlInit(self) -> None:
        self._play(self.answers.get("nvmlInit"))
        self.opened += 1

    def nvmlShutdown(self) -> None:
        self._play(self.answers.get("nvmlShutdown"))
        self.opened -= 1

    def nvmlDeviceGetCount(self) -> int:
        return len(self.devices)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> dict[str, Any]:
        device = self.devices[index]
        self._play(device.get("nvmlDeviceGetHandleByIndex"))
        return device

    def nvmlDeviceGetMemoryInfo(self, handle: dict[str, Any], version: int | None = None) -> Any:
        assert version in (None, pynvml.nvmlMemory_v2)
        return self._answer("nvmlDeviceGetMemoryInfo" + ("_v2" if version else ""), handle)

    def nvmlDeviceGetMigDeviceHandleByIndex(self, device: dict[str, Any], index: int) -> dict[str, Any]:
        if index >= len(device["mig"]):
            raise pynvml.NVMLError(pynvml.NVML_ERROR_NOT_FOUND)
        return device["mig"][index]

    def _answer(self, function: str, handle: dict[str, Any]) -> Any:
        self.calls[function, handle["nvmlDeviceGetUUID"]] += 1
        return self._play(handle[function])

    def _play(self, answer: Any) -> Any:
        if isinstance(answer, dict):
            if "error" in answer:
                raise pynvml.NVMLError(getattr(pynvml, answer["error"]))
            return SimpleNamespace(**answer)
        if isinstance(answer, list) and answer and isinstance(answer[0], dict):
            return [SimpleNamespace(**entry) for entry in answer]
        return answer


@pytest.fixture
def play() -> Callable[[str], Any]:
    """Makes a `Replay` of a sample."""
    return Replay


@pytest.fixture
def who() -> Callable[[int], Who]:
    """Knows the processes of the samples."""
    known = {1182: Who("lin", "python", True), 9313: Who("mei", "vllm"), 4021: Who("lin", "python")}
    return lambda pid: known.get(pid, Who())
