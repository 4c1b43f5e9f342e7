"""The encrypted file: opened by its passphrase alone, whole or not at all, and readable to nobody else."""

import base64
import stat
import tomllib
from pathlib import Path

import pytest

from qiao.backends.keys import key_file
from qiao.backends.keys.key_file import KeyFile, Locked, WrongPassphrase
from qiao.workbench.errors import QiaoError, Unreadable

from .conftest import REAL

KEY, OTHER = "sk-5entinel-0123456789abcdef", "sk-other-0123456789abcdefgh"
PASSPHRASE = "correct horse battery"


@pytest.fixture
def kept() -> KeyFile:
    """A file with one key, unlocked."""
    file = KeyFile()
    file.unlock(PASSPHRASE)
    file.set("bailian", KEY)
    return file


def entries(file: KeyFile) -> dict[str, str]:
    return tomllib.loads(file.path.read_text(encoding="utf-8"))["key"]


def test_a_new_run_needs_the_passphrase(kept: KeyFile) -> None:
    file = KeyFile()
    assert file.is_locked()
    assert file.providers() == ["bailian"]
    with pytest.raises(Locked, match="bailian"):
        file.get("bailian")
    with pytest.raises(Locked):
        file.set("siliconflow", OTHER)
    with pytest.raises(WrongPassphrase):
        file.unlock(f"{PASSPHRASE}!")
    assert file.is_locked()
    file.unlock(PASSPHRASE)
    assert file.get("bailian") == KEY
    assert file.get("siliconflow") is None
    file.set("siliconflow", OTHER)
    assert kept.get("siliconflow") == OTHER


def test_the_file_is_its_owners_and_tells_names_only(kept: KeyFile) -> None:
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600
    kept.path.chmod(0o644)
    kept.set("siliconflow", OTHER)
    assert stat.S_IMODE(kept.path.stat().st_mode) == 0o600
    data = kept.path.read_bytes()
    for secret in (KEY, OTHER, PASSPHRASE):
        assert secret.encode() not in data
        assert base64.b64encode(secret.encode()) not in data
    assert sorted(path.name for path in kept.path.parent.iterdir()) == ["keys.toml", "locks"]


def test_the_same_key_is_never_sealed_the_same(kept: KeyFile) -> None:
    before = entries(kept)["bailian"]
    kept.set("bailian", KEY)
    assert entries(kept)["bailian"] != before


def test_an_entry_counts_for_its_own_provider_only(kept: KeyFile) -> None:
    kept.set("evil", OTHER)
    text = kept.path.read_text(encoding="utf-8")
    kept.path.write_text(text.replace(entries(kept)["evil"], entries(kept)["bailian"]), encoding="utf-8")
    assert kept.get("bailian") == KEY
    with pytest.raises(WrongPassphrase):
        kept.get("evil")


def test_one_damaged_entry_costs_no_other(kept: KeyFile) -> None:
    kept.set("siliconflow", OTHER)
    text = kept.path.read_text(encoding="utf-8")
    kept.path.write_text(text.replace(entries(kept)["bailian"], "AAAA"), encoding="utf-8")
    file = KeyFile()
    file.unlock(PASSPHRASE)
    assert file.get("siliconflow") == OTHER
    with pytest.raises(WrongPassphrase):
        file.get("bailian")


def test_a_forgotten_passphrase_is_left_behind_by_deleting(kept: KeyFile) -> None:
    file = KeyFile()
    assert file.delete("bailian")
    assert not file.delete("bailian")
    assert not file.path.exists()
    file.unlock("another passphrase")
    file.set("bailian", OTHER)
    # The first one's passphrase is no longer the file's.
    with pytest.raises(Locked):
        kept.get("bailian")


def test_a_new_passphrase_is_not_too_short() -> None:
    with pytest.raises(Unreadable, match="8 characters"):
        KeyFile().unlock("short")


def test_a_passphrase_is_the_same_however_it_was_composed() -> None:
    file = KeyFile()
    file.unlock("pa\u00dfwo\u0301rt 密钥")
    file.set("bailian", KEY)
    again = KeyFile()
    again.unlock("pa\u00dfw\u00f3rt 密钥")
    assert again.get("bailian") == KEY


@pytest.mark.parametrize(
    "text",
    [
        "not TOML",
        "qiao = 1",
        'qiao = 2\n[scrypt]\nn = 65536\nr = 8\np = 2\nsalt = "AAAA"\n[key]\n',
        'qiao = 1\n[scrypt]\nn = 1048576\nr = 32\np = 16\nsalt = "AAAA"\n[key]\na = "AAAA"\n',
        'qiao = 1\n[scrypt]\nn = 65536\nr = 8\np = 2\nsalt = "§"\n[key]\na = "AAAA"\n',
        'qiao = 1\n[scrypt]\nn = 65537\nr = 8\np = 2\nsalt = "AAAA"\n[key]\na = "AAAA"\n',
    ],
)
def test_what_is_no_key_file_is_left_alone(text: str) -> None:
    file = KeyFile()
    file.path.parent.mkdir(parents=True)
    file.path.write_text(text, encoding="utf-8")
    for way in (lambda: file.get("a"), lambda: file.unlock(PASSPHRASE), lambda: file.set("a", KEY)):
        with pytest.raises(Unreadable):
            way()
    assert file.path.read_text(encoding="utf-8") == text


def test_an_empty_file_is_a_new_one() -> None:
    file = KeyFile()
    file.path.parent.mkdir(parents=True)
    file.path.touch()
    assert file.providers() == []
    file.unlock(PASSPHRASE)
    file.set("bailian", KEY)
    assert file.get("bailian") == KEY


def test_a_folder_that_is_none_is_told(home: Path) -> None:
    home.mkdir()
    (home / "data").write_text("a file", encoding="utf-8")
    file = KeyFile()
    with pytest.raises(QiaoError, match=r"keys\.toml"):
        file.unlock(PASSPHRASE)


def test_a_guess_costs_what_it_should(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(key_file, "COST", REAL)
    file = KeyFile()
    file.unlock("a passphrase")
    file.set("bailian", "sk-1")
    scrypt = tomllib.loads(file.path.read_text(encoding="utf-8"))["scrypt"]
    assert (scrypt["n"], scrypt["r"], scrypt["p"]) == (65536, 8, 2)
