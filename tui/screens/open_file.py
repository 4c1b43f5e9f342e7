"""Opening a file: conversations here and those without a name, filtered as one types; or any path."""

from collections.abc import Hashable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

from ...workbench import paths
from ...workbench.errors import QiaoError
from ...workbench.rescuing import rescue_folder
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..inks import Inks
from ..panes.rows import Row
from ..wrap import Run
from .filtered import FilteredList

LISTED = 500
"""Files; more than that is for a library, not a list."""


class Found(NamedTuple):
    """A file that may be a conversation."""

    path: Path
    changed: float
    """Seconds since the epoch."""


class OpenFile(FilteredList[Path]):
    """enter opens what is selected; a path that is typed and isn't listed is opened, or made, as it stands."""

    def __init__(self, inks: Inks) -> None:
        super().__init__(inks, say("screen.open_title"))
        self._found = conversations([Path.cwd(), paths.data_dir() / "untitled", rescue_folder()])

    def listed(self, typed: str) -> Sequence[Row]:
        rows = [
            Row((Run(visible_line(shown_path(found.path))),), (Run(when(found.changed), "muted"),), found.path)
            for found in self._found
            if typed.lower() in str(found.path).lower()
        ]
        return rows or [Row((Run(say("screen.open_none"), "faint"),))]

    def choose(self, key: Hashable | None) -> None:
        try:
            typed = typed_path(self.typed) if self.typed.strip() else None
            is_file = typed is not None and typed.is_file()
        except (OSError, QiaoError) as error:
            self.app.notify(visible_line(str(error)), severity="error", markup=False)
            return
        if typed is not None and (is_file or not isinstance(key, Path)):
            self.dismiss(typed)
        else:
            self.dismiss(key if isinstance(key, Path) else None)


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


def conversations(folders: list[Path]) -> list[Found]:
    """The TOML files of these folders, the latest first."""
    found: list[Found] = []
    for folder in folders:
        try:
            entries = sorted(folder.glob("*.toml"))
        except OSError:
            continue
        for path in entries[:LISTED]:
            if path.name not in ("pyproject.toml", "config.toml"):
                found.append(Found(path, path.stat().st_mtime if path.exists() else 0.0))
    return sorted(found, key=lambda entry: -entry.changed)


def shown_path(path: Path) -> str:
    """Short: from here, or from home."""
    for base, prefix in ((Path.cwd(), ""), (Path.home(), "~/")):
        if path.is_relative_to(base):
            return prefix + str(path.relative_to(base))
    return str(path)


def when(changed: float) -> str:
    """A date, or today's time."""
    moment, today = datetime.fromtimestamp(changed), datetime.now()
    return f"{moment:%H:%M}" if moment.date() == today.date() else f"{moment:%Y-%m-%d}"
