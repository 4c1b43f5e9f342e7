"""The models on this machine, as files and the person's configuration together have them."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

import msgspec

from ...workbench.address import STARTER, Address
from ...workbench.errors import Refused
from ...workbench.seam import Kind, Model
from . import discovery, starter
from .describing import Line, describe
from .fit import with_fit
from .hub_talk import Hub
from .manner import AS_IT_IS, Manner
from .precision import Quantize
from .room import RecentRoom


class OneModel(Protocol):
    """The part of the configuration about one model on this machine."""

    @property
    def kind(self) -> Kind | None: ...

    @property
    def quantize(self) -> Quantize | None: ...


class LocalSettings(Protocol):
    """The part of the configuration about models on this machine."""

    @property
    def directories(self) -> Sequence[str | Path]: ...

    @property
    def hub(self) -> Hub: ...

    @property
    def unload_after_minutes(self) -> float | None: ...

    @property
    def model(self) -> Mapping[str, OneModel]: ...


class LocalModels:
    """What can answer on this machine, looked up anew whenever it is asked for. May be asked from any thread."""

    def __init__(self, settings: Callable[[], LocalSettings]) -> None:
        """
        Args:
            settings: as they are now; asked anew each time.
        """
        self._settings = settings
        self._room = RecentRoom()

    def models(self) -> list[Model]:
        """All that are found, the starter first; with what answering takes, and whether it is free now."""
        return [self._completed(model) for model in (starter.model(), *discovery.find(self._directories()))]

    def resolve(self, name: str) -> Path:
        """The directory or GGUF file that `local:NAME` means.

        Raises:
            Refused: there is none, or it can't be used.
        """
        return starter_file() if name == STARTER.name else discovery.resolve(name, self._directories())

    def has(self, name: str) -> bool:
        """Whether `local:NAME` is here and whole."""
        try:
            self.resolve(name)
        except Refused:
            return False
        return True

    def manner(self, name: str) -> Manner:
        """What the configuration says of the model `local:NAME`."""
        said = self._settings().model.get(name)
        return AS_IT_IS if said is None else Manner(said.kind, said.quantize)

    def describe(self, address: Address) -> list[Line]:
        """All that is known of one model, in the person's language; of one that can't be used too.

        Raises:
            Refused: there is no such model.
        """
        models = self.models()
        model = next((model for model in models if model.address == address), None)
        if model is None:
            path = discovery.place(address.name, self._directories())
            listed = (model for model in models if model.path == str(path.absolute()))
            model = next(listed, None) or self._completed(discovery.model_at(address, path))
        return describe(model, self.manner(address.name), self._room())

    def _completed(self, model: Model) -> Model:
        manner = self.manner(model.address.name)
        model = with_fit(model, self._room, manner.quantize)
        return model if manner.kind is None else msgspec.structs.replace(model, kind=manner.kind)

    def _directories(self) -> list[Path]:
        return [Path(directory) for directory in self._settings().directories]


def starter_file() -> Path:
    """The starter's GGUF file.

    Raises:
        Refused: it isn't here yet.
    """
    file = starter.path()
    if file is None:
        raise Refused("models.starter_absent")
    return file
