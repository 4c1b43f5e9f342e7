"""Ascend NPUs, by `npu-smi info`: asked every few seconds, and never waited for by who only wants to look."""

import contextlib
import math
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Mapping
from typing import IO, NamedTuple

from ...workbench.words import say
from .npu_smi import Listing, parse
from .nvidia import Seen
from .processes import Processes, Who
from .snapshot import Machine

PERIOD_S = 5.0
"""From one call to the next: each is a process that takes some tenths of a second."""
LIMIT_S = 20.0
"""A call that takes longer is given up: the driver hangs."""
REPEAT_S = 60.0
"""After one that failed."""

_PLACES = ("/usr/local/sbin", "/usr/local/bin", "/usr/local/Ascend/driver/tools")
"""Where the driver puts npu-smi, which is not on everybody's PATH."""


def npu_smi(environ: Mapping[str, str] = os.environ) -> str | None:
    """The program; None where there is no Ascend driver."""
    return shutil.which("npu-smi", path=os.pathsep.join([environ.get("PATH", os.defpath), *_PLACES]))


class AscendSensor:
    """All NPUs. Used by one thread.

    Args:
        program: npu-smi.
        who: looks a process up by its number.
        period: seconds from one call to the next.
    """

    def __init__(self, program: str, who: Callable[[int], Who] | None = None, period: float = PERIOD_S) -> None:
        self._program = program
        self._who = who or Processes().who
        self._period = period
        self._due = -math.inf
        self._call: _Call | None = None
        self._seen = Seen((), None)

    def read(self, now: float, machine: Machine) -> Seen:
        """What the last call that ended showed; begins the next one when it is due. Never waits.

        Args:
            now: seconds on a monotonic clock.
            machine: not needed, since an NPU has a memory of its own.
        """
        if self._call is not None:
            self._seen, done = self._answer(self._call, now)
            if done:
                self._call.end()
                self._call = None
        if self._call is None and now >= self._due:
            self._due = now + self._period
            try:
                self._call = _begin(self._program, now)
            except OSError as error:
                self._failed(now)
                self._seen = Seen((), say("sensors.npu_smi_failed", message=error.strerror or type(error).__name__))
        return self._seen

    def close(self) -> None:
        """Ends a call that is under way."""
        if self._call is not None:
            self._call.end()
            self._call = None
        self._due = -math.inf

    def _answer(self, call: "_Call", now: float) -> tuple[Seen, bool]:
        code = call.process.poll()
        if code is None:
            if now - call.begun < LIMIT_S:
                return self._seen, False
            self._failed(now)
            return Seen((), say("sensors.npu_smi_hangs", seconds=round(LIMIT_S))), True
        listing = parse(call.text(), self._who)
        if code or not listing.chips:
            self._failed(now)
            return Seen((), _why_none(code)), True
        return Seen(listing.chips, _ills(listing)), True

    def _failed(self, now: float) -> None:
        self._due = now + max(self._period, REPEAT_S)


def npus(environ: Mapping[str, str] = os.environ, limit_s: float = LIMIT_S) -> Listing | None:
    """The NPUs of this moment; None where there is no npu-smi, or it doesn't answer. Blocks meanwhile.

    Args:
        environ: whose PATH is searched.
        limit_s: seconds that it may take.
    """
    program = npu_smi(environ)
    if program is None:
        return None
    try:
        done = subprocess.run(
            [program, "info"], stdin=subprocess.DEVNULL, capture_output=True, timeout=limit_s, env=_PLAIN, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return None if done.returncode else parse(done.stdout.decode("utf-8", "replace"), Processes().who)


class _Call(NamedTuple):
    """A call under way. It writes into a file, which unlike a pipe never fills up."""

    process: subprocess.Popen[bytes]
    output: IO[bytes]
    begun: float

    def text(self) -> str:
        self.output.seek(0)
        return self.output.read().decode("utf-8", "replace")

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.kill()
            # One that hangs in the driver dies later, and is reaped then by subprocess itself.
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(0.1)
        self.output.close()


_PLAIN = {**os.environ, "LC_ALL": "C"}


def _begin(program: str, now: float) -> _Call:
    output = tempfile.TemporaryFile()  # noqa: SIM115 - it lives as long as the call
    try:
        process = subprocess.Popen(
            [program, "info"],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.DEVNULL,
            env=_PLAIN,
            start_new_session=True,
        )
    except OSError:
        output.close()
        raise
    return _Call(process, output, now)


def _why_none(code: int) -> str:
    return (
        say("sensors.npu_smi_failed", message=say("sensors.ended_with", code=code)) if code else say("sensors.no_npu")
    )


def _ills(listing: Listing) -> str | None:
    return " ".join(say("sensors.npu_ill", npu=index, health=health) for index, health in listing.unhealthy) or None
