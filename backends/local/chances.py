"""How likely each written token was, and what might have stood there: the model's own probabilities.

They are those before penalties, temperature and cut-offs. transformers can collect all scores of an answer, but that is
the whole vocabulary for each token, a gigabyte for a long answer; here the last scores are looked at and let go.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any, cast

import torch

from ...workbench.seam import Alternative, Token

LEAST = -9999.0
"""In place of minus infinity, which JSON has no number for; vLLM says the same."""


class Chances:
    """Sees the scores that the model gives, and tells of a chosen token how likely it was.

    Args:
        count: so many likeliest tokens are told with it; 0 tells of the chosen one alone.
        text_of: the text of one token.
    """

    def __init__(self, count: int, text_of: Callable[[int], str]) -> None:
        self._count = count
        self._text_of = text_of
        self._scores: torch.Tensor | None = None

    @contextmanager
    def watching(self, model: Any) -> Generator[None]:
        """While the model decodes."""

        def see(_model: Any, _inputs: Any, output: Any) -> None:
            self._scores = output.logits[0, -1]

        hook = model.register_forward_hook(see)
        try:
            yield
        finally:
            hook.remove()
            self._scores = None

    def of(self, id: int) -> Token | None:
        """The token that was chosen from the last scores; None before there are any."""
        if self._scores is None:
            return None
        logs = torch.log_softmax(self._scores.float(), dim=-1).nan_to_num(nan=LEAST, neginf=LEAST).clamp(min=LEAST)
        chosen = float(logs[id])
        if not self._count:
            return Token(self._text_of(id), chosen)
        best = torch.topk(logs, min(self._count, logs.shape[-1]))
        ids = cast("list[int]", best.indices.tolist())  # pyright: ignore[reportUnknownMemberType]
        values = cast("list[float]", best.values.tolist())  # pyright: ignore[reportUnknownMemberType]
        likeliest = (Alternative(self._text_of(i), log) for i, log in zip(ids, values, strict=True))
        return Token(self._text_of(id), chosen, tuple(likeliest))
