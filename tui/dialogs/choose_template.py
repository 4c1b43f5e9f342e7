"""Choosing another chat template: the Jinja files around here, filtered as one types; or any path."""

from collections.abc import Hashable, Sequence
from pathlib import Path

from ...workbench import paths
from ...workbench.errors import QiaoError
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..input.typed_path import shown_path
from ..look.inks import Inks
from ..panes.rows import Row
from ..text.wrap import Run
from .filtered import FilteredList

LISTED = 200
"""Files of one folder."""

OWN = Path()
"""Stands for the model's own template."""


class ChooseTemplate(FilteredList[Path]):
    """enter gives what is selected, `OWN` among them; or the path that is typed."""

    def __init__(self, inks: Inks) -> None:
        super().__init__(inks, say("seen.choose_template"))
        self._found = _templates([*filter(None, [paths.here()]), paths.config_dir() / "templates"])

    def listed(self, typed: str) -> Sequence[Row]:
        own = Row((Run(say("seen.own_template")),), (), OWN)
        rows = [
            Row((Run(visible_line(shown_path(path))),), (), path)
            for path in self._found
            if typed.lower() in str(path).lower()
        ]
        if not typed:
            return [own, *rows]
        return rows or [Row((Run(say("seen.typed_path"), "faint"),))]

    def choose(self, key: Hashable | None) -> None:
        typed = self.typed.strip()
        if isinstance(key, Path):
            self.dismiss(key)
            return
        path: Path | None = None
        try:
            path = Path(typed).expanduser()
            found = path.is_file()
        except (OSError, RuntimeError, ValueError):
            found = False
        if path is None or not found:
            error = QiaoError("screen.no_path", text=visible_line(typed[:80]))
            self.app.notify(str(error), severity="error", markup=False)
            return
        self.dismiss(path)


def _templates(folders: list[Path]) -> list[Path]:
    found: list[Path] = []
    for folder in folders:
        try:
            entries = [*folder.glob("*.jinja*"), *folder.glob("*/*.jinja*")]
        except OSError:
            continue
        found += sorted(path for path in entries if path.is_file())[:LISTED]
    return found
