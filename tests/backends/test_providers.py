"""Providers are data: what comes with Qiao, and the person's own laid over it."""

import tomllib
from pathlib import Path

import pytest

from qiao.backends import providers as module
from qiao.backends.providers import built_in, is_near, providers
from qiao.workbench import words
from qiao.workbench.config import Provider as Own
from qiao.workbench.sampling import NAMES
from qiao.workbench.seam import FailureKind


def test_what_comes_with_qiao_is_complete() -> None:
    assert {"vllm", "ollama", "bailian", "siliconflow", "modelscope", "deepseek", "openai"} <= set(built_in())
    for name, provider in built_in().items():
        assert provider.name == name
        assert set(provider.title) == set(words.LANGUAGES), name
        assert provider.base_url.startswith(("https://", "http://127.0.0.1:")), name
        assert provider.problem is None
        assert provider.key_env, name
        assert set(provider.takes or ()) <= set(NAMES), name
        for parameter in (*provider.ranges, *provider.only, *provider.renames, *provider.not_while_thinking):
            assert parameter in NAMES, (name, parameter)
        assert set(provider.failures.values()) <= set(FailureKind.__args__), name


def test_a_mistake_in_the_data_is_found() -> None:
    """No key of the file is passed over in silence."""
    table = tomllib.loads((Path(module.__file__).parent / "providers.toml").read_text(encoding="utf-8"))
    assert list(table) == list(built_in())


def test_the_persons_own_stand_first_and_are_like_vllm() -> None:
    known = providers({"mybox": Own("http://127.0.0.1:8000/v1/", "MYBOX_API_KEY", 5)})
    assert next(iter(known)) == "mybox"
    mine = known["mybox"]
    assert (mine.base_url, mine.key_env, mine.stall_seconds) == ("http://127.0.0.1:8000/v1", ("MYBOX_API_KEY",), 5)
    assert mine.needs_key
    assert mine.thinking == built_in()["vllm"].thinking
    assert mine.shown == "mybox"
    assert not providers({"mybox": Own("http://127.0.0.1:8000/v1")})["mybox"].needs_key


def test_a_provider_can_be_like_another() -> None:
    mine = providers({"second": Own("https://api.example.com/v1", like="bailian", first_seconds=7)})["second"]
    assert mine.thinking == built_in()["bailian"].thinking
    assert mine.first_seconds == 7
    assert mine.key_env == ()


def test_a_built_in_one_can_be_changed_in_part() -> None:
    mine = providers({"deepseek": Own(stall_seconds=9, completion=("x",))})["deepseek"]
    assert (mine.stall_seconds, mine.completion) == (9, ("x",))
    assert mine.base_url == built_in()["deepseek"].base_url
    assert mine.key_env == built_in()["deepseek"].key_env
    assert mine.needs_key


@pytest.mark.parametrize(
    ("own", "url"),
    [
        (Own(region="singapore"), "https://dashscope-intl.aliyuncs.com/compatible-mode/v1"),
        (Own(workspace="ws-1"), "https://ws-1.cn-beijing.maas.aliyuncs.com/compatible-mode/v1"),
        (Own(region="tokyo", workspace="ws-1"), "https://ws-1.ap-northeast-1.maas.aliyuncs.com/compatible-mode/v1"),
        (Own("https://mine.example.com/v1", region="tokyo"), "https://mine.example.com/v1"),
    ],
)
def test_a_region_and_a_workspace_are_addresses(own: Own, url: str) -> None:
    mine = providers({"bailian": own})["bailian"]
    assert (mine.base_url, mine.problem) == (url, None)


@pytest.mark.parametrize(
    ("name", "own", "said"),
    [
        ("mybox", Own(), "has no base_url"),
        ("mybox", Own("127.0.0.1:8000"), "no address of a server"),
        ("mybox", Own("http://127.0.0.1:99999/v1"), "no address of a server"),
        ("mybox", Own("http://127.0.0.1:8000/v1", like="gemini"), "no ways like “gemini”"),
        ("bailian", Own(region="mars"), "no region “mars”"),
        ("bailian", Own(region="tokyo"), "needs workspace"),
        ("siliconflow", Own(region="china", workspace="x"), "Leave workspace out"),
    ],
)
def test_what_is_wrong_is_told_and_not_fatal(name: str, own: Own, said: str) -> None:
    problem = providers({name: own})[name].problem
    assert problem is not None
    assert said in problem


def test_nobody_can_be_called_local() -> None:
    assert "local" not in providers({"local": Own("http://127.0.0.1:8000/v1")})


@pytest.mark.parametrize(
    ("url", "near"),
    [
        ("http://127.0.0.1:8000/v1", True),
        ("http://localhost:8000/v1", True),
        ("http://[::1]:8000/v1", True),
        ("http://192.168.1.5/v1", True),
        ("http://10.0.0.7:8000/v1", True),
        ("http://gpubox:8000/v1", True),
        ("https://api.openai.com/v1", False),
        ("https://8.8.8.8/v1", False),
        ("nonsense", False),
    ],
)
def test_what_is_near_is_told_by_its_address(url: str, near: bool) -> None:
    assert is_near(url) is near
