"""What the workbench knows of models: those that were found, where they come from, which were used lately."""

from ...workbench.address import Address
from ...workbench.sampling import Sampling
from ...workbench.seam import Model, Source
from ..keeping.remembered import Remembered, load, save


class KnownModels:
    """At the start, only what the last run remembered."""

    def __init__(self) -> None:
        self.models: list[Model] = []
        self.sources: list[Source] = []
        self.looking = True
        """They are still being looked for, for the first time."""
        self.remembered: Remembered = load()
        self.told: set[tuple[Address, str]] = set()
        """The parameters without effect that were told of, by model."""
        self.defaults: dict[Address, Sampling] = {}
        """What each model is known to use where a sampling is unset, from its last answer."""

    def found(self, models: list[Model], sources: list[Source]) -> bool:
        """Takes in what was found. Returns whether any of it is new."""
        new = models != self.models or sources != self.sources or self.looking
        self.models, self.sources, self.looking = models, sources, False
        return new

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

    def keep(self, remembered: Remembered) -> None:
        """Remembers this from now on; the next run does so too."""
        if remembered != self.remembered:
            self.remembered = remembered
            save(remembered)
