"""torch: whether it can be imported, and whether its build, the driver and the GPUs fit together.

Importing it takes seconds, and a broken one may take the process with it: a child is asked.
"""

import msgspec

from ...workbench.visible import visible_line
from ...workbench.words import say
from ..sensors.driver import Driver
from .finding import Finding, State, Value
from .packages import installed, numbers, package
from .programs import Silent, ask_python

LIMIT_S = 60.0
"""On a cold disk, or one over the network, importing torch takes that long."""

_PROGRAM = """
import json, torch
facts = {"version": torch.__version__, "cuda": torch.version.cuda, "hip": getattr(torch.version, "hip", None)}
if facts["cuda"] or facts["hip"]:
    try:
        torch.cuda.init()
        facts["archs"] = torch.cuda.get_arch_list()
        for i in range(torch.cuda.device_count()):
            major, minor = torch.cuda.get_device_capability(i)
            facts.setdefault("devices", []).append([torch.cuda.get_device_name(i), major, minor])
    except Exception as error:
        facts["reason"] = str(error)
try:
    import torch_npu
    facts["npus"] = torch.npu.device_count()
except ImportError:
    pass
except Exception as error:
    facts["npu_reason"] = str(error)
print(json.dumps(facts))
"""


class Build(msgspec.Struct, frozen=True):
    """What torch says of itself."""

    version: str
    cuda: str | None = None
    hip: str | None = None
    archs: list[str] = []
    """The GPU generations that it was compiled for: `sm_90`, `compute_90`."""
    devices: list[tuple[str, int, int]] = []
    """Name and compute capability of the GPUs that it can use."""
    reason: str | None = None
    """Why it can use none."""
    npus: int | None = None
    """Ascend NPUs that torch_npu sees; None without torch_npu."""
    npu_reason: str | None = None


def look_at_torch(driver: Driver | None, limit_s: float = LIMIT_S) -> list[Finding]:
    """torch as it is installed here.

    Args:
        driver: the NVIDIA driver, if there is one with GPUs.
        limit_s: seconds that importing it may take.
    """
    by_version = package("torch")
    if by_version.state == "absent":
        return [by_version]
    noted = installed("torch") or "?"
    try:
        facts, answer = ask_python(_PROGRAM, limit_s)
    except Silent:
        return [
            _found("warn", say("doctor.torch_slow", version=noted, seconds=round(limit_s)), say("doctor.torch_wait"))
        ]
    if facts is None:
        said = [line.strip() for line in answer.err.splitlines() if line.strip()]
        reason = visible_line(said[-1] if said else say("doctor.ended_with", code=answer.code))
        return [_found("bad", say("doctor.torch_broken", version=noted, reason=reason), say("doctor.torch_reinstall"))]
    build = msgspec.convert(facts, Build)
    findings = [judged(build, driver)]
    if by_version.state == "warn":
        findings.insert(0, by_version)
    if build.npus is not None or build.npu_reason is not None:
        findings.append(_torch_npu(build))
    return findings


def judged(build: Build, driver: Driver | None) -> Finding:
    """Whether build, driver and GPUs fit. NVIDIA promises that a driver runs what is built for its CUDA's major
    version, and for older ones ("CUDA Compatibility", minor version compatibility).
    """
    version = visible_line(build.version)
    values: dict[str, Value] = {"version": build.version, "cuda": build.cuda, "hip": build.hip}
    values["gpus"] = [name for name, _, _ in build.devices]
    if build.hip:
        fact = say("doctor.torch_rocm", version=version, rocm=visible_line(build.hip))
        return _found("ok" if build.devices else "warn", fact, "" if build.devices else _reason(build), values)
    if not build.cuda:
        if driver is None:
            return _found("ok", say("doctor.torch_cpu", version=version), "", values)
        advice = say("doctor.torch_get_cuda", cuda=driver.cuda or "?")
        return _found("warn", say("doctor.torch_cpu_unused", version=version), advice, values)
    cuda = visible_line(build.cuda)
    if driver is None:
        return _found("ok", say("doctor.torch_cuda_no_gpu", version=version, cuda=cuda), "", values)
    if driver.cuda is not None and numbers(cuda)[:1] > numbers(driver.cuda)[:1]:
        fact = say("doctor.torch_driver_old", version=version, cuda=cuda, driver=driver.version, most=driver.cuda)
        return _found("bad", fact, say("doctor.torch_driver_update", cuda=driver.cuda), values)
    if not build.devices:
        return _found("bad", say("doctor.torch_no_gpu", version=version, cuda=cuda), _reason(build), values)
    foreign = next((device for device in build.devices if not compiled_for(device[1], device[2], build.archs)), None)
    if foreign is not None:
        gpu = visible_line(f"{foreign[0]} (sm_{foreign[1]}{foreign[2]})")
        fact = say("doctor.torch_other_gpu", version=version, gpu=gpu)
        return _found("bad", fact, say("doctor.torch_other_build"), values)
    fact = say("doctor.torch_cuda", version=version, cuda=cuda, gpus=len(build.devices))
    return _found("ok", fact, "", values)


def compiled_for(major: int, minor: int, archs: list[str]) -> bool:
    """Whether a GPU runs what was compiled for these: the same major version and no newer minor one, or any older
    `compute_…`, which the driver compiles on (CUDA C++ Programming Guide, "Application Compatibility").
    """
    if not archs:
        return True
    for arch in archs:
        kind, _, number = arch.partition("_")
        number = number.rstrip("af")
        if not number.isdigit():
            continue
        its_major, its_minor = divmod(int(number), 10)
        if kind == "compute" and (its_major, its_minor) <= (major, minor):
            return True
        if kind == "sm" and its_major == major and its_minor <= minor:
            return True
    return False


def _torch_npu(build: Build) -> Finding:
    version = installed("torch_npu") or "?"
    values: dict[str, Value] = {"version": version, "npus": build.npus}
    if build.npus:
        fact = say("doctor.torch_npu", version=version, npus=build.npus)
        return Finding("torch_npu", "torch_npu", "ok", fact, values=values)
    reason = visible_line((build.npu_reason or "").partition("\n")[0])
    fact = say("doctor.torch_npu_none", version=version, reason=reason)
    return Finding("torch_npu", "torch_npu", "bad", fact, say("doctor.torch_npu_cann"), values)


def _reason(build: Build) -> str:
    first = visible_line((build.reason or "").strip().partition("\n")[0])
    return say("doctor.torch_says", reason=first) if first else ""


def _found(state: State, fact: str, advice: str, values: dict[str, Value] | None = None) -> Finding:
    return Finding("torch", "torch", state, fact, advice, values or {})
