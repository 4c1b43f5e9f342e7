import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec import inspect

from qiao.workbench import config
from qiao.workbench.config import Config, Local, Provider, Vllm

PAGE = Path(__file__).parents[2] / "docs" / "config.md"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("QIAO_HOME", str(tmp_path / "home"))
    (tmp_path / "home").mkdir()
    return tmp_path / "home" / "config.toml"


def loaded(file: Path, source: str) -> tuple[Config, list[str]]:
    file.write_text(source, encoding="utf-8")
    return config.load()


def test_without_a_file_all_is_at_its_default(file: Path) -> None:
    assert config.load() == (Config(), [])


def test_every_key_is_read(file: Path) -> None:
    read = loaded(
        file,
        """
language = "zh"
model = "local:starter"
theme = "paper"
[local]
directories = ["/data/models"]
[vllm]
command = "/opt/vllm/bin/vllm"
[provider.mybox]
base_url = "http://127.0.0.1:8000/v1"
key_env = "MYBOX_API_KEY"
stall_seconds = 5
[provider.bailian]
[keys]
run = "r,f5"
""",
    )
    assert read == (
        Config(
            language="zh",
            model="local:starter",
            theme="paper",
            local=Local(("/data/models",)),
            vllm=Vllm("/opt/vllm/bin/vllm"),
            provider={"mybox": Provider("http://127.0.0.1:8000/v1", "MYBOX_API_KEY", 5.0), "bailian": Provider()},
            keys={"run": "r,f5"},
        ),
        [],
    )


def test_what_is_wrong_is_told_and_the_rest_counts(file: Path) -> None:
    read, warnings = loaded(
        file,
        """
language = "fr"
theme = "paper"
colour = "red"
[local]
directories = "/data/models"
where = 1
[provider.mybox]
base_url = "http://127.0.0.1:8000/v1"
stall_seconds = 0
"api\\u001bkey" = "secret"
[keys]
run = 5
stop = "x"
""",
    )
    assert read == Config(theme="paper", provider={"mybox": Provider("http://127.0.0.1:8000/v1")}, keys={"stop": "x"})
    told = [line.removeprefix(f"{file}: ") for line in warnings]
    assert sorted(told) == sorted(
        [
            'language: found "fr", expected one of en, zh. Ignored.',
            'local.directories: found "/data/models", expected a list, each a text. Ignored.',
            "local.where: no such key. Ignored.",
            "provider.mybox.stall_seconds: found 0, expected a number above 0. Ignored.",
            "provider.mybox.api␛key: no such key. Ignored.",
            "keys.run: found 5, expected a text. Ignored.",
            "colour: no such key. Ignored.",
        ]
    )


@pytest.mark.parametrize("source", [b"theme = ", b"\xff", b"theme = 'paper'\n[theme]\n"])
def test_a_broken_file_counts_as_none_and_is_told(file: Path, source: bytes) -> None:
    file.write_bytes(source)
    read, (warning,) = config.load()
    assert read == Config()
    assert str(file) in warning
    assert warning.endswith("Defaults are used.")


def test_a_folder_in_its_place_is_told(file: Path) -> None:
    file.mkdir()
    read, (warning,) = config.load()
    assert read == Config()
    assert "is a folder" in warning


def keys_of(struct: type[msgspec.Struct], prefix: str = "") -> Iterator[tuple[str, object]]:
    """Every key that the file can have, as the page names it, with its default."""
    for field, typed in zip(msgspec.structs.fields(struct), fields_of(struct), strict=True):
        default = field.default_factory() if field.default is msgspec.NODEFAULT else field.default
        match typed.type:
            case inspect.StructType(cls):
                yield from keys_of(cls, f"{prefix}{field.name}.")
            case inspect.DictType(value_type=inspect.StructType(cls)):
                yield from keys_of(cls, f"{prefix}{field.name}.NAME.")
            case inspect.DictType():
                yield f"{prefix}{field.name}.ACTION", None
            case _:
                yield f"{prefix}{field.name}", default


def fields_of(struct: type[msgspec.Struct]) -> tuple[inspect.Field, ...]:
    info = inspect.type_info(struct)
    assert isinstance(info, inspect.StructType)
    return info.fields


def test_the_page_tells_every_key_and_its_default() -> None:
    rows = re.findall(r"^\| `([^`]+)` \| (none|`[^`]+`) \| \S", PAGE.read_text(encoding="utf-8"), re.MULTILINE)
    told = {
        key: None if default == "none" else tomllib.loads(f"x = {default.strip('`')}")["x"] for key, default in rows
    }
    assert told == {key: list(default) if isinstance(default, tuple) else default for key, default in keys_of(Config)}


def test_the_page_shows_a_file_without_a_warning(file: Path) -> None:
    (shown,) = re.findall(r"```toml\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    read, warnings = loaded(file, shown)
    assert warnings == []
    named = {
        re.sub(r"^(provider|local\.model)\..+(?=\.\w+$)", r"\1.NAME", key) for key in flattened(tomllib.loads(shown))
    }
    assert {re.sub(r"^keys\.\w+", "keys.ACTION", key) for key in named} == {key for key, _ in keys_of(Config)}
    assert read != Config()


def flattened(table: dict[str, object], prefix: str = "") -> Iterator[str]:
    for key, value in table.items():
        if isinstance(value, dict):
            yield from flattened(value, f"{prefix}{key}.")
        else:
            yield prefix + key
