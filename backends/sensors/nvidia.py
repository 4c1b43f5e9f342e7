"""All NVIDIA GPUs of this machine, as NVML sees them: several, split ones (MIG); and why, where there is none."""

import contextlib
import math
from collections.abc import Callable
from typing import NamedTuple

from ...workbench.visible import visible_line
from ...workbench.words import say
from . import nvml as border
from .device import Device
from .nvml import Handle, Nvml
from .processes import Processes, Who
from .reading import Reading
from .snapshot import Gpu, Machine

SPLIT_S = 30.0
"""How often it is looked whether a GPU was split into MIG devices, or made whole again."""
REOPEN_S = 60.0
"""How long to wait before NVML is opened again: the driver may have come, or a lost GPU come back."""


class Seen(NamedTuple):
    """What one look at the GPUs brought."""

    gpus: tuple[Gpu, ...]
    problem: str | None
    """One plain line, in the person's language."""


class NvidiaSensor:
    """All GPUs. Used by one thread.

    Args:
        nvml: stands in for `pynvml`, which is loaded at the first look when None.
        who: looks a process up by its number.
    """

    def __init__(self, nvml: Nvml | None = None, who: Callable[[int], Who] | None = None) -> None:
        self._nvml = nvml
        self._who = who or Processes().who
        self._boards: list[_Board] = []
        self._open = False
        self._open_again = -math.inf
        self._problem: str | None = None

    def read(self, now: float, machine: Machine) -> Seen:
        """Looks at every GPU; what changes slowly, or costs more to ask, is from a few seconds ago.

        Args:
            now: seconds on a monotonic clock.
            machine: whose memory a GPU without one of its own shares.
        """
        if not self._open:
            if now >= self._open_again:
                self._open_again = now + REOPEN_S
                self._problem = self._opened()
            if not self._open:
                return Seen((), self._problem)
        gpus: list[Gpu] = []
        problem = self._problem
        lost = False
        for board in self._boards:
            seen = board.read(now, machine)
            gpus += seen.gpus
            lost = lost or seen.problem is not None
            problem = problem or seen.problem
        if lost and now >= self._open_again:
            self._open_again = now
            self.close()
        return Seen(tuple(gpus), problem)

    def close(self) -> None:
        """Gives NVML back; a later look opens it again."""
        self._boards = []
        if self._open and self._nvml is not None:
            self._open = False
            with contextlib.suppress(self._nvml.NVMLError):
                self._nvml.nvmlShutdown()

    def _opened(self) -> str | None:
        """Opens NVML and finds the GPUs; what is wrong, if something is."""
        try:
            nvml = self._nvml = self._nvml or border.load()
        except ImportError:
            return say("sensors.no_library")
        try:
            nvml.nvmlInit()
            self._open = True
            count = nvml.nvmlDeviceGetCount()
        except nvml.NVMLError as error:
            self.close()
            return border.why_not(nvml, error)
        if not count:
            self.close()
            return say("sensors.no_gpu")
        problem = None
        for index in range(count):
            try:
                handle = nvml.nvmlDeviceGetHandleByIndex(index)
            except nvml.NVMLError as error:
                # Not this user's, hidden by the container, or broken: the others can still be shown.
                problem = say("sensors.gpu_unreadable", gpu=index, message=visible_line(str(error)))
            else:
                self._boards.append(_Board(nvml, handle, index, self._who))
        return problem


class _Board:
    """One GPU with the MIG devices that it may be split into."""

    def __init__(self, nvml: Nvml, handle: Handle, index: int, who: Callable[[int], Who]) -> None:
        self._nvml = nvml
        self._handle = handle
        self._who = who
        self._identity = Gpu(index=index)
        self._mode = Reading(nvml, 0, lambda: nvml.nvmlDeviceGetMigMode(handle)[0])
        self._look_again = -math.inf
        self._split = False
        self._whole = Device(nvml, handle, index, who)
        self._parts: dict[str, Device] = {}

    def read(self, now: float, machine: Machine) -> Seen:
        """The GPU, then its MIG devices."""
        index = self._identity.index
        try:
            if now >= self._look_again:
                self._look_again = now + SPLIT_S
                self._find_parts(now)
            self._identity = self._whole.identity(now)
            gpus = [self._whole.read(now, machine, self._split)]
        except self._nvml.NVMLError as error:
            return Seen((self._identity,), say("sensors.gpu_lost", gpu=index, message=visible_line(str(error))))
        for part in self._parts.values():
            # Taken apart since it was last looked: it is gone from the list at the next look.
            with contextlib.suppress(self._nvml.NVMLError):
                gpus.append(part.read(now, machine))
        return Seen(tuple(gpus), None)

    def _find_parts(self, now: float) -> None:
        index = self._identity.index
        split = self._mode.at(now) == self._nvml.NVML_DEVICE_MIG_ENABLE
        if split != self._split:
            # What a GPU refused as a whole it may tell when split, and the other way round.
            self._split = split
            self._whole = Device(self._nvml, self._handle, index, self._who)
        parts: dict[str, Device] = {}
        with contextlib.suppress(self._nvml.NVMLError):
            for place in range(self._nvml.nvmlDeviceGetMaxMigDeviceCount(self._handle) if split else 0):
                try:
                    handle = self._nvml.nvmlDeviceGetMigDeviceHandleByIndex(self._handle, place)
                    part = Device(self._nvml, handle, place, self._who, parent=index)
                    key = part.identity(now).key
                except self._nvml.NVMLError:
                    continue  # No MIG device in this place.
                parts[key] = self._parts.get(key, part)
        self._parts = parts
