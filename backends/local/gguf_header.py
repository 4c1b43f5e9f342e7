"""Reads the head of a GGUF file: what the model is, without its weights and without numpy.

The format, versions 2 and 3, little-endian: magic, version, number of tensors, number of key/values; the key/values;
then name, shape and type of each tensor. A string is its length in 8 bytes, then UTF-8.
"""

import struct
from collections import Counter
from collections.abc import Collection
from pathlib import Path
from typing import BinaryIO, NamedTuple

LIMIT = 128 * 2**20
"""So many bytes of head at most: the largest vocabularies take some 15 MB, anything beyond is a broken file."""

_CHUNK = 1 << 20
_LENGTH = struct.Struct("<Q")
_HEAD = struct.Struct("<4sIQQ")
_STRING, _ARRAY = 8, 9
_NUMBERS = {
    0: struct.Struct("<B"),
    1: struct.Struct("<b"),
    2: struct.Struct("<H"),
    3: struct.Struct("<h"),
    4: struct.Struct("<I"),
    5: struct.Struct("<i"),
    6: struct.Struct("<f"),
    7: struct.Struct("<?"),
    10: struct.Struct("<Q"),
    11: struct.Struct("<q"),
    12: struct.Struct("<d"),
}
_WIDTH = _LENGTH.size

_TENSOR_TYPES = {
    0: "F32", 1: "F16", 2: "Q4_0", 3: "Q4_1", 6: "Q5_0", 7: "Q5_1", 8: "Q8_0", 9: "Q8_1", 10: "Q2_K", 11: "Q3_K",
    12: "Q4_K", 13: "Q5_K", 14: "Q6_K", 15: "Q8_K", 16: "IQ2_XXS", 17: "IQ2_XS", 18: "IQ3_XXS", 19: "IQ1_S",
    20: "IQ4_NL", 21: "IQ3_S", 22: "IQ2_S", 23: "IQ4_XS", 24: "I8", 25: "I16", 26: "I32", 27: "I64", 28: "F64",
    29: "IQ1_M", 30: "BF16", 34: "TQ1_0", 35: "TQ2_0", 39: "MXFP4",
    40: "NVFP4", 41: "Q1_0",
}  # fmt: skip

Value = str | int | float | bool


class GgufHeader(NamedTuple):
    """What a GGUF file says of itself."""

    values: dict[str, Value]
    """The single values by key, as `general.architecture`."""
    parameters: int
    dtype: str | None
    """The type that most of the parameters are stored in, as `Q4_1`."""
    lists: dict[str, list[str]]
    """Those lists of strings that were to be kept; other arrays (the vocabulary) are passed over."""

    def text(self, key: str) -> str:
        """The string under `key`; empty if there is none."""
        value = self.values.get(key)
        return value if isinstance(value, str) else ""

    def number(self, key: str) -> int | None:
        """The whole number under `key`, if there is one."""
        value = self.values.get(key)
        return value if isinstance(value, int) and not isinstance(value, bool) else None


def read(path: Path, keep: Collection[str] = ()) -> GgufHeader:
    """Reads the head of the file.

    Args:
        keep: the keys of lists of strings that are wanted.

    Raises:
        ValueError: it is no GGUF file of version 2 or 3, or ends early.
        OSError: it can't be read.
    """
    with path.open("rb") as file:
        return _Reader(file).header(keep)


class _Reader:
    """The file's bytes from where the reading stands, in chunks: a mapped file that shrinks would kill the program."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._data = b""
        self._at = 0
        self._read = 0

    def header(self, keep: Collection[str]) -> GgufHeader:
        magic, version, tensors, count = self._unpack(_HEAD)
        if magic != b"GGUF" or version not in (2, 3):
            raise ValueError("no GGUF file of version 2 or 3")
        values: dict[str, Value] = {}
        lists: dict[str, list[str]] = {}
        for _ in range(count):
            key = self._string()
            kind = self._number(4)
            if key in keep and kind == _ARRAY:
                lists[key] = self._strings()
                continue
            value = self._value(kind)
            if value is not None:
                values[key] = value
        stored: Counter[int] = Counter()
        for _ in range(tensors):
            self._skip_strings(1)
            elements = 1
            for _ in range(self._number(4)):
                elements *= self._number(10)
            stored[self._number(4)] += elements
            self._skip(8)
        parameters = sum(stored.values())
        dtype = _TENSOR_TYPES.get(stored.most_common(1)[0][0]) if stored else None
        return GgufHeader(values, parameters, dtype, lists)

    def _need(self, size: int) -> None:
        while len(self._data) - self._at < size:
            if size > LIMIT or self._read > LIMIT:
                raise ValueError("the head is too long")
            more = self._file.read(max(_CHUNK, size))
            if not more:
                raise ValueError("the file ends within its head")
            self._data = self._data[self._at :] + more
            self._at = 0
            self._read += len(more)

    def _skip(self, size: int) -> None:
        """Passes over `size` bytes, never holding more than a chunk of them."""
        while size > 0:
            step = min(size, _CHUNK)
            self._need(step)
            self._at += step
            size -= step

    def _unpack(self, form: struct.Struct) -> tuple[bytes, int, int, int]:
        self._need(form.size)
        magic, version, tensors, count = form.unpack_from(self._data, self._at)
        self._at += form.size
        return magic, version, tensors, count

    def _scalar(self, kind: int) -> int | float | bool:
        form = _NUMBERS.get(kind)
        if form is None:
            raise ValueError(f"unknown type {kind}")
        self._need(form.size)
        (value,) = form.unpack_from(self._data, self._at)
        self._at += form.size
        return value

    def _number(self, kind: int) -> int:
        return int(self._scalar(kind))

    def _string(self) -> str:
        length = self._number(10)
        self._need(length)
        text = self._data[self._at : self._at + length].decode("utf-8", "replace")
        self._at += length
        return text

    def _strings(self) -> list[str]:
        kind, length = self._number(4), self._number(10)
        if kind != _STRING:
            raise ValueError("no list of strings")
        return [self._string() for _ in range(length)]

    def _value(self, kind: int) -> Value | None:
        """The next value; None for an array, which is passed over."""
        if kind == _STRING:
            return self._string()
        if kind != _ARRAY:
            return self._scalar(kind)
        inner, length = self._number(4), self._number(10)
        if inner == _STRING:
            self._skip_strings(length)
        elif inner in _NUMBERS:
            self._skip(_NUMBERS[inner].size * length)
        else:
            raise ValueError(f"unknown type {inner}")
        return None

    def _skip_strings(self, count: int) -> None:
        """Passes over `count` strings; a vocabulary has hundreds of thousands, so the inner loop does little."""
        length_at = _LENGTH.unpack_from
        while count:
            data, at = self._data, self._at
            last = len(data) - _WIDTH
            while count and at <= last:
                following = at + _WIDTH + length_at(data, at)[0]
                if following > len(data):
                    break
                at = following
                count -= 1
            self._at = at
            if count:
                self._need(_WIDTH)
                self._need(_WIDTH + length_at(self._data, self._at)[0])
