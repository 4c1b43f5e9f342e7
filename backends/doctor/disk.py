"""Where Qiao and the hubs keep their files: whether there is room, and whether it can be written."""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path

from ...workbench import paths
from ...workbench.visible import visible_line
from ...workbench.words import say
from .accelerators import gigabytes
from .finding import Finding, Value

LITTLE = 5_000_000_000
"""Bytes: less holds no model of more than some two billion parameters."""


def look_at_disk(environ: Mapping[str, str]) -> list[Finding]:
    """Qiao's folders, and the caches that models are fetched into."""
    return [
        folder("config_dir", "doctor.title_config_dir", paths.config_dir(), room=False),
        folder("data_dir", "doctor.title_data_dir", paths.data_dir(), room=False),
        folder("cache_dir", "doctor.title_cache_dir", paths.cache_dir()),
        folder("modelscope_cache", "doctor.title_modelscope", modelscope_cache(environ)),
        folder("hugging_face_cache", "doctor.title_hugging_face", hugging_face_cache(environ)),
    ]


def modelscope_cache(environ: Mapping[str, str]) -> Path:
    """ModelScope's folder."""
    return Path(os.path.expanduser(environ.get("MODELSCOPE_CACHE") or "~/.cache/modelscope"))


def hugging_face_cache(environ: Mapping[str, str]) -> Path:
    """Hugging Face's folder of models."""
    named = environ.get("HF_HUB_CACHE") or environ.get("HUGGINGFACE_HUB_CACHE")
    if named:
        return Path(os.path.expanduser(named))
    home = environ.get("HF_HOME") or os.path.join(environ.get("XDG_CACHE_HOME") or "~/.cache", "huggingface")
    return Path(os.path.expanduser(home)) / "hub"


def folder(name: str, title: str, path: Path, *, room: bool = True) -> Finding:
    """One folder, which may not be there yet: then its nearest parent that is.

    Args:
        title: its words.
        room: whether it is to hold models.
    """
    there = path.absolute()
    while not there.exists() and there != there.parent:
        there = there.parent
    shown = visible_line(os.fsencode(path).decode("utf-8", "replace"))
    values: dict[str, Value] = {"path": shown}
    try:
        free = shutil.disk_usage(there).free
    except OSError as error:
        fact = say("doctor.folder_unreadable", path=shown, reason=error.strerror or type(error).__name__)
        return Finding(name, say(title), "warn", fact, say("doctor.folder_other"), values)
    values["free_bytes"] = free
    fact = say("doctor.folder", path=shown, free=gigabytes(free))
    if not (there.is_dir() and os.access(there, os.W_OK | os.X_OK)):
        return Finding(
            name, say(title), "warn", say("doctor.folder_unwritable", path=shown), say("doctor.folder_other"), values
        )
    if free < (LITTLE if room else LITTLE // 50):
        return Finding(name, say(title), "warn", fact, say("doctor.folder_full"), values)
    return Finding(name, say(title), "ok", fact, values=values)
