"""Build hook: an editable install needs a folder that holds `qiao/` with the five packages in it."""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

PACKAGES = ("workbench", "backends", "tui", "cli", "themes")


class LinkPackages(BuildHookInterface):
    """Links the top-level folders into the git-ignored `.dev/qiao/` for an editable build."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        if version != "editable":
            return
        house = Path(self.root) / ".dev" / "qiao"
        house.mkdir(parents=True, exist_ok=True)
        for name in PACKAGES:
            link = house / name
            if not link.is_symlink():
                link.symlink_to(Path("..") / ".." / name, target_is_directory=True)
