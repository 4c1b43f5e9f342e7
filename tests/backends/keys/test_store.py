"""In which order keys are found, and that there is one a provider."""

import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from qiao.backends.keys.store import Keys
from qiao.workbench.errors import QiaoError

from ...patience import PATIENCE_S

KEY, OTHER, THIRD = (f"sk-{name}-0123456789abcdef" for name in ("5entinel", "other", "third"))
VARIABLES = ("FIRST_API_KEY", "SECOND_API_KEY")


def found(keys: Keys) -> tuple[str, str] | None:
    key = keys.find("bailian", VARIABLES)
    return None if key is None else (key.value, key.source)


def test_the_environment_goes_first_and_needs_no_keyring(
    monkeypatch: pytest.MonkeyPatch, keyring_backend: Callable[[str], None]
) -> None:
    keyring_backend("Hanging")
    keys = Keys()
    monkeypatch.setenv("SECOND_API_KEY", f"{OTHER}\n")
    assert found(keys) == (OTHER, "environment")
    monkeypatch.setenv("FIRST_API_KEY", "  ")
    assert found(keys) == (OTHER, "environment")
    monkeypatch.setenv("FIRST_API_KEY", KEY)
    assert found(keys) == (KEY, "environment")
    monkeypatch.setenv("FIRST_API_KEY", "“quoted”")
    with pytest.raises(QiaoError, match=r"\$FIRST_API_KEY"):
        found(keys)


def test_what_was_set_last_is_what_is_found(keyring_backend: Callable[[str], None]) -> None:
    keyring_backend("InFile")
    keys = Keys()
    keys.set("bailian", KEY, "keyring")
    assert found(keys) == (KEY, "keyring")
    keys.set("bailian", OTHER, "session")
    assert found(keys) == (OTHER, "session")
    # For this run only: another finds what is kept.
    assert found(Keys()) == (KEY, "keyring")
    keys.unlock("correct horse")
    keys.set("bailian", THIRD, "file")
    assert found(keys) == (THIRD, "file")
    (status,) = keys.statuses({"bailian": VARIABLES})
    assert (status.source, status.others) == ("file", ())
    keys.set("bailian", KEY, "keyring")
    assert found(keys) == (KEY, "keyring")
    assert not keys.is_locked("bailian")
    assert keys.delete("bailian") == ["keyring"]
    assert found(keys) is None


def test_what_is_no_key_changes_nothing(keyring_backend: Callable[[str], None]) -> None:
    keyring_backend("InFile")
    keys = Keys()
    keys.set("bailian", KEY, "keyring")
    for where in ("keyring", "session"):
        with pytest.raises(QiaoError, match="What was typed"):
            keys.set("bailian", "two words", where)
    assert found(keys) == (KEY, "keyring")


def test_all_places_are_told_without_the_key(
    monkeypatch: pytest.MonkeyPatch, keyring_backend: Callable[[str], None]
) -> None:
    keyring_backend("InFile")
    keys = Keys()
    keys.set("bailian", KEY, "keyring")
    monkeypatch.setenv("FIRST_API_KEY", OTHER)
    keys.set("siliconflow", "short", "session")
    bailian, siliconflow, vllm = keys.statuses({"bailian": VARIABLES, "siliconflow": (), "vllm": ()})
    assert (bailian.source, bailian.detail, bailian.others) == ("environment", "FIRST_API_KEY", ("keyring",))
    assert bailian.fingerprint
    assert (siliconflow.source, siliconflow.fingerprint) == ("session", None)
    assert vllm.source is None
    assert KEY not in repr(bailian)
    assert OTHER not in repr(bailian)


def test_a_locked_file_asks_once_for_all(monkeypatch: pytest.MonkeyPatch) -> None:
    before = Keys()
    before.unlock("correct horse")
    before.set("bailian", KEY, "file")
    before.set("siliconflow", OTHER, "file")
    given = iter(["wrong", "wrong again", "correct horse"])
    asked: list[str] = []

    def ask() -> str | None:
        asked.append("passphrase")
        return next(given)

    keys = Keys(ask)
    values: list[str] = []

    def find(provider: str) -> None:
        key = keys.find(provider)
        values.append(key.value if key else "")

    threads = [threading.Thread(target=find, args=[name]) for name in ("bailian", "siliconflow") * 3]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert sorted(values) == sorted([KEY, OTHER] * 3)
    assert len(asked) == 3
    # A provider whose key isn't in it asks for nothing.
    assert Keys(lambda: pytest.fail("asked")).find("vllm") is None


def test_without_anyone_to_ask_a_locked_file_is_told() -> None:
    before = Keys()
    before.unlock("correct horse")
    before.set("bailian", KEY, "file")
    for keys in (Keys(), Keys(lambda: None)):
        assert keys.is_locked("bailian")
        with pytest.raises(QiaoError, match="locked") as caught:
            keys.find("bailian")
        assert caught.value.exit_code == 3
    file = Keys().places()[1]
    assert (file.problem, file.wants_passphrase) == (None, "known")


def test_many_requests_at_once_ask_the_keyring_once(keyring_backend: Callable[[str], None], home: Path) -> None:
    keyring_backend("InFile")
    Keys().set("bailian", KEY, "keyring")
    asked = home.parent / "asked-of-keyring"
    asked.unlink()
    keys = Keys()
    values: list[tuple[str, str] | None] = []
    threads = [threading.Thread(target=lambda: values.append(found(keys))) for _ in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)
    assert values == [(KEY, "keyring")] * 64
    assert asked.read_text(encoding="utf-8") == "bailian\n"


def test_what_is_known_is_known_without_asking(
    monkeypatch: pytest.MonkeyPatch, keyring_backend: Callable[[str], None]
) -> None:
    keyring_backend("InFile")
    keys = Keys()
    assert keys.known("bailian", VARIABLES) is None
    keys.unlock("correct horse")
    keys.set("bailian", KEY, "file")
    assert Keys().known("bailian", VARIABLES) == "file"
    keys.set("bailian", KEY, "keyring")
    assert keys.known("bailian", VARIABLES) == "keyring"
    # Another run hasn't asked yet.
    assert Keys().known("bailian", VARIABLES) is None
    keys.set("bailian", OTHER, "session")
    assert keys.known("bailian", VARIABLES) == "session"
    monkeypatch.setenv("FIRST_API_KEY", KEY)
    assert keys.known("bailian", VARIABLES) == "environment"


def test_another_programs_key_is_found_once_the_old_answer_is_forgotten(
    keyring_backend: Callable[[str], None],
) -> None:
    keyring_backend("InFile")
    keys = Keys()
    assert found(keys) is None
    Keys().set("bailian", KEY, "keyring")
    assert found(keys) is None
    keys.forget("bailian")
    assert found(keys) == (KEY, "keyring")
