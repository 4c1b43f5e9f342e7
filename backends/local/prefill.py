"""Feeds a prompt to the model in slices of about a quarter of a second, so that it can be stopped and watched."""

import inspect
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch

from .threads import Threads

SLICE_S = 0.25
"""Shorter slices would be of no use: the parent tells of a stop at once, and the computing has a second to end. And
they cost: 1,536 tokens took 2.0 s in one piece, 2.5 s in slices of 128 tokens (0.2 s), 3.3 s in slices of 64."""

SMALLEST, LARGEST = 32, 8192
"""Tokens in a slice. Smaller ones cost more than they are worth."""


class Prefill:
    """Prefills one model's prompts; learns how many tokens it takes in SLICE_S.

    A slice is a power of two, and changes only when it is off by far: in half precision another slicing gives
    slightly other numbers, and the same seed should give the same text.

    Args:
        model: a transformers model for causal language modelling.
        threads: chooses how many the CPU computes with; None on a GPU.
    """

    def __init__(self, model: Any, threads: Threads | None) -> None:
        self._model = model
        self._threads = threads
        self._on_gpu = model.device.type != "cpu"
        self._slice = 512 if self._on_gpu else 2 * SMALLEST
        # Without this, a slice would compute what nobody asks for: the scores of all its tokens.
        takes = inspect.signature(model.forward).parameters
        self._options: dict[str, Any] = {"logits_to_keep": 1} if "logits_to_keep" in takes else {}

    def feed(
        self, cache: Any, ids: Sequence[int], begun: int, stopped: threading.Event, on_slice: Callable[[int], None]
    ) -> int:
        """Feeds all tokens but the last, which is left for decoding to begin with.

        Args:
            cache: a transformers cache that holds the first `begun` tokens.
            ids: the prompt.
            stopped: looked at before each slice.
            on_slice: told after each slice how many tokens are done.

        Returns:
            How many of the prompt's tokens the cache holds.
        """
        done, end = begun, len(ids) - 1
        if self._threads is not None:
            self._threads.begin()
        while done < end and not stopped.is_set():
            size = min(self._slice, end - done)
            slice_ids = torch.tensor([ids[done : done + size]], device=self._model.device)
            started = time.perf_counter()
            self._model(input_ids=slice_ids, past_key_values=cache, use_cache=True, **self._options)
            if self._on_gpu:
                torch.accelerator.synchronize()
            done += size
            self._learn(size, time.perf_counter() - started)
            on_slice(done)
        return done

    def _learn(self, size: int, seconds: float) -> None:
        if self._threads is not None and size >= SMALLEST:
            self._threads.step(seconds / size)
        if size == self._slice and seconds * 2 < SLICE_S * 1.3:
            self._slice = min(self._slice * 2, LARGEST)
        elif seconds > SLICE_S * 2:
            self._slice = max(self._slice // 2, SMALLEST)
