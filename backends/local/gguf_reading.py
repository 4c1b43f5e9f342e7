"""Has transformers read the head of a GGUF file once: left alone it reads it three times, some three seconds each."""

import contextlib
import functools
from collections.abc import Generator
from typing import Any


@contextlib.contextmanager
def read_once() -> Generator[None]:
    """While this is entered, a GGUF file is parsed once, and the table of tensor names made once.

    transformers makes a new reader for the tokenizer, the configuration and the weights, and the table of names for
    each module of the model. Both are replaced by remembering ones; where the packages look different one day, they
    are left as they are. Entered within itself, it does nothing more.

    Raises:
        ImportError: the package `gguf` isn't installed.
    """
    import gguf

    module: Any = gguf
    kept: dict[str, Any] = {name: getattr(module, name, None) for name in ("GGUFReader", "get_tensor_name_map")}
    if any(make is None or hasattr(make, "cache_clear") for make in kept.values()):
        yield
        return
    try:
        for name, make in kept.items():
            setattr(module, name, functools.lru_cache(maxsize=1)(make))
        yield
    finally:
        for name, make in kept.items():
            setattr(module, name, make)
