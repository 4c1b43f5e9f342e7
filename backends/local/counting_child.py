"""The process that counts tokens: `python -m qiao.backends.local.counting_child`.

It loads a model's tokenizer and nothing else: no weights, no transformers. Requests come in on stdin and replies go out
on stdout, a line of JSON each. It ends when stdin does, or when nothing has been asked for a while.
"""

import os
import re
import signal
import sys
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from . import gguf_header

if TYPE_CHECKING:
    from tokenizers import Tokenizer

IDLE_SECONDS = 300
"""So long unasked, it gives its memory back."""


class Ask(msgspec.Struct, frozen=True):
    """How many tokens are these texts, for the model at this path?"""

    path: str
    texts: list[str]


class Reply(msgspec.Struct, frozen=True):
    """The numbers; None: this model's tokenizer isn't one that can be had here."""

    counts: list[int] | None


_LLAMA_3 = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
_SPLITS: dict[str, str | None] = {
    "gpt-2": None,
    "smollm": None,
    "llama-bpe": _LLAMA_3,
    "qwen2": _LLAMA_3.replace("{1,3}", ""),
}
"""How GGUF's `tokenizer.ggml.pre` parts a text before it is tokenized; None: as GPT-2 did."""

_SPECIAL = re.compile(r"<[^\s<>]*[^\W\d][^\s<>]*>")
"""No token of letters and brackets together is learnt from text."""


@lru_cache(maxsize=1)
def _tokenizer(path: str, stamp: tuple[int, int]) -> "Tokenizer | None":
    """The tokenizer of a directory with a `tokenizer.json`, or of a GGUF file with one of the usual kinds.

    Raises:
        Exception: whatever the package finds wrong.
    """
    from tokenizers import Tokenizer

    file = _file(Path(path))
    return _of_gguf(file) if file.name != "tokenizer.json" else Tokenizer.from_file(str(file))


def _file(path: Path) -> Path:
    return path if path.is_file() else path / "tokenizer.json"


def _of_gguf(file: Path) -> "Tokenizer | None":
    from tokenizers import Regex, Tokenizer, models, pre_tokenizers

    tokens_key, merges_key = "tokenizer.ggml.tokens", "tokenizer.ggml.merges"
    head = gguf_header.read(file, keep=(tokens_key, merges_key))
    kind = head.text("tokenizer.ggml.pre")
    tokens, merges = head.lists.get(tokens_key), head.lists.get(merges_key)
    if head.text("tokenizer.ggml.model") != "gpt2" or kind not in _SPLITS or not tokens or not merges:
        return None
    pairs = [(left, right) for left, _, right in (merge.partition(" ") for merge in merges)]
    tokenizer: Any = Tokenizer(models.BPE({token: id for id, token in enumerate(tokens)}, pairs))
    split, modules = _SPLITS[kind], pre_tokenizers
    bytes_: Any = modules.ByteLevel(add_prefix_space=False, use_regex=split is None)
    if split is not None:
        bytes_ = modules.Sequence([modules.Split(Regex(split), "isolated"), bytes_])
    tokenizer.pre_tokenizer = bytes_
    tokenizer.add_special_tokens([token for token in tokens if _SPECIAL.fullmatch(token)])
    return tokenizer


def count(ask: Ask) -> list[int] | None:
    """How many tokens each text is, special ones written out among them; None where nobody can tell."""
    try:
        stat = _file(Path(ask.path)).stat()
        tokenizer = _tokenizer(ask.path, (stat.st_mtime_ns, stat.st_size))
        if tokenizer is None:
            return None
        return [len(tokenizer.encode(text, add_special_tokens=False)) for text in ask.texts]
    except (KeyboardInterrupt, SystemExit):
        raise
    # The package raises bare exceptions, when it panics one that is no `Exception`; and a file may be anything.
    except BaseException:  # noqa: BLE001
        return None


def main() -> None:
    """Takes the standard streams over, and answers."""
    # Whoever types has the processor first.
    os.nice(10)
    replies = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    for line in sys.stdin.buffer:
        signal.alarm(0)
        replies.write(msgspec.json.encode(Reply(count(msgspec.json.decode(line, type=Ask)))) + b"\n")
        replies.flush()
        signal.alarm(IDLE_SECONDS)


if __name__ == "__main__":
    main()
