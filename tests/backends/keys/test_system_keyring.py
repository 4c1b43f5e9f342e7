"""Keyrings that hang, die, print, ask and refuse: none costs more than its time, and each says why."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from qiao.backends.keys.store import Keys
from qiao.backends.keys.system_keyring import SystemKeyring

from ...patience import PATIENCE_S

KEY = "sk-5entinel-0123456789abcdef"


def is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def test_without_any_bus_there_is_no_keyring_and_no_waiting() -> None:
    keys = Keys()
    assert keys.find("bailian") is None
    assert keys.keyring_problem is None
    assert keys.places()[0].problem == "No keyring runs here, as is usual over SSH."
    assert keys.places()[1].problem is None
    # Looked for once a run: the second time starts no process.
    begin = time.monotonic()
    assert keys.find("siliconflow") is None
    assert time.monotonic() - begin < 0.1


def test_a_stale_bus_address_is_no_keyring(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("DBUS_SESSION_BUS_ADDRESS", f"unix:path={tmp_path}/gone")
    assert SystemKeyring().get(("bailian",)).trouble == "none"


def test_one_that_hangs_is_ended_with_all_it_started_and_not_asked_again_at_once(
    keyring_backend: Callable[[str], None], home: Path
) -> None:
    keyring_backend("Hanging")
    home.mkdir()
    keyring = SystemKeyring()
    begin = time.monotonic()
    assert keyring.get(("bailian",), 3.0).trouble == "silent"
    first = time.monotonic() - begin
    assert first < 10
    pids = [int(pid) for pid in (home / "hanging.pid").read_text(encoding="utf-8").split()]
    assert len(pids) == 2
    until = time.monotonic() + PATIENCE_S
    while any(map(is_alive, pids)) and time.monotonic() < until:
        time.sleep(0.02)
    assert not any(map(is_alive, pids))
    begin = time.monotonic()
    assert keyring.get(("bailian",), 3.0).trouble == "silent"
    assert time.monotonic() - begin < 0.5


@pytest.mark.parametrize(
    ("name", "trouble"),
    [
        ("Dying", "failed"),
        ("Leaving", "failed"),
        ("Typing", "interactive"),
        ("EncryptedKeyring", "interactive"),
        ("Locked", "locked"),
        ("NoCollection", "locked"),
        ("NotThere", "failed"),
    ],
)
def test_one_that_gives_no_key_says_why(keyring_backend: Callable[[str], None], name: str, trouble: str) -> None:
    keyring_backend(name)
    keys = Keys()
    assert keys.find("bailian") is None
    assert SystemKeyring().get(("bailian",)).trouble == trouble
    assert keys.keyring_problem
    keyring, file, session = keys.places()
    assert keyring.problem == keys.keyring_problem
    assert (file.problem, session.problem) == (None, None)


def test_what_it_prints_reaches_nobody(
    keyring_backend: Callable[[str], None], capfd: pytest.CaptureFixture[str]
) -> None:
    keyring_backend("Printing")
    key = Keys().find("bailian")
    assert key is not None
    assert key.value == "sk-printed-among-much-chatter"
    assert capfd.readouterr() == ("", "")


def test_an_error_that_quotes_the_key_is_told_without_it(keyring_backend: Callable[[str], None]) -> None:
    keyring_backend("Raising")
    with pytest.raises(Exception, match="FileNotFoundError") as caught:
        Keys().set("bailian", KEY, "keyring")
    assert KEY not in str(caught.value)
    assert "\x1b" not in str(caught.value)


def test_one_that_forgets_is_found_out(keyring_backend: Callable[[str], None]) -> None:
    keyring_backend("Forgetting")
    with pytest.raises(Exception, match="not kept"):
        Keys().set("bailian", KEY, "keyring")


def test_in_a_chain_the_interactive_link_is_passed_over(keyring_backend: Callable[[str], None]) -> None:
    keyring_backend("Chain")
    keys = Keys()
    assert keys.set("bailian", KEY, "keyring").detail == "InFile"
    found = Keys().find("bailian")
    assert found is not None
    assert (found.value, found.source) == (KEY, "keyring")
    assert keys.delete("bailian") == ["keyring"]
    assert Keys().find("bailian") is None


def test_no_key_is_among_the_arguments_of_a_process(keyring_backend: Callable[[str], None]) -> None:
    keyring_backend("InFile")
    assert SystemKeyring().set("bailian", KEY).values == {"bailian": KEY}
    assert KEY not in repr(SystemKeyring().get(("bailian",)))
    # The child's environment is this process's.
    assert KEY not in "".join(os.environ.values())
