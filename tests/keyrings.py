"""Stand-ins for the system's keyring, in place of the developer's own."""

import os
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "backends" / "keys"


def use_keyring(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    """Makes one of `misbehaving_keyrings` the system's keyring, for this process's children."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [str(FOLDER), os.environ.get("PYTHONPATH")])))
    monkeypatch.setenv("PYTHON_KEYRING_BACKEND", f"misbehaving_keyrings.{name}")
