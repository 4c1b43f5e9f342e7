"""Turns the progress bars that transformers draws while it loads into numbers."""

from collections.abc import Callable, Iterable, Iterator
from typing import Any

OnProgress = Callable[[int, int], None]
"""Told how many tensors of how many are loaded."""


class LoadProgress:
    """While entered, transformers' progress bars go to `on_progress`, and none is drawn.

    Args:
        bars: how many bars follow each other, each over as many tensors: a GGUF file is unpacked first.
    """

    def __init__(self, on_progress: OnProgress, bars: int) -> None:
        self._on_progress = on_progress
        self._bars = bars
        self._before = 0
        self._undo: list[Callable[[], object]] = []

    def __enter__(self) -> None:
        from transformers.utils import logging

        logging.disable_progress_bar()
        set_hook: Any = getattr(logging, "set_tqdm_hook", None)
        if set_hook is not None:

            def hook(_make: object, args: tuple[Any, ...], kwargs: dict[str, Any]) -> "_Bar":
                return self._bar(*args, **kwargs)

            previous = set_hook(hook)
            self._undo.append(lambda: set_hook(previous))
        if self._bars > 1:
            # This one bar goes round transformers' own hook. Private: where it is gone, there is no progress.
            from transformers import modeling_gguf_pytorch_utils as module

            gguf: Any = module
            original = getattr(gguf, "tqdm", None)
            if original is not None:
                gguf.tqdm = self._bar
                self._undo.append(lambda: setattr(gguf, "tqdm", original))

    def __exit__(self, *_: object) -> None:
        while self._undo:
            self._undo.pop()()

    def _bar(self, items: Iterable[Any] | None = None, *_: Any, **__: Any) -> "_Bar":
        counted: list[Any] = list(items or ())
        begun, self._before = self._before, self._before + len(counted)
        total = max(len(counted) * self._bars, self._before) if begun == 0 else self._before
        return _Bar(counted, lambda done: self._on_progress(begun + done, total))


class _Bar:
    """Stands in for a tqdm bar that is iterated."""

    def __init__(self, items: list[Any], on_step: Callable[[int], None]) -> None:
        self._items = items
        self._on_step = on_step

    def __iter__(self) -> Iterator[Any]:
        for done, item in enumerate(self._items, start=1):
            yield item
            self._on_step(done)

    def __len__(self) -> int:
        return len(self._items)

    def __enter__(self) -> "_Bar":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def __getattr__(self, name: str) -> Callable[..., None]:
        """Whatever else a bar can be told: its text, its step, its end."""
        if name.startswith("__"):
            raise AttributeError(name)
        return lambda *_, **__: None
