"""Keeps the KV cache between requests, so that only what differs from the last conversation is computed again."""

from collections.abc import Callable, Sequence
from typing import Any

_CROPPABLE = frozenset({"DynamicLayer", "DynamicSlidingWindowLayer"})
"""Layers of a cache that can be fed in slices and cut back. Others (linear attention and the like) fold the past into
one state, which can't be cut back: it is gone on from if nothing has to go, and if the model does that rightly."""

ENOUGH_TO_TRY = 24  # slicing.TOKENS
"""Tokens of a prompt that it takes to find out whether a model does."""


class PrefixCache:
    """The keys and values of the tokens that a model has last seen, and which tokens those are.

    Two mistakes here would be silent, and the answer wrong: a cache of other tokens than the prompt's, and one that is
    as long as the prompt. So tokens are compared, and at least the last one is always left to compute.

    Args:
        make: makes a new transformers cache; None where the model takes none.
        limit_bytes: a larger cache isn't kept.
        can_be_sliced: tells of a prompt's tokens whether a model with folding layers takes them in slices; asked once.
    """

    def __init__(
        self,
        make: Callable[[], Any] | None,
        limit_bytes: int,
        can_be_sliced: Callable[[Sequence[int]], bool] = lambda ids: False,
    ) -> None:
        self._make = make
        self._limit = limit_bytes
        self._can_be_sliced = can_be_sliced
        self._tried = False
        self._cache: Any = None
        self._ids: list[int] = []

    def begin(self, ids: Sequence[int]) -> tuple[Any, int]:
        """The cache to answer a prompt with.

        Args:
            ids: the prompt's tokens.

        Returns:
            The cache, and how many of the prompt's first tokens are in it: fewer than there are. (None, 0) for a model
            whose cache is none of our business.
        """
        if self._make is None:
            return None, 0
        common = min(_common(self._ids, ids), len(ids) - 1)
        if self._cache is None or common <= 0 or not self._crop(common):
            self._cache, self._ids = self._make(), []
            if not self._tried and not self._takes_slices(ids):
                self._cache = None
                return None, 0
        self._ids = list(ids[: len(self._ids)])
        return self._cache, len(self._ids)

    def fed(self, ids: Sequence[int]) -> None:
        """Says which tokens the cache's are, after it was used; it may hold fewer than all of them.

        Args:
            ids: all tokens, from the beginning.
        """
        if self._cache is None:
            return
        self._ids = list(ids[: self._cache.get_seq_length()])
        if self.size_bytes > self._limit:
            self.drop()

    def drop(self) -> None:
        """Gives the memory back. To be called whenever the model broke off: what the cache holds isn't known then."""
        self._cache, self._ids = None, []

    @property
    def size_bytes(self) -> int:
        """What the cache takes now."""
        layers: list[Any] = [] if self._cache is None else self._cache.layers
        tensors = [getattr(layer, name, None) for layer in layers for name in ("keys", "values")]
        for layer in layers:
            for name in ("conv_states", "recurrent_states"):
                tensors += getattr(layer, name, {}).values()
        return sum(tensor.numel() * tensor.element_size() for tensor in tensors if tensor is not None)

    def _takes_slices(self, ids: Sequence[int]) -> bool:
        """Whether the new cache can be fed in slices; found out at the first prompt that is long enough to tell."""
        if not all(type(layer).__name__ in _CROPPABLE for layer in self._cache.layers):
            if len(ids) < ENOUGH_TO_TRY:
                return False
            if not self._can_be_sliced(ids):
                self._make = None
                return False
        self._tried = True
        return True

    def _crop(self, length: int) -> bool:
        """Cuts the cache back to its first `length` tokens; False where it can't be."""
        surplus = len(self._ids) - length
        if surplus:
            try:
                if not getattr(self._cache, "is_croppable", True):
                    return False
                self._cache.crop(-surplus)
            except RuntimeError:
                # A sliding window that has moved on has forgotten what stood before it.
                return False
        self._ids = self._ids[:length]
        return self._cache.get_seq_length() == length


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens the two begin with alike."""
    for index, (a, b) in enumerate(zip(one, other, strict=False)):
        if a != b:
            return index
    return min(len(one), len(other))
