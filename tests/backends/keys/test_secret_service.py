"""A real secret service: open, locked, and never set up."""

from collections.abc import Callable
from pathlib import Path

import pytest

from qiao.backends.keys.store import Keys

from .conftest import Desktop

KEY = "sk-5entinel-0123456789abcdef"


def test_an_open_one_keeps_finds_and_deletes(log_in: Callable[[], Desktop], home: Path) -> None:
    log_in().unlock()
    keys = Keys()
    assert keys.places()[0].problem is None
    assert keys.set("bailian", f"  {KEY}\n", "keyring").detail == "SecretService"
    found = Keys().find("bailian", ["NOT_SET"])
    assert found is not None
    assert (found.value, found.source) == (KEY, "keyring")
    (status,) = Keys().statuses({"bailian": ()})
    assert (status.source, status.detail, status.problem) == ("keyring", "SecretService", None)
    assert Keys().delete("bailian") == ["keyring"]
    assert Keys().find("bailian") is None
    assert not list(home.rglob("keys.toml"))


def test_a_locked_one_says_so_and_the_file_does_instead(log_in: Callable[[], Desktop]) -> None:
    desktop = log_in()
    desktop.unlock()
    Keys().set("bailian", KEY, "keyring")
    desktop.end()
    # The same home, but nobody has given the password.
    log_in()
    keys = Keys()
    assert keys.find("bailian") is None
    assert keys.keyring_problem == "The keyring is locked and can't be unlocked from here."
    assert keys.places()[0].problem == keys.keyring_problem
    with pytest.raises(Exception, match="The key was not kept: The keyring is locked"):
        keys.set("bailian", KEY, "keyring")
    keys.unlock("correct horse")
    keys.set("bailian", KEY, "file")
    found = keys.find("bailian")
    assert found is not None
    assert found.source == "file"


def test_one_that_was_never_set_up_is_locked(log_in: Callable[[], Desktop]) -> None:
    log_in()
    keys = Keys()
    assert keys.find("bailian") is None
    assert keys.places()[0].problem == "The keyring is locked and can't be unlocked from here."
