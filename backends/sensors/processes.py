"""Whose a process is, and what it is called."""

import os
import pwd
from functools import cache
from pathlib import Path
from typing import NamedTuple

import psutil

from ...workbench.visible import visible_line

INITIAL_PID_NAMESPACE = "pid:[4026531836]"
"""What /proc/self/ns/pid points to outside of any container (PROC_PID_INIT_INO of the Linux kernel)."""

GPU_DEVICES = ("/dev/nvidia", "/dev/dxg", "/dev/davinci")
"""Files that a process holds open while it computes: of NVIDIA's driver for Linux, of WSL2's, of Ascend's."""


class Who(NamedTuple):
    """What can be seen of a process; None where it can't."""

    user: str | None = None
    name: str | None = None
    own: bool = False
    """It runs as the user that we run as."""


class Processes:
    """Looks processes up by the numbers that the GPU's driver gives.

    In a container, older drivers give the host's numbers and newer ones the container's. A number is believed there
    only if the process that has it in the container holds a GPU open.

    Args:
        proc: where the process file system is mounted.
        contained: whether we run in a PID namespace of our own; found out when None.
    """

    def __init__(self, proc: Path = Path("/proc"), contained: bool | None = None) -> None:
        self._proc = proc
        self._contained = _in_container(proc) if contained is None else contained

    def who(self, pid: int) -> Who:
        """The process with this number; nothing is known of one that is gone or can't be seen."""
        if self._contained and not self._holds_gpu(pid):
            return Who()
        try:
            process = psutil.Process(pid)
            with process.oneshot():
                uid = process.uids().real
                return Who(visible_line(_user(uid)), visible_line(process.name()), uid == os.getuid())
        except (psutil.Error, OSError):
            return Who()

    def _holds_gpu(self, pid: int) -> bool:
        try:
            return any(os.readlink(link).startswith(GPU_DEVICES) for link in (self._proc / str(pid) / "fd").iterdir())
        except OSError:
            return False


def _in_container(proc: Path) -> bool:
    try:
        return os.readlink(proc / "self" / "ns" / "pid") != INITIAL_PID_NAMESPACE
    except OSError:
        return False


@cache
def _user(uid: int) -> str:
    # Remembered, since the names may come over the network.
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
