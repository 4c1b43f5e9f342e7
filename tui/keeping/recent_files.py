"""The files that were opened lately, from one run to the next."""

import contextlib
import os
import time
from pathlib import Path

import msgspec

from ...workbench import paths
from ...workbench.errors import QiaoError
from ...workbench.saving import digest_of, write

KEPT = 100


def load() -> dict[str, float]:
    """Absolute paths, and when each was opened last (seconds since the epoch); nothing if that can't be read."""
    try:
        return msgspec.json.decode(_file().read_bytes(), type=dict[str, float])
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return {}


def add(*files: Path) -> None:
    """These were opened now. Where nothing can be written, nothing is remembered: it is a convenience."""
    if not files:
        return
    now = time.time()
    known = {**load(), **{os.path.abspath(path): now for path in files}}
    latest = sorted(known.items(), key=lambda item: -item[1])[:KEPT]
    file = _file()
    with contextlib.suppress(OSError, QiaoError, UnicodeEncodeError):
        file.parent.mkdir(parents=True, exist_ok=True)
        expected = digest_of(file.read_bytes()) if file.exists() else None
        write(file, msgspec.json.encode(dict(latest)), expected)


def _file() -> Path:
    return paths.data_dir() / "recent.json"
