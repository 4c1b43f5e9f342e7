"""Tokens counted by a model's own tokenizer, in a process of its own."""

import os
import signal
import struct
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from qiao.backends.local import counting, counting_child
from qiao.backends.local.counting import TokenCounter
from qiao.backends.local.counting_child import Ask, count
from qiao.backends.local.tokenizer import Tokenizer as WithTransformers
from qiao.workbench.address import Address
from qiao.workbench.seam import Request, Turn

from .model_files import gguf_string, write_gguf

TEXTS = [
    "Hi there, 12345 worlds!\n\n  x",
    "你好，世界。推敲推敲。",
    "It's  we'll\t\tdo\n",
    "<|im_start|>user\nHi<|im_end|>",
    "a < b > c <notatoken>",
    "",
]


def request(*texts: str) -> Request:
    return Request(Address("local", "m"), tuple(Turn("user", text) for text in texts))


@pytest.fixture
def counter() -> Iterator[TokenCounter]:
    made = TokenCounter()
    yield made
    made.close()


@pytest.fixture(scope="module")
def fed(starter: Path) -> WithTransformers:
    """What the starter's own engine makes tokens with."""
    return WithTransformers(starter)


def test_the_starters_tokens_are_those_that_it_is_fed(starter: Path, fed: WithTransformers) -> None:
    assert count(Ask(str(starter), TEXTS)) == [len(fed.encode(text)) for text in TEXTS]


def write_vocabulary(file: Path, pre: str) -> Path:
    """A GGUF file with a vocabulary of bytes, and two merges."""
    letters = [*sorted(pre_tokenizers.ByteLevel.alphabet()), "ab", "11", "<|end|>"]
    lists = [("tokenizer.ggml.tokens", letters), ("tokenizer.ggml.merges", ["a b", "1 1"])]
    pairs = [
        gguf_string(key) + struct.pack("<IIQ", 9, 8, len(items)) + b"".join(map(gguf_string, items))
        for key, items in lists
    ]
    for key, value in (("tokenizer.ggml.model", "gpt2"), ("tokenizer.ggml.pre", pre)):
        pairs.append(gguf_string(key) + struct.pack("<I", 8) + gguf_string(value))
    file.write_bytes(struct.pack("<4sIQQ", b"GGUF", 3, 0, len(pairs)) + b"".join(pairs))
    return file


@pytest.mark.parametrize(("pre", "tokens"), [("smollm", 2), ("llama-bpe", 3), ("qwen2", 4)])
def test_a_gguf_file_says_how_digits_are_parted(tmp_path: Path, pre: str, tokens: int) -> None:
    file = write_vocabulary(tmp_path / "m.gguf", pre)
    assert count(Ask(str(file), ["1111", "ab<|end|>"])) == [tokens, 2]


def test_a_folders_tokenizer_is_read_anew_when_it_changes(tmp_path: Path, counter: TokenCounter) -> None:
    for size in (1, 2):
        vocabulary = {"a": 0, "b": 1, "ab": 2} if size == 1 else {"a": 0, "b": 1}
        merges = [("a", "b")] if size == 1 else []
        Tokenizer(models.BPE(vocabulary, merges)).save(str(tmp_path / "tokenizer.json"))
        told = counter.count(tmp_path, request("ab"), is_base=True)
        assert told is not None
        assert told.last == size


def test_nobody_knows_where_there_is_no_tokenizer_of_a_known_kind(tmp_path: Path, counter: TokenCounter) -> None:
    folder = tmp_path / "none"
    folder.mkdir()
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "tokenizer.json").write_text("{}")
    unknown = [write_gguf(tmp_path / "spm.gguf"), write_vocabulary(tmp_path / "m.gguf", "of-tomorrow")]
    for path in (folder, broken, *unknown, tmp_path / "absent"):
        assert counter.count(path, request("a"), is_base=False) is None


def test_the_prompt_is_the_texts_and_about_what_stands_around(
    starter: Path, counter: TokenCounter, fed: WithTransformers
) -> None:
    texts = ("Be brief.", "Capital of France?")
    told = counter.count(starter, request(*texts), is_base=False)
    assert told is not None
    whole = fed.chat([Turn("user", text) for text in texts])
    # Its template puts a system message of its own above these.
    assert told.whole == pytest.approx(len(fed.encode(whole)), abs=25)
    assert (told.last, told.last_is_exact, told.whole_is_exact) == (4, True, False)
    lone = counter.count(starter, request("a\ud800"), is_base=True)
    assert lone is not None
    assert lone.last > 1


def test_a_process_that_died_is_started_again_and_close_ends_it(starter: Path, counter: TokenCounter) -> None:
    assert counter.count(starter, request("a"), is_base=True)
    process = counter._process
    assert process is not None
    process.kill()
    process.wait()
    assert counter.count(starter, request("a"), is_base=True)
    second = counter._process
    assert second is not None
    counter.close()
    assert second.poll() is not None
    began = time.monotonic()
    assert counter.count(starter, request("b"), is_base=True) is None
    assert time.monotonic() - began < 10


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """One with a tokenizer of two letters."""
    Tokenizer(models.BPE({"a": 0, "b": 1}, [])).save(str(tmp_path / "tokenizer.json"))
    return tmp_path


def test_one_that_stands_still_is_given_up(
    folder: Path, counter: TokenCounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert counter.count(folder, request("a"), is_base=True)
    process = counter._process
    assert process is not None
    os.kill(process.pid, signal.SIGSTOP)
    monkeypatch.setattr(counting, "PATIENCE_S", 0.2)
    monkeypatch.setattr(counting, "PATIENCE_S_A_MB", 0.2)
    # More than a pipe takes at once.
    assert counter.count(folder, request("b" * 1_000_000), is_base=True) is None
    assert process.poll() is not None
    monkeypatch.undo()
    assert counter.count(folder, request("b"), is_base=True)


LINGERING = """#!{python}
import os, sys, time

for line in sys.stdin:
    if "deadly" in line:
        os.close(1)
        time.sleep(60)
    print('{{"counts": [7]}}', flush=True)
"""
"""A process that an input kills, and that takes its time to be gone."""


def test_an_input_that_kills_it_costs_the_next_nothing(
    tmp_path: Path, counter: TokenCounter, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = tmp_path / "lingering"
    program.write_text(LINGERING.format(python=sys.executable))
    program.chmod(0o700)
    monkeypatch.setattr(sys, "executable", str(program))
    assert counter.count(tmp_path, request("deadly"), is_base=True) is None
    told = counter.count(tmp_path, request("a"), is_base=True)
    assert told is not None
    assert told.last == 7


def test_a_panic_of_the_package_is_no_end(monkeypatch: pytest.MonkeyPatch, folder: Path) -> None:
    class Panic(BaseException):
        """As pyo3's: no `Exception`."""

    def panic(path: str, stamp: tuple[int, int]) -> None:
        raise Panic

    monkeypatch.setattr(counting_child, "_tokenizer", panic)
    assert count(Ask(str(folder), ["a"])) is None
