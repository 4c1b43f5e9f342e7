"""Adding a provider to config.toml: what a person means by an address, and a file that keeps all else."""

import tomllib
from pathlib import Path

import pytest

from qiao.workbench import config
from qiao.workbench.config import Provider
from qiao.workbench.errors import QiaoError
from qiao.workbench.provider_setting import add_provider, base_url, key_variable, provider_name
from qiao.workbench.saving import Unsaved

BOX = Provider(base_url="http://box:8000/v1")


@pytest.fixture
def file(home: Path) -> Path:
    home.mkdir(exist_ok=True)
    return home / config.NAME


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("http://127.0.0.1:8000/v1", "http://127.0.0.1:8000/v1"),
        (" http://127.0.0.1:8000/ ", "http://127.0.0.1:8000/v1"),
        ("127.0.0.1:8000", "http://127.0.0.1:8000/v1"),
        ("[::1]:8000", "http://[::1]:8000/v1"),
        ("box", "http://box/v1"),
        ("gpu.example.com:8000", "http://gpu.example.com:8000/v1"),
        ("api.example.com", "https://api.example.com/v1"),
        ("https://example.com/openai/v4/", "https://example.com/openai/v4"),
    ],
)
def test_an_address_is_completed(typed: str, meant: str) -> None:
    assert base_url(typed) == meant


@pytest.mark.parametrize(
    "typed",
    ["", "  ", "ftp://box", "http://", "http://a b/v1", "http://box:port", "http://me:sk/gsk_1@box"],
)
def test_what_is_no_address_is_refused(typed: str) -> None:
    with pytest.raises(QiaoError, match="no address of a server"):
        base_url(typed)


@pytest.mark.parametrize(
    "typed", ["http://me:gsk_1@box", "gsk_1@box", "me:gsk_1@box:1", "http://box/v1?key=gsk_1", "http://box/gsk_1#x"]
)
def test_an_address_with_a_secret_is_refused_and_not_repeated(typed: str) -> None:
    with pytest.raises(QiaoError, match="user name, password") as refused:
        base_url(typed)
    assert "gsk" not in str(refused.value)


def test_an_address_that_is_none_is_not_repeated() -> None:
    with pytest.raises(QiaoError) as refused:
        base_url("http://bo x/gsk_1234/v1")
    assert "gsk" not in str(refused.value)


@pytest.mark.parametrize(
    ("typed", "url", "name"),
    [
        ("mybox", "http://box:8000/v1", "mybox"),
        ("", "http://box:8000/v1", "box"),
        ("", "https://api.example.com/v1", "example"),
        ("", "http://127.0.0.1:8000/v1", "server"),
        ("", "http://taken:1/v1", "taken2"),
    ],
)
def test_a_provider_gets_a_name(typed: str, url: str, name: str) -> None:
    assert provider_name(typed, url, {"taken"}) == name


@pytest.mark.parametrize("typed", ["My Box", "a:b", "taken", "-", "盒子"])
def test_a_name_that_no_provider_can_have_is_refused(typed: str) -> None:
    with pytest.raises(QiaoError):
        provider_name(typed, "http://box/v1", {"taken"})


def test_a_key_typed_for_a_variable_is_not_repeated() -> None:
    assert key_variable(" BOX_KEY ") == "BOX_KEY"
    assert key_variable("") is None
    with pytest.raises(QiaoError) as refused:
        key_variable("sk-0123456789abcdef")
    assert "0123" not in str(refused.value)


@pytest.mark.parametrize(
    "typed",
    [
        "gsk_x7Qm2pLw9RtYv4Kd",
        "hf_QwErTyUiOpAsDfGh",
        "AIzaSyD3x4mple0nlyN0tRe4l",
        "r8_Ab3dEf6hIj",
        "a3f19c7be0d24586",
        "A3F19C7BE0D24586A3F19C7BE0D24586",
        "SK_A3F19C7BE0D24586XYZ",
        "box_key",
        "1KEY",
    ],
)
def test_a_key_is_no_name_of_a_variable(typed: str) -> None:
    with pytest.raises(QiaoError, match="environment variable") as refused:
        key_variable(typed)
    assert typed not in str(refused.value)


@pytest.mark.parametrize("typed", ["OPENAI_API_KEY", "KEY2", "_MY_BOX_2024_KEY", "DASHSCOPEINTERNATIONAL_KEY"])
def test_a_name_of_a_variable_is_taken(typed: str) -> None:
    assert key_variable(typed) == typed


@pytest.mark.parametrize(
    "before",
    [
        None,
        "",
        '# mine\ntheme = "paper" # nice',
        '[provider.other] # first\nbase_url = "http://x/v1"\n\n# last\n',
        '[keys]\nrun = "r"\n',
        'provider.other.base_url = "http://x/v1"\r\n',
    ],
)
def test_a_table_is_added_and_all_else_stays_to_the_letter(file: Path, before: str | None) -> None:
    if before is not None:
        file.write_bytes(before.encode())
    add_provider("box", Provider(base_url="http://box:8000/v1", key_env="BOX_KEY"))
    written = file.read_bytes().decode()
    assert written.startswith(before or "")
    expected = tomllib.loads(before or "")
    own = {"base_url": "http://box:8000/v1", "key_env": "BOX_KEY"}
    expected["provider"] = {**expected.get("provider", {}), "box": own}
    assert tomllib.loads(written) == expected
    assert config.load()[0].provider["box"].key_env == "BOX_KEY"


@pytest.mark.parametrize("before", ["theme = ", 'provider = { box = { base_url = "x" } }\n', "provider = 3\n"])
def test_a_file_that_can_not_be_added_to_is_left_alone(file: Path, before: str) -> None:
    file.write_text(before, encoding="utf-8")
    with pytest.raises(Unsaved, match=r"provider\.box can't be written"):
        add_provider("box", BOX)
    assert file.read_text(encoding="utf-8") == before


def test_a_provider_is_not_added_twice(file: Path) -> None:
    add_provider("box", BOX)
    before = file.read_bytes()
    with pytest.raises(Unsaved):
        add_provider("box", BOX)
    assert file.read_bytes() == before
