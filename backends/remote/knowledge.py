"""What is learned about a provider's models while they answer."""

from fnmatch import fnmatchcase

from ...workbench.seam import Mode
from ..providers import Provider

_OPENS = ("*deepseek-r1*", "*qwq*", "*-thinking*", "*reasoner*")
"""Models, lower-cased, whose chat template ends with the opening tag of their thinking."""


class Knowledge:
    """Which models are base models, and which begin inside their thinking."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._bases: set[str] = set()
        self._inside: set[str] = set()
        self.counts = True
        """Whether the server can be asked to count the tokens of a stream."""

    def mode(self, model: str) -> Mode:
        """How this model is asked."""
        configured = any(fnmatchcase(model, pattern) for pattern in self._provider.completion)
        return "completion" if configured or model in self._bases else "chat"

    def is_base(self, model: str) -> None:
        """The model turned out to have no chat template."""
        self._bases.add(model)

    @property
    def thinks_inline(self) -> bool:
        """Whether thinking may stand in the answer's own text."""
        return self._provider.thinking is not None and self._provider.thinking.inline

    def begins_inside(self, model: str) -> None:
        """The model closed a thinking that it hadn't opened."""
        self._inside.add(model)

    def opens(self, model: str, thinking: bool | None) -> bool:
        """Whether the model most likely begins inside its thinking.

        Args:
            thinking: as the request switches it.
        """
        if thinking is False:
            return False
        return thinking is True or model in self._inside or any(fnmatchcase(model.lower(), p) for p in _OPENS)
