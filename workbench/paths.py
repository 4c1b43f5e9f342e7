"""Where Qiao keeps its own files: the user's config, data, cache and log folders, or all of them in QIAO_HOME."""

import os
from pathlib import Path


def here() -> Path | None:
    """The folder that the program is in; None: it has been deleted."""
    try:
        return Path.cwd()
    except OSError:
        return None


def _folder(kind: str) -> Path:
    home = os.environ.get("QIAO_HOME")
    if home:
        return Path(home).expanduser() / ("" if kind == "config" else kind)
    import platformdirs

    return Path(getattr(platformdirs, f"user_{kind}_dir")("qiao", appauthor=False))


def config_dir() -> Path:
    """Holds `config.toml`, and `themes/` with themes of the user's own."""
    return _folder("config")


def data_dir() -> Path:
    """Holds untitled conversations."""
    return _folder("data")


def cache_dir() -> Path:
    """Holds the starter model; all of it can be fetched again."""
    return _folder("cache")


def log_dir() -> Path:
    """Holds what libraries print."""
    return _folder("log")
