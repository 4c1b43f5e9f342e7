"""Paths between a person and the program: as they are typed, and as they are shown."""

from pathlib import Path

from ...workbench.errors import QiaoError
from ...workbench.paths import here
from ...workbench.visible import visible_line


def typed_path(text: str) -> Path:
    """The path that a person typed, from the root; `.toml` is added to a name without an ending that no file has.

    Raises:
        QiaoError: it is no path that a file could have, or told from this folder, which has been deleted.
    """
    text = text.strip()
    try:
        path = Path(text).expanduser()
        if not path.name.strip(".") or "\x00" in text or path.is_dir():
            raise ValueError
        if not path.is_file() and not path.suffix:
            path = path.with_suffix(".toml")
        if not path.is_absolute() and here() is None:
            raise QiaoError("document.no_here", file=visible_line(text))
        return path.absolute()
    except (OSError, RuntimeError, ValueError):
        raise QiaoError("screen.no_path", text=visible_line(text[:80])) from None


def shown_path(path: Path) -> str:
    """Short: from here, or from home. To be shown through `visible_line`."""
    for base, prefix in ((here(), ""), (Path.home(), "~/")):
        if base is not None and path.is_relative_to(base):
            return prefix + str(path.relative_to(base))
    return str(path)
