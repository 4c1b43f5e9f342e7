"""Ends a model's thinking when it has taken its budget, by having it write the closing tag."""

from collections.abc import Sequence
from typing import Protocol

import torch


class _Progress(Protocol):
    """How far the answer is."""

    thinking_tokens: int

    @property
    def in_thinking(self) -> bool: ...


class ThinkingBudget:
    """A logits processor of transformers': from the budget on, only the next token of the closing can be chosen.

    Args:
        budget: tokens of thinking, tags included as far as the model wrote them.
        closing: the tokens that end the thinking.
        progress: the answer so far.
    """

    def __init__(self, budget: int, closing: Sequence[int], progress: _Progress) -> None:
        self._budget = budget
        self._closing = list(closing)
        self._progress = progress
        self._left: list[int] | None = None
        """What of the closing is still to be written; None until it has begun."""

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Scores of shape (1, vocabulary): as they are, or with one token left."""
        if self._left is None and self._progress.in_thinking and self._progress.thinking_tokens >= self._budget:
            self._left = list(self._closing)
        if not self._left:
            return scores
        forced = torch.full_like(scores, float("-inf"))
        forced[:, self._left.pop(0)] = 0.0
        return forced
