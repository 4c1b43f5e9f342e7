"""What is copied as a command or a program does ask the same: each is run."""

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from qiao.backends.local import starter
from qiao.backends.providers import built_in
from qiao.backends.registry import Backends
from qiao.backends.snippets import local, remote
from qiao.workbench.address import STARTER, Address
from qiao.workbench.config import Config
from qiao.workbench.errors import Refused
from qiao.workbench.sampling import Sampling
from qiao.workbench.seam import Request, Turn

from ..remote.misbehaving import Server, says

HOSTILE = 'It\'s "$(touch x)" `y` \\n\nJSON\n\'\'\'""" 你好'
REQUEST = Request(
    Address("bailian", "qwen-plus"),
    (Turn("system", "Be brief."), Turn("user", HOSTILE)),
    Sampling(temperature=0.5, top_k=20, thinking=False, seed=7, max_tokens=64, stop=("END",)),
)


def run(program: list[str], text: str, cwd: Path, **variables: str) -> str:
    done = subprocess.run(
        [*program], input=text, text=True, capture_output=True, cwd=cwd, env={**os.environ, **variables}, timeout=280
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize(("language", "program"), [("curl", ["bash"]), ("python", [sys.executable, "-"])])
def test_a_server_is_asked_the_same(language: str, program: list[str], tmp_path: Path) -> None:
    with Server() as server:
        server.then(says("Par", "is"))
        provider = msgspec.structs.replace(built_in()["bailian"], base_url=server.url)
        made = remote.curl(provider, REQUEST) if language == "curl" else remote.python(provider, REQUEST)
        assert "secret" not in made
        out = run(program, made, tmp_path, DASHSCOPE_API_KEY="secret", NO_PROXY="*", no_proxy="*")
        (received,) = server.received
    assert received.headers["authorization"] == "Bearer secret"
    body = received.body
    assert [(m["role"], m["content"]) for m in body["messages"]] == [("system", "Be brief."), ("user", HOSTILE)]
    expected = {"model": "qwen-plus", "temperature": 0.5, "top_k": 20, "enable_thinking": False, "seed": 7}
    assert expected.items() <= body.items()
    assert (body["max_tokens"], body["stop"], body["stream"]) == (64, ["END"], True)
    assert list(tmp_path.iterdir()) == []
    assert "Par" in out
    assert out == "Paris\n" or language == "curl"


def test_the_real_starter_is_asked_the_same(starter_home: Path, tmp_path: Path) -> None:
    path = starter.path()
    assert path is not None
    sampling = Sampling(temperature=0, max_tokens=16, seed=1)
    request = Request(STARTER, (Turn("user", "What is the capital of France?"),), sampling)
    program = Backends(Config()).snippet(request, "python")
    assert program == local.python(request, path, "instruct")
    out = run([sys.executable, "-"], program, tmp_path, HF_HUB_OFFLINE="1", OMP_NUM_THREADS="1")
    assert "The capital of France is Paris." in out


def test_a_base_model_gets_the_bare_text(tmp_path: Path) -> None:
    request = Request(Address("local", "x"), (Turn("user", "Once upon"),), Sampling(temperature=0.7, top_p=0.9))
    program = local.python(request, tmp_path, "base")
    assert "tokenizer('Once upon', return_tensors" in program
    assert "apply_chat_template" not in program
    compile(program, "snippet", "exec")


def test_there_is_no_curl_for_a_model_in_this_program() -> None:
    request = Request(STARTER, (Turn("user", "Hi"),))
    with pytest.raises(Refused):
        Backends(Config()).snippet(request, "curl")


def test_json_ends_no_shell_document_early() -> None:
    made = remote.curl(built_in()["bailian"], REQUEST)
    inside = made.split("<<'JSON'\n")[1].rsplit("\nJSON\n", 1)[0]
    assert json.loads(inside)["messages"][1]["content"] == HOSTILE
    assert "\nJSON\n" not in inside


def test_another_template_and_tools_come_along(tmp_path: Path) -> None:
    extra = {"chat_template": "{{ messages }}", "tools": [{"type": "function"}]}
    request = Request(Address("local", "x"), (Turn("user", "Hi"),), Sampling(extra=extra))
    program = local.python(request, tmp_path, "instruct")
    compile(program, "program", "exec")
    assert "chat_template='{{ messages }}'," in program
    assert "tools=[{'type': 'function'}]," in program
