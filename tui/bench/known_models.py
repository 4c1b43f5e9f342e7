"""What the workbench knows of models: those that were found, where they come from, which were used lately."""

from ...workbench.address import Address
from ...workbench.sampling import Sampling
from ...workbench.seam import Model, Source
from ..keeping.remembered import Remembered, load, save


class KnownModels:
    """Holds what is known. Whoever inherits it begins with `know_nothing`."""

    models: list[Model]
    sources: list[Source]
    looking: bool
    """They are still being looked for, for the first time."""
    remembered: Remembered
    told: set[tuple[Address, str]]
    """The parameters without effect that were told of, by model."""
    defaults: dict[Address, Sampling]
    """What each model is known to use where a sampling is unset, from its last answer."""

    def know_nothing(self) -> None:
        """At the start: only what the last run remembered."""
        self.models, self.sources, self.looking = [], [], True
        self.remembered = load()
        self.told, self.defaults = set(), {}

    def source(self, provider: str) -> Source | None:
        """Where these models come from."""
        return next((source for source in self.sources if source.provider == provider), None)

    def model(self, address: Address) -> Model | None:
        """What is known of this model."""
        return next((model for model in self.models if model.address == address), None)

    def is_unknown(self, provider: str) -> bool:
        """Whether it is a provider none of whose models are known."""
        source = self.source(provider)
        known = any(model.address.provider == provider for model in self.models)
        return source is not None and source.base_url is not None and not known

    def remember(self, address: Address) -> None:
        """This model is the one used last."""
        kept = self.remembered.used(address)
        if kept != self.remembered:
            self.remembered = kept
            save(kept)
