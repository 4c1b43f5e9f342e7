"""Whether a model whose layers fold the past into a state goes on from that state rightly: it is tried out, once.

Linear attention (Qwen3-Next, Qwen3.5, Falcon-H1 …) can be fed a prompt in slices only if each slice begins with the
state that the one before it left. Not every architecture does, nor every version of transformers; one that doesn't
gives wrong answers, and says nothing.
"""

from collections.abc import Callable, Sequence
from itertools import pairwise
from typing import Any

import torch

TOKENS = 24
"""So many are fed in one piece, and again in slices."""
CUTS = (11, 20, 23)
"""Where: slices of 11, 9, 3 and 1 tokens, longer and shorter than the convolutions look back."""

MOST_OFF = {torch.float32: 1e-5}
MOST_OFF_HALF = 0.05
"""How far the scores may be apart, in their standard deviations. Measured on small models in float32: 0.0000002 where
the state is gone on from, 0.003 where nearly. Half precision rounds at 0.01."""


def can_be_sliced(model: Any, make: Callable[[], Any], ids: Sequence[int]) -> bool:
    """Whether a prompt in slices gives the scores that it gives in one piece.

    Args:
        model: a transformers model for causal language modelling.
        make: makes a new cache for it.
        ids: at least TOKENS tokens of a prompt.
    """
    tokens = torch.tensor([list(ids[:TOKENS])], device=model.device)
    whole = _scores(model, tokens, make())
    cache = make()
    sliced = whole
    edges = (0, *CUTS, TOKENS)
    for start, end in pairwise(edges):
        sliced = _scores(model, tokens[:, start:end], cache)
        try:
            if cache.get_seq_length() != end:
                return False
        except ValueError:
            # Without any attention, nothing in the cache tells how many tokens it holds.
            return False
    off = float((sliced - whole).abs().mean() / whole.std().clamp(min=1e-12))
    return off <= MOST_OFF.get(model.dtype, MOST_OFF_HALF)


def _scores(model: Any, tokens: torch.Tensor, cache: Any) -> torch.Tensor:
    scores: torch.Tensor = model(input_ids=tokens, past_key_values=cache, use_cache=True).logits[0, -1]
    return scores.float()
