"""All looks together, and the machine's devices."""

import os
import threading
import time
from pathlib import Path
from typing import Any

import pynvml

from qiao.backends.doctor.accelerators import cards_in, look_at_accelerators
from qiao.backends.doctor.examining import Look, examine, look_at_settings, looks
from qiao.backends.doctor.finding import Finding
from qiao.backends.sensors.driver import Driver, nvidia_driver
from qiao.backends.sensors.nvidia import NvidiaSensor
from qiao.backends.sensors.snapshot import Gpu, GpuProcess, Machine
from qiao.workbench.config import Config

from ...patience import PATIENCE_S

SAMPLES = Path(__file__).parents[1] / "sensors" / "samples"
NOWHERE = {"PATH": "/nowhere"}


class NoDriver:
    """Stands for pynvml where there is no driver."""

    def __getattr__(self, name: str) -> Any:
        return getattr(pynvml, name)

    def nvmlInit(self) -> None:
        raise pynvml.NVMLError(pynvml.NVML_ERROR_LIBRARY_NOT_FOUND)


class Fixed(NvidiaSensor):
    """Sees these GPUs."""

    def __init__(self, *gpus: Gpu) -> None:
        super().__init__(NoDriver(), who=lambda pid: None)  # type: ignore[arg-type]
        self._fixed = gpus

    def read(self, now: float, machine: Machine) -> Any:
        return self._fixed, None


def no_gpus() -> NvidiaSensor:
    return NvidiaSensor(NoDriver())  # type: ignore[arg-type]


def card(folder: Path, name: str, vendor: str, kind: str) -> None:
    (folder / name).mkdir(parents=True)
    (folder / name / "vendor").write_text(vendor + "\n")
    (folder / name / "class").write_text(kind + "\n")


def test_a_machine_without_a_gpu_is_told_calmly(tmp_path: Path) -> None:
    findings = look_at_accelerators(None, NOWHERE, no_gpus(), tmp_path)
    assert [(finding.name, finding.state) for finding in findings] == [("gpus", "absent"), ("memory", "ok")]
    assert findings[0].advice == ""


def test_a_card_without_its_driver_is_found(tmp_path: Path) -> None:
    card(tmp_path, "0000:01:00.0", "0x10de", "0x030200")
    card(tmp_path, "0000:c1:00.0", "0x19e5", "0x120000")
    card(tmp_path, "0000:02:00.0", "0x10de", "0x040300")  # Its sound device.
    (tmp_path / "odd").mkdir()
    assert cards_in(tmp_path) == {"nvidia", "ascend"}
    gpu, npu, _memory = look_at_accelerators(None, NOWHERE, no_gpus(), tmp_path)
    assert (gpu.state, npu.state) == ("warn", "warn")
    assert "--gpus all" in gpu.advice
    assert "npu-smi" in npu.fact


def test_gpus_and_who_holds_their_memory(tmp_path: Path) -> None:
    free = Gpu(index=0, name="NVIDIA H100 80GB HBM3", memory_free=70 * 10**9, memory_total=80 * 10**9)
    holders = (GpuProcess(9313, "mei", "vllm\x1b[2J", 79 * 10**9),)
    full = Gpu(index=1, name="NVIDIA H100", memory_free=10**9, memory_total=80 * 10**9, processes=holders)
    driver, first, second, _memory = look_at_accelerators(Driver("570.1", "12.8"), NOWHERE, Fixed(free, full), tmp_path)
    assert driver.fact == "570.1, runs CUDA up to 12.8"
    assert (first.name, first.title, first.state) == ("gpu_0", "GPU 0", "ok")
    assert first.fact == "H100 80G: 70.0 GB free of 80.0 GB"
    assert second.state == "warn"
    assert "vllm␛[2J (mei, 9313)" in second.advice


def test_npus(tmp_path: Path) -> None:
    program = tmp_path / "npu-smi"
    program.write_text(f"#!/bin/sh\ncat '{SAMPLES}/npu-910b.txt'\n")
    program.chmod(0o755)
    environ = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    findings = {finding.name: finding for finding in look_at_accelerators(None, environ, no_gpus(), tmp_path)}
    assert findings["npu_smi"].values["version"] == "24.1.rc3"
    assert findings["npu_0"].fact == "Ascend 910B3: 65.1 GB free of 68.7 GB"
    assert findings["npu_1_health"].state == "bad"
    assert "gpus" not in findings
    program.write_text("#!/bin/sh\nexit 1\n")
    (npu, _memory) = look_at_accelerators(None, environ, no_gpus(), tmp_path)
    assert npu.state == "bad"


def test_the_driver() -> None:
    assert nvidia_driver(NoDriver()) is None  # type: ignore[arg-type]

    class Here(NoDriver):
        def nvmlInit(self) -> None: ...
        def nvmlShutdown(self) -> None: ...
        def nvmlDeviceGetCount(self) -> int:
            return 2

        def nvmlSystemGetDriverVersion(self) -> str:
            return "570.124.06"

        def nvmlSystemGetCudaDriverVersion_v2(self) -> int:
            return 12080

    assert nvidia_driver(Here()) == Driver("570.124.06", "12.8")  # type: ignore[arg-type]


def fine(name: str) -> list[Finding]:
    return [Finding(name, name, "ok", "")]


def test_one_that_hangs_costs_only_itself() -> None:
    released = threading.Event()

    def hanging() -> list[Finding]:
        released.wait(PATIENCE_S)
        return fine("late")

    def broken() -> list[Finding]:
        raise RuntimeError("odd\x1b driver")

    begun = time.monotonic()
    seen = list(
        examine(
            [
                Look("devices", "stuck", hanging, 0.2),
                Look("disk", "broken", broken, 20),
                Look("disk", "fine", lambda: fine("fine"), 20),
            ]
        )
    )
    released.set()
    assert time.monotonic() - begun < 10
    (stuck,), (odd,), (good,) = (part.findings for part in seen)
    assert (stuck.state, odd.state, good.state) == ("bad", "bad", "ok")
    assert odd.fact == "Couldn't be looked at: odd␛ driver"


def test_every_look_at_the_real_machine_ends_with_a_finding(home: Path) -> None:
    seen = {
        one.name: part.findings for one, part in zip(looks(Config(), []), examine(looks(Config(), [])), strict=True)
    }
    assert all(findings for name, findings in seen.items() if name != "tmux")
    assert not home.exists()


def test_settings_that_are_wrong() -> None:
    assert [finding.state for finding in look_at_settings([])] == ["ok"]
    (finding,) = look_at_settings(["no such \x1b key"])
    assert (finding.state, finding.fact) == ("warn", "no such ␛ key")
