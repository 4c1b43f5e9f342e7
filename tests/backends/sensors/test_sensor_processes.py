"""Names of processes by the numbers that a driver gives, outside and inside of a container."""

import os
import pwd
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from qiao.backends.sensors.processes import Processes, Who


def test_a_process_of_our_own() -> None:
    who = Processes(contained=False).who(os.getpid())
    assert who == Who(pwd.getpwuid(os.getuid()).pw_name, psutil.Process().name(), own=True)


def test_one_that_is_gone() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert Processes(contained=False).who(child.pid) == Who()


@pytest.mark.parametrize(
    ("opened", "believed"), [("/dev/nvidia0", True), ("/dev/nvidiactl", True), ("/dev/dxg", True), ("/dev/null", False)]
)
def test_in_a_container_a_number_is_believed_of_who_holds_a_gpu(tmp_path: Path, opened: str, believed: bool) -> None:
    files = tmp_path / str(os.getpid()) / "fd"
    files.mkdir(parents=True)
    (files / "0").symlink_to("/dev/null")
    (files / "7").symlink_to(opened)
    assert (Processes(tmp_path, contained=True).who(os.getpid()) != Who()) is believed


def test_in_a_container_the_hosts_numbers_name_nobody(tmp_path: Path) -> None:
    assert Processes(tmp_path, contained=True).who(os.getpid()) == Who()


@pytest.mark.parametrize(("space", "name_known"), [("pid:[4026531836]", True), ("pid:[4026532444]", False)])
def test_whether_this_is_a_container_is_seen_by_its_name_space(tmp_path: Path, space: str, name_known: bool) -> None:
    (tmp_path / "self" / "ns").mkdir(parents=True)
    (tmp_path / "self" / "ns" / "pid").symlink_to(space)
    assert (Processes(tmp_path).who(os.getpid()) != Who()) is name_known
