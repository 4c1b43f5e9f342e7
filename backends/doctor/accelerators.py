"""GPUs, NPUs and the machine's own memory: what is there, and how much of it is free."""

import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from ...workbench.visible import visible_line
from ...workbench.words import say
from ..sensors.ascend import npu_smi, npus
from ..sensors.driver import Driver
from ..sensors.machine import machine_memory
from ..sensors.nvidia import NvidiaSensor
from ..sensors.snapshot import Gpu, Machine
from .finding import Finding, Value

GIB = 2**30
LITTLE = 2 * GIB
"""With less than this free, hardly any model fits."""

_MAKERS = {"0x10de": "nvidia", "0x19e5": "ascend"}
"""PCI vendor ids."""
_CLASSES = ("0x03", "0x12")
"""PCI base classes: display controllers, processing accelerators."""


def look_at_accelerators(
    driver: Driver | None,
    environ: Mapping[str, str],
    sensor: NvidiaSensor | None = None,
    devices: Path = Path("/sys/bus/pci/devices"),
) -> list[Finding]:
    """Every GPU and NPU with its free memory; a calm line where there is none; and the machine's memory.

    Args:
        driver: the NVIDIA driver, if there is one with GPUs.
        environ: our environment.
        sensor: reads the NVIDIA GPUs.
        devices: where the kernel lists what is on the PCI bus.
    """
    used, total = machine_memory()
    sensor = sensor or NvidiaSensor()
    try:
        gpus, problem = sensor.read(time.monotonic(), Machine(memory_used=used, memory_total=total))
    finally:
        sensor.close()
    cards = cards_in(devices)
    findings = [] if driver is None else [_driver(driver)]
    findings += [_device(gpu) for gpu in gpus]
    if problem is not None and (gpus or problem != say("sensors.no_driver")):
        findings.append(Finding("gpus", "GPU", "bad" if not gpus else "warn", problem))
    elif not gpus and "nvidia" in cards:
        findings.append(Finding("gpus", "GPU", "warn", say("doctor.gpu_no_driver"), say("doctor.gpu_install_driver")))
    findings += _npus(environ, "ascend" in cards)
    if not findings:
        findings.append(Finding("gpus", "GPU", "absent", say("doctor.no_gpu"), values={"count": 0}))
    return [*findings, _memory(total - used, total)]


def cards_in(devices: Path) -> set[str]:
    """The makers of the graphics and computing cards in this machine, driver or not: `nvidia`, `ascend`."""
    return {maker for card in _names(devices) if (maker := _maker(devices / card)) is not None}


def _names(folder: Path) -> Iterator[str]:
    try:
        yield from (path.name for path in folder.iterdir())
    except OSError:
        return


def _maker(card: Path) -> str | None:
    try:
        is_computing = (card / "class").read_text().startswith(_CLASSES)
        return _MAKERS.get((card / "vendor").read_text().strip()) if is_computing else None
    except OSError:
        return None


def _driver(driver: Driver) -> Finding:
    version = visible_line(driver.version)
    fact = version if driver.cuda is None else say("doctor.driver", version=version, cuda=driver.cuda)
    values: dict[str, Value] = {"version": driver.version, "cuda": driver.cuda}
    return Finding("nvidia_driver", say("doctor.title_driver"), "ok", fact, values=values)


def _device(gpu: Gpu) -> Finding:
    title = f"{gpu.kind.upper()} {gpu.label}"
    name = visible_line(gpu.short_name or "?")
    values: dict[str, Value] = {
        "kind": gpu.kind,
        "name": gpu.name,
        "free_bytes": gpu.memory_free,
        "total_bytes": gpu.memory_total,
        "uuid": gpu.uuid,
    }
    key = f"{gpu.kind}_{gpu.label.replace(':', '_')}"
    if gpu.memory_free is None or gpu.memory_total is None:
        return Finding(key, title, "ok", say("doctor.gpu_silent", name=name), values=values)
    fact = say("doctor.gpu", name=name, free=gigabytes(gpu.memory_free), total=gigabytes(gpu.memory_total))
    if gpu.memory_free >= LITTLE:
        return Finding(key, title, "ok", fact, values=values)
    holders = ", ".join(
        f"{process.name or '?'} ({process.user or '?'}, {process.pid})" for process in (gpu.processes or ())[:3]
    )
    advice = say("doctor.gpu_full_by", holders=visible_line(holders)) if holders else say("doctor.gpu_full")
    return Finding(key, title, "warn", fact, advice, values)


def _npus(environ: Mapping[str, str], card: bool) -> list[Finding]:
    if npu_smi(environ) is None:
        advice = say("doctor.npu_install_driver")
        return [Finding("npus", "NPU", "warn", say("doctor.npu_no_driver"), advice)] if card else []
    listing = npus(environ)
    if listing is None or not listing.chips:
        return [Finding("npus", "NPU", "bad", say("doctor.npu_silent"), say("doctor.npu_by_hand"))]
    version = visible_line(listing.version or "?")
    driver = Finding("npu_smi", "npu-smi", "ok", version, values={"version": listing.version})
    ill = [
        Finding(f"npu_{index}_health", f"NPU {index}", "bad", say("doctor.npu_ill", health=health))
        for index, health in listing.unhealthy
    ]
    return [driver, *map(_device, listing.chips), *ill]


def _memory(free: int, total: int) -> Finding:
    fact = say("doctor.memory", free=gigabytes(free), total=gigabytes(total))
    values: dict[str, Value] = {"free_bytes": free, "total_bytes": total}
    little = free < LITTLE
    advice = say("doctor.memory_little") if little else ""
    return Finding("memory", say("doctor.title_memory"), "warn" if little else "ok", fact, advice, values)


def gigabytes(size: int) -> str:
    """Bytes for a person to read, in decimal units, as models' files are."""
    return f"{size / 1e9:.1f} GB"
