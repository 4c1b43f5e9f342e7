"""NVIDIA GPUs, as samples of NVML play them, and as this machine has them."""

import ctypes
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from qiao.backends.sensors.device import throttle_words
from qiao.backends.sensors.nvidia import REOPEN_S, SPLIT_S, NvidiaSensor
from qiao.backends.sensors.processes import Who
from qiao.backends.sensors.snapshot import Gpu, GpuProcess, Machine
from qiao.workbench import words

M = 2**20
MACHINE = Machine(memory_used=20 * 2**30, memory_total=120 * 2**30)
NOT_SUPPORTED = {"error": "NVML_ERROR_NOT_SUPPORTED"}

Play = Callable[[str], Any]
Looks = Callable[[int], Who]


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    before = words.current()
    words.choose("en")
    yield
    words.choose(before)


def test_every_field_of_a_gpu(play: Play, who: Looks) -> None:
    gpus, problem = NvidiaSensor(play("h100"), who).read(0, MACHINE)
    assert problem is None
    assert gpus == (
        Gpu(
            index=0,
            uuid="GPU-0f6c2a51-7d83-4b1e-9c40-5be1a2d7c301",
            name="NVIDIA H100 80GB HBM3",
            utilization=83,
            memory_used=42034 * M,
            memory_free=(81559 - 42034 - 528) * M,
            memory_total=81559 * M,
            temperature_c=61,
            power_w=287.45,
            power_limit_w=700.0,
            clock_mhz=1410,
            throttle=("sensors.throttle_power",),
            processes=(
                GpuProcess(1182, "lin", "python", 24678 * M, own=True),
                GpuProcess(9313, "mei", "vllm", 17203 * M),
            ),
        ),
    )
    assert gpus[0].short_name == "H100 80G"


def test_several_gpus_stand_in_the_drivers_order(play: Play, who: Looks) -> None:
    busy, idle = NvidiaSensor(play("two-a100"), who).read(0, MACHINE).gpus
    assert (busy.index, idle.index) == (0, 1)
    assert (busy.utilization, idle.utilization) == (83, 0)
    assert idle.throttle == ()  # Idle is not held down.
    assert idle.processes == ()
    assert idle.key != busy.key


def test_mig_devices_stand_below_their_gpu(play: Play, who: Looks) -> None:
    whole, large, small = NvidiaSensor(play("mig"), who).read(0, MACHINE).gpus
    assert (whole.label, large.label, small.label) == ("0", "0:0", "0:1")
    assert (whole.mig, large.mig, small.mig) == (False, True, True)
    assert (large.parent, small.parent) == (0, 0)
    assert whole.utilization is large.utilization is small.utilization is None
    assert whole.power_w == 87.21
    assert large.power_w is large.temperature_c is large.clock_mhz is large.throttle is None
    assert (large.memory_used, large.memory_total) == (14300 * M, 40192 * M)
    assert small.memory_used == 12 * M
    assert (large.short_name, small.short_name) == ("3g.40gb", "1g.10gb")
    # The process is listed once: where it computes.
    assert whole.processes == ()
    assert large.processes == (GpuProcess(4021, "lin", "python", 14195 * M),)
    assert small.processes == ()


def test_a_split_gpu_without_memory_figures_does_not_show_the_machines(play: Play, who: Looks) -> None:
    nvml = play("mig")
    for device in (nvml.devices[0], nvml.devices[0]["mig"][0]):
        device["nvmlDeviceGetMemoryInfo"] = device["nvmlDeviceGetMemoryInfo_v2"] = NOT_SUPPORTED
    whole, large, _ = NvidiaSensor(nvml, who).read(0, MACHINE).gpus
    assert whole.memory_total is large.memory_total is None
    assert not whole.unified
    assert not large.unified


def test_a_gpu_that_is_split_while_we_look(play: Play, who: Looks) -> None:
    nvml = play("mig")
    nvml.devices[0]["nvmlDeviceGetMigMode"] = [0, 0]
    sensor = NvidiaSensor(nvml, who)
    assert len(sensor.read(0, MACHINE).gpus) == 1
    nvml.devices[0]["nvmlDeviceGetMigMode"] = [1, 1]
    assert len(sensor.read(1, MACHINE).gpus) == 1
    assert len(sensor.read(SPLIT_S, MACHINE).gpus) == 3
    # Made whole again, it is asked anew for what it couldn't tell while it was split.
    nvml.devices[0]["nvmlDeviceGetMigMode"] = [0, 0]
    nvml.devices[0]["nvmlDeviceGetUtilizationRates"] = {"gpu": 50, "memory": 0}
    (gpu,) = sensor.read(2 * SPLIT_S, MACHINE).gpus
    assert gpu.utilization == 50


def test_fields_that_wsl_and_containers_lack(play: Play, who: Looks) -> None:
    (gpu,) = NvidiaSensor(play("wsl2"), who).read(0, MACHINE).gpus
    assert gpu.utilization == 17
    assert gpu.memory_used == 6144 * M
    assert gpu.power_limit_w is gpu.throttle is None
    assert gpu.processes == (GpuProcess(31871, None, None, None),)
    assert gpu.short_name == "RTX 4090"


def test_unified_memory_is_the_machines(play: Play, who: Looks) -> None:
    (gpu,) = NvidiaSensor(play("gb10"), who).read(0, MACHINE).gpus
    assert gpu.unified
    assert (gpu.memory_used, gpu.memory_total) == (MACHINE.memory_used, MACHINE.memory_total)
    assert gpu.memory_free == 100 * 2**30
    assert gpu.processes == (GpuProcess(114687, None, None, 19135 * M),)
    assert gpu.power_w == 41.8


def test_unified_memory_of_a_machine_that_cant_be_read(play: Play, who: Looks) -> None:
    (gpu,) = NvidiaSensor(play("gb10"), who).read(0, Machine()).gpus
    assert gpu.memory_used is gpu.memory_free is gpu.memory_total is gpu.memory_fraction is None


def test_what_is_not_supported_is_asked_once(play: Play, who: Looks) -> None:
    nvml = play("gb10")
    sensor = NvidiaSensor(nvml, who)
    for second in range(20):
        assert sensor.read(second, MACHINE).gpus[0].memory_total == MACHINE.memory_total
    asked = {function: count for (function, _), count in nvml.calls.items()}
    assert asked["nvmlDeviceGetMemoryInfo"] == asked["nvmlDeviceGetMemoryInfo_v2"] == 1
    assert asked["nvmlDeviceGetEnforcedPowerLimit"] == asked["nvmlDeviceGetMigMode"] == 1


def test_slow_and_costly_fields_are_asked_less_often(play: Play, who: Looks) -> None:
    nvml = play("h100")
    sensor = NvidiaSensor(nvml, who)
    for second in range(20):
        sensor.read(second, MACHINE)
    asked = {function: count for (function, _), count in nvml.calls.items()}
    assert asked == {
        "nvmlDeviceGetName": 1,
        "nvmlDeviceGetUUID": 1,
        "nvmlDeviceGetEnforcedPowerLimit": 1,
        "nvmlDeviceGetMigMode": 1,
        "nvmlDeviceGetUtilizationRates": 20,
        "nvmlDeviceGetMemoryInfo_v2": 20,
        "nvmlDeviceGetPowerUsage": 20,
        "nvmlDeviceGetComputeRunningProcesses": 10,
        "nvmlDeviceGetTemperature": 4,
        "nvmlDeviceGetClockInfo": 4,
        "nvmlDeviceGetCurrentClocksEventReasons": 4,
    }


def test_an_error_that_passes_costs_one_field_for_a_while(play: Play, who: Looks) -> None:
    nvml = play("h100")
    sensor = NvidiaSensor(nvml, who)
    device = nvml.devices[0]
    good = device["nvmlDeviceGetUtilizationRates"]
    device["nvmlDeviceGetUtilizationRates"] = {"error": "NVML_ERROR_TIMEOUT"}
    gpu = sensor.read(0, MACHINE).gpus[0]
    assert gpu.utilization is None
    assert gpu.power_w == 287.45
    device["nvmlDeviceGetUtilizationRates"] = good
    assert sensor.read(1, MACHINE).gpus[0].utilization is None
    assert sensor.read(6, MACHINE).gpus[0].utilization == 83


def test_a_driver_too_old_for_a_function_is_asked_the_old_way(play: Play, who: Looks) -> None:
    nvml = play("h100")
    device = nvml.devices[0]
    device["nvmlDeviceGetMemoryInfo_v2"] = {"error": "NVML_ERROR_FUNCTION_NOT_FOUND"}
    device["nvmlDeviceGetCurrentClocksEventReasons"] = {"error": "NVML_ERROR_FUNCTION_NOT_FOUND"}
    (gpu,) = NvidiaSensor(nvml, who).read(0, MACHINE).gpus
    assert gpu.memory_used == (42034 + 528) * M
    assert gpu.throttle == ("sensors.throttle_power",)
    assert not gpu.unified


def test_a_library_too_old_or_too_new_for_a_function_lacks_the_field(
    play: Play, who: Looks, monkeypatch: pytest.MonkeyPatch
) -> None:
    nvml = play("h100")

    def mismatch(handle: object) -> None:
        raise nvml.NVMLLibraryMismatchError("no such version")

    nvml.nvmlDeviceGetComputeRunningProcesses = mismatch
    # A name that the real module hasn't: the stand-in falls through to it.
    monkeypatch.setattr(type(nvml), "__getattr__", _without("nvmlDeviceGetTemperature", type(nvml).__getattr__))
    (gpu,) = NvidiaSensor(nvml, who).read(0, MACHINE).gpus
    assert gpu.processes is None
    assert gpu.temperature_c == 61  # By its successor.
    assert gpu.utilization == 83


def _without(missing: str, getter: Callable[[Any, str], Any]) -> Callable[[Any, str], Any]:
    def get(self: Any, name: str) -> Any:
        if name == missing:
            raise AttributeError(name)
        return getter(self, name)

    return get


def test_nonsense_is_no_value(play: Play, who: Looks) -> None:
    nvml = play("h100")
    nvml.devices[0]["nvmlDeviceGetUtilizationRates"] = {"gpu": 4294967295, "memory": 0}
    nvml.devices[0]["nvmlDeviceGetComputeRunningProcesses"] = [{"pid": 7, "usedGpuMemory": 2**63}]
    (gpu,) = NvidiaSensor(nvml, who).read(0, MACHINE).gpus
    assert gpu.utilization is None
    assert gpu.processes == (GpuProcess(7),)


def test_a_name_from_the_driver_is_made_safe(play: Play, who: Looks) -> None:
    nvml = play("h100")
    nvml.devices[0]["nvmlDeviceGetName"] = "NVIDIA \x1b[2J\nX"
    assert NvidiaSensor(nvml, who).read(0, MACHINE).gpus[0].name == "NVIDIA ␛[2J␊X"


def test_a_lost_gpu_keeps_its_name_and_is_looked_for_again(play: Play, who: Looks) -> None:
    nvml = play("two-a100")
    sensor = NvidiaSensor(nvml, who)
    sensor.read(0, MACHINE)
    good = nvml.devices[0]["nvmlDeviceGetUtilizationRates"]
    nvml.devices[0]["nvmlDeviceGetUtilizationRates"] = {"error": "NVML_ERROR_GPU_IS_LOST"}
    gpus, problem = sensor.read(1, MACHINE)
    assert problem == "GPU 0 no longer answers (GPU is lost): restart the machine."
    assert gpus[0] == Gpu(index=0, uuid=nvml.devices[0]["nvmlDeviceGetUUID"], name="NVIDIA A100-SXM4-80GB")
    assert gpus[1].memory_used == 0
    nvml.devices[0]["nvmlDeviceGetUtilizationRates"] = good
    sensor.read(REOPEN_S, MACHINE)
    gpus, problem = sensor.read(REOPEN_S + 1, MACHINE)
    assert problem is None
    assert gpus[0].utilization == 83
    assert nvml.opened == 1


def test_a_gpu_that_may_not_be_opened_leaves_the_others(play: Play, who: Looks) -> None:
    nvml = play("two-a100")
    nvml.devices[0]["nvmlDeviceGetHandleByIndex"] = {"error": "NVML_ERROR_NO_PERMISSION"}
    gpus, problem = NvidiaSensor(nvml, who).read(0, MACHINE)
    assert problem == "GPU 0 can't be read: Insufficient Permissions"
    assert [gpu.index for gpu in gpus] == [1]


@pytest.mark.parametrize(
    ("error", "line"),
    [
        ("NVML_ERROR_LIBRARY_NOT_FOUND", "No NVIDIA driver here."),
        (
            "NVML_ERROR_DRIVER_NOT_LOADED",
            "The NVIDIA driver is installed, but not loaded: run nvidia-smi as root, or restart the machine.",
        ),
        (
            "NVML_ERROR_LIB_RM_VERSION_MISMATCH",
            "The NVIDIA driver was updated while it was in use: restart the machine.",
        ),
        ("NVML_ERROR_NO_PERMISSION", "The NVIDIA driver doesn't let this user see the GPUs."),
        ("NVML_ERROR_UNKNOWN", "The NVIDIA driver doesn't answer: Unknown Error"),
    ],
)
def test_why_there_is_no_gpu(play: Play, who: Looks, error: str, line: str) -> None:
    nvml = play("h100")
    nvml.answers["nvmlInit"] = {"error": error}
    sensor = NvidiaSensor(nvml, who)
    assert sensor.read(0, MACHINE) == ((), line)
    # The driver comes: within a minute it is seen, and not asked for every second until then.
    nvml.answers.clear()
    assert sensor.read(1, MACHINE) == ((), line)
    gpus, problem = sensor.read(REOPEN_S, MACHINE)
    assert (len(gpus), problem) == (1, None)


def test_a_driver_without_a_gpu(play: Play, who: Looks) -> None:
    nvml = play("h100")
    nvml.devices.clear()
    assert NvidiaSensor(nvml, who).read(0, MACHINE) == (
        (),
        "There is an NVIDIA driver, but no GPU that can be seen from here.",
    )
    assert nvml.opened == 0


def test_closing_gives_nvml_back(play: Play, who: Looks) -> None:
    nvml = play("h100")
    sensor = NvidiaSensor(nvml, who)
    sensor.read(0, MACHINE)
    assert nvml.opened == 1
    sensor.close()
    sensor.close()
    assert nvml.opened == 0


def test_the_real_library_on_this_machine() -> None:
    sensor = NvidiaSensor()
    gpus, problem = sensor.read(0, MACHINE)
    sensor.close()
    try:
        ctypes.CDLL("libnvidia-ml.so.1")
    except OSError:
        assert (gpus, problem) == ((), "No NVIDIA driver here.")
    else:
        assert gpus or problem
        assert all(gpu.name and gpu.uuid and gpu.uuid.startswith(("GPU-", "MIG-")) for gpu in gpus)


def test_the_real_library_on_this_machine_in_chinese() -> None:
    words.choose("zh")
    _, problem = NvidiaSensor().read(0, MACHINE)
    assert problem is None or "NVIDIA" in problem or "GPU" in problem


@pytest.mark.parametrize(
    ("bits", "words_of_it"),
    [
        (0x00, ()),
        (0x01, ()),  # idle
        (0x02, ()),  # clocks set by someone
        (0x04, ("sensors.throttle_power",)),
        (0x08, ("sensors.throttle_hardware",)),
        (0x08 | 0x40, ("sensors.throttle_heat",)),
        (0x08 | 0x80, ("sensors.throttle_brake",)),
        (0x04 | 0x20 | 0x40, ("sensors.throttle_power", "sensors.throttle_heat")),
    ],
)
def test_throttling_says_the_most_telling_reason(bits: int, words_of_it: tuple[str, ...]) -> None:
    assert throttle_words(bits) == words_of_it
    assert all(words.say(key) for key in words_of_it)
