"""Secret services as they are met: real ones on a bus of their own, and keyrings that misbehave."""

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from qiao.backends.keys import key_file

from ...keyrings import use_keyring
from ...patience import PATIENCE_S

REAL = key_file.COST
NEEDED = ("dbus-daemon", "gnome-keyring-daemon")
PASSWORD = b"the password of the login"


@pytest.fixture(autouse=True)
def no_bus(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nothing of the developer's own desktop: no bus, no display, no keyring settings."""
    for name in ("DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY", "PYTHON_KEYRING_BACKEND"):
        monkeypatch.delenv(name, raising=False)
    for name in ("HOME", "XDG_RUNTIME_DIR", "XDG_DATA_HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME"):
        folder = tmp_path / name.lower()
        folder.mkdir(mode=0o700)
        monkeypatch.setenv(name, str(folder))


@pytest.fixture(autouse=True)
def cheap_passphrase(monkeypatch: pytest.MonkeyPatch) -> None:
    """A guess at a passphrase costs a quarter of what it really does; `test_key_file` looks at the real cost."""
    monkeypatch.setattr(key_file, "COST", 2**14)


class Desktop:
    """A session bus with gnome-keyring behind it, as after a login."""

    def __init__(self) -> None:
        self._processes: list[subprocess.Popen[bytes]] = []
        bus = self._start("dbus-daemon", "--session", "--nofork", "--print-address=1")
        assert bus.stdout is not None
        os.environ["DBUS_SESSION_BUS_ADDRESS"] = bus.stdout.readline().decode().strip()

    def unlock(self) -> None:
        """Logs in: the daemon runs, and its login keyring is open."""
        daemon = self._start("gnome-keyring-daemon", "--unlock", "--components=secrets", "--foreground")
        assert daemon.stdin is not None
        daemon.stdin.write(PASSWORD)
        daemon.stdin.close()
        keyrings = Path(os.environ["XDG_DATA_HOME"]) / "keyrings"
        until = time.monotonic() + PATIENCE_S
        while not (self._has_owner() and (keyrings / "login.keyring").exists()):
            assert time.monotonic() < until, "gnome-keyring-daemon doesn't come up"
            time.sleep(0.05)

    def _has_owner(self) -> bool:
        """Whether the service stands on the bus; asking must not start one that is locked."""
        from jeepney import DBus
        from jeepney.io.blocking import open_dbus_connection

        with open_dbus_connection(bus=os.environ["DBUS_SESSION_BUS_ADDRESS"]) as connection:
            (has,) = connection.send_and_get_reply(DBus().NameHasOwner("org.freedesktop.secrets")).body
        return has

    def _start(self, *command: str) -> "subprocess.Popen[bytes]":
        process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        self._processes.append(process)
        return process

    def end(self) -> None:
        """Logs out. What the bus has started ends with it."""
        for process in reversed(self._processes):
            process.send_signal(signal.SIGTERM)
            process.wait(PATIENCE_S)
            for pipe in (process.stdin, process.stdout):
                if pipe is not None:
                    pipe.close()


@pytest.fixture
def log_in(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Desktop]]:
    """Begins a session on a desktop. A second one finds what the first has left on the disk."""
    if missing := [name for name in NEEDED if shutil.which(name) is None]:
        pytest.skip(f"{' and '.join(missing)} not installed: apt-get install dbus gnome-keyring")
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", "")
    desktops: list[Desktop] = []

    def begin() -> Desktop:
        desktops.append(Desktop())
        return desktops[-1]

    yield begin
    for desktop in desktops:
        desktop.end()


@pytest.fixture
def keyring_backend(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Makes one of `misbehaving_keyrings` the system's keyring."""

    def choose(name: str) -> None:
        use_keyring(monkeypatch, name)

    return choose
