"""What every test gets: a home of its own, so that nothing of the developer's machine is read or written."""

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from qiao.backends.local import starter as starter_model
from qiao.workbench import words

_FOREIGN = ("HF_", "HUGGINGFACE_", "MODELSCOPE_", "TRANSFORMERS_", "QIAO_")
_LANGUAGE = ("LC_ALL", "LC_MESSAGES", "LANGUAGE")
_SIZE = ("COLUMNS", "LINES")
"""Of another terminal than the one that a program is given."""
_KEPT = os.environ.get("QIAO_TEST_CACHE")


MODELS = (
    *("tests/backends/local/", "tests/backends/snippets/", "tests/backends/vllm/", "tests/backends/test_registry.py"),
    *("tests/cli/test_command.py", "tests/cli/test_show.py", "tests/tui/test_terminal.py"),
)
"""Where tests load real models, each of which takes all processors: they run one after the other."""


class _InTwo(LoadScopeScheduling):
    """Where several processes run the tests: those of a file stay together, and all that load models do."""

    def _split_scope(self, nodeid: str) -> str:
        return "models" if nodeid.startswith(MODELS) else nodeid.partition("::")[0]


# On a busy machine an example may take any time.
settings.register_profile("patient", settings.get_profile(settings.get_current_profile_name()), deadline=None)
settings.load_profile("patient")


def pytest_configure() -> None:
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        # As whatever is started behind a shell's `&` is: the programs under test would inherit it, and take no ctrl+c.
        signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> _InTwo:
    return _InTwo(config, log)


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """This test's QIAO_HOME, empty; the hubs' caches point beside it, and words are English."""
    for name in list(os.environ):
        if name.startswith(_FOREIGN) or name in (*_LANGUAGE, *_SIZE):
            monkeypatch.delenv(name)
    own = tmp_path / "qiao-home"
    monkeypatch.setenv("QIAO_HOME", str(own))
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hugging-face"))
    monkeypatch.setenv("MODELSCOPE_CACHE", str(tmp_path / "modelscope"))
    monkeypatch.setenv("LANG", "C.UTF-8")
    words.choose("en")
    yield own
    words.choose("en")


@pytest.fixture(scope="session")
def starter(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The starter model's GGUF file, fetched once a session as a person's would be.

    QIAO_TEST_CACHE, if set, names a folder that it is kept in from session to session.
    """
    session_home = tmp_path_factory.mktemp("starter-home")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("QIAO_HOME", str(session_home))
        if _KEPT:
            Path(_KEPT).mkdir(parents=True, exist_ok=True)
            (session_home / "cache").symlink_to(Path(_KEPT).absolute(), target_is_directory=True)
        for _ in starter_model.fetch(threading.Event()):
            pass
        file = starter_model.path()
    assert file is not None
    return file


@pytest.fixture
def starter_home(home: Path, starter: Path) -> Path:
    """This test's QIAO_HOME, with the starter model in its cache."""
    place = starter_model.folder() / starter_model.FILE
    place.parent.mkdir(parents=True)
    try:
        os.link(starter, place)
    except OSError:
        place.symlink_to(starter)
    return home
