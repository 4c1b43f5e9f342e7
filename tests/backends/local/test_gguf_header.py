import json
import struct
from pathlib import Path
from typing import Any

import pytest

from qiao.backends.local import discovery
from qiao.backends.local.checkpoint import inspect

from .model_files import (
    QWEN,
    THINKING,
    by_address,
    gguf_string,
    only,
    refusal,
    write_gguf,
)


def test_a_gguf_file_tells_all_about_itself(tmp_path: Path) -> None:
    file = write_gguf(tmp_path / "Tiny-Q4_1.gguf", vocabulary=150_000)
    model = only(discovery.find([tmp_path]))
    assert (model.title, model.kind, model.context_length) == ("Tiny-Q4_1.gguf", "instruct", 8192)
    assert model.parameters == 64 * 32 + 64
    assert model.size_bytes == file.stat().st_size
    assert inspect(file).dtype == "Q4_1"
    assert discovery.resolve("Tiny-Q4_1.gguf", [tmp_path]) == file


def test_the_starter_is_read_right(starter: Path) -> None:
    checkpoint = inspect(starter)
    assert checkpoint.obstacle is None
    assert (checkpoint.kind, checkpoint.parameters, checkpoint.dtype) == ("instruct", 134_515_008, "Q4_1")
    assert (checkpoint.size_bytes, checkpoint.context_length) == (98_362_432, 8192)


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ({"general.architecture": "qwen3", "qwen3.context_length": 40960}, "base"),
        (
            {"general.architecture": "qwen3", "qwen3.context_length": 40960, "tokenizer.chat_template": THINKING},
            "reasoning",
        ),
    ],
)
def test_a_gguf_file_tells_its_kind(tmp_path: Path, values: dict[str, str | int], kind: str) -> None:
    write_gguf(tmp_path / "m.gguf", values)
    assert only(discovery.find([tmp_path])).kind == kind


@pytest.mark.parametrize(
    "values",
    [
        {"general.architecture": "bert", "bert.context_length": 512, "bert.pooling_type": 1},
        {"general.architecture": "clip"},
        {"general.architecture": "llama"},
    ],
)
def test_a_gguf_file_that_does_not_answer_is_not_listed(tmp_path: Path, values: dict[str, str | int]) -> None:
    write_gguf(tmp_path / "m.gguf", values)
    assert discovery.find([tmp_path]) == []
    assert "can't be loaded" in refusal("m.gguf", tmp_path)


def test_a_repository_of_several_gguf_files_lists_each_and_asks_which(tmp_path: Path) -> None:
    folder = tmp_path / "Qwen" / "Qwen3-GGUF"
    small, large = write_gguf(folder / "q4.gguf"), write_gguf(folder / "q8.gguf")
    write_gguf(folder / "mmproj-f16.gguf", {"general.architecture": "clip"})
    (folder / "config.json").write_text(json.dumps(QWEN))
    found = by_address(discovery.find([tmp_path]))
    assert set(found) == {"local:Qwen/Qwen3-GGUF/q4.gguf", "local:Qwen/Qwen3-GGUF/q8.gguf"}
    assert {model.title for model in found.values()} == {"q4.gguf", "q8.gguf"}
    assert discovery.resolve("Qwen/Qwen3-GGUF/q8.gguf", [tmp_path]) == large
    text = refusal("Qwen/Qwen3-GGUF", tmp_path)
    assert "local:Qwen/Qwen3-GGUF/q4.gguf" in text
    assert str(small) in refusal(str(folder))
    large.unlink()
    assert discovery.resolve("Qwen/Qwen3-GGUF", [tmp_path]) == small
    assert discovery.resolve(str(folder), []) == small


def test_a_split_gguf_is_one_entry_that_says_so(tmp_path: Path) -> None:
    for part in (1, 2, 3):
        write_gguf(tmp_path / "big" / f"big-0000{part}-of-00003.gguf")
    model = only(discovery.find([tmp_path]))
    assert str(model.address) == "local:big"
    assert model.size_bytes == 3 * (tmp_path / "big" / "big-00001-of-00003.gguf").stat().st_size
    assert "several parts" in (model.problem or "")


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: b"",
        lambda data: b"GGUF",
        lambda data: data[:200],
        lambda data: data[:4] + b"\x01\0\0\0" + data[8:],
        lambda data: data[:16] + b"\xff" * 8 + data[24:],
        lambda data: data[:24] + b"\xff" * 8 + data[32:],
        lambda data: b"version https://git-lfs.github.com/spec/v1\n",
    ],
    ids=["empty", "magic", "cut", "version", "counts", "length", "lfs"],
)
def test_a_broken_gguf_file_is_a_problem(tmp_path: Path, damage: Any) -> None:
    file = write_gguf(tmp_path / "m.gguf")
    file.write_bytes(damage(file.read_bytes()))
    problem = only(discovery.find([tmp_path])).problem or ""
    assert "m.gguf" in problem
    assert problem in refusal("m.gguf", tmp_path)


def test_arrays_within_arrays_are_no_way_to_exhaust_the_stack(tmp_path: Path) -> None:
    nested = gguf_string("a") + struct.pack("<I", 9) + struct.pack("<IQ", 9, 1) * 20_000
    (tmp_path / "m.gguf").write_bytes(struct.pack("<4sIQQ", b"GGUF", 3, 0, 1) + nested)
    assert "can't be understood" in (only(discovery.find([tmp_path])).problem or "")
