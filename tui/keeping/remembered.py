"""What the screen remembers from one run to the next: models used lately, which parts of the picker are folded."""

import contextlib
from collections.abc import Mapping
from pathlib import Path

import msgspec

from ...workbench import paths
from ...workbench.address import Address
from ...workbench.errors import QiaoError
from ...workbench.saving import digest_of, write

NAME = "picker.json"
KEPT = 8
"""Models; who uses more of them in turn finds them by the filter."""


class Remembered(msgspec.Struct, frozen=True):
    """A value: what changes is a new one."""

    recent: tuple[str, ...] = ()
    """Addresses, the latest first."""
    folded: Mapping[str, bool] = {}
    """By provider, where a person has folded or unfolded its part."""
    toured: bool = False
    """The tour of the first start was shown."""

    def used(self, address: Address) -> "Remembered":
        """With this model as the latest."""
        name = str(address)
        others = [other for other in self.recent if other != name]
        return msgspec.structs.replace(self, recent=(name, *others)[:KEPT])

    def with_fold(self, provider: str, folded: bool) -> "Remembered":
        """With this part folded, or open."""
        return msgspec.structs.replace(self, folded={**self.folded, provider: folded})


def load() -> Remembered:
    """What the last run left; nothing, if that can't be read: it is a convenience."""
    try:
        return msgspec.json.decode(_file().read_bytes(), type=Remembered)
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        return Remembered()


def save(remembered: Remembered) -> None:
    """Keeps it for the next run. Of two programs at once the last one counts; where nothing can be written, none."""
    file = _file()
    with contextlib.suppress(OSError, QiaoError):
        file.parent.mkdir(parents=True, exist_ok=True)
        expected = digest_of(file.read_bytes()) if file.exists() else None
        write(file, msgspec.json.encode(remembered), expected)


def _file() -> Path:
    return paths.data_dir() / NAME
