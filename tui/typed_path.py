"""Paths between a person and the program: as they are typed, and as they are shown."""

from pathlib import Path

from ..workbench.errors import QiaoError
from ..workbench.visible import visible_line


def typed_path(text: str) -> Path:
    """The path that a person typed; `.toml` is added to a name without an ending that no file has.

    Raises:
        QiaoError: it is no path that a file could have.
    """
    text = text.strip()
    try:
        path = Path(text).expanduser()
        if not path.name.strip(".") or "\x00" in text or path.is_dir():
            raise ValueError
        if path.is_file() or path.suffix:
            return path
        return path.with_suffix(".toml")
    except (OSError, RuntimeError, ValueError):
        raise QiaoError("screen.no_path", text=visible_line(text[:80])) from None


def shown_path(path: Path) -> str:
    """Short: from here, or from home. To be shown through `visible_line`."""
    for base, prefix in ((Path.cwd(), ""), (Path.home(), "~/")):
        if path.is_relative_to(base):
            return prefix + str(path.relative_to(base))
    return str(path)
