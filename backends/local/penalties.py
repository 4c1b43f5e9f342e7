"""Presence and frequency penalties over what has been written so far, as the OpenAI API defines them.

logit[token] -= presence * (1 if count[token] > 0 else 0) + frequency * count[token]
"""

import torch


class Penalties:
    """A logits processor of transformers'. It counts new tokens only, none of the prompt.

    Args:
        prompt_tokens: how many of the tokens are the prompt.
        presence, frequency: -2 to 2; above 0 they keep the model from repeating itself.
    """

    def __init__(self, prompt_tokens: int, presence: float, frequency: float) -> None:
        self._counted = prompt_tokens
        self._presence = presence
        self._frequency = frequency
        self._counts: torch.Tensor | None = None

    def __call__(self, input_ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
        """Scores of shape (1, vocabulary), lowered."""
        if self._counts is None:
            self._counts = torch.zeros_like(scores)
        new = input_ids[:, self._counted :]
        if new.shape[1]:
            self._counts.scatter_add_(1, new, torch.ones_like(new, dtype=scores.dtype))
            self._counted = input_ids.shape[1]
        return scores - self._presence * (self._counts > 0) - self._frequency * self._counts
