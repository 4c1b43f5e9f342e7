"""Reads the head of a safetensors file: how many parameters of which type, without torch.

The format: the head's length in 8 bytes, little-endian; the head, a JSON object from tensor name to dtype, shape and
place in the data; the data.
"""

from pathlib import Path
from typing import Literal, NamedTuple

import msgspec

LIMIT = 100_000_000
"""So many bytes of head at most, as the format's own library has it."""

LFS_POINTER = b"version https://git-lfs"

Flaw = Literal["lfs_pointer", "broken", "cut_short"]


class Flawed(Exception):
    """The file doesn't hold the weights that its name promises."""

    def __init__(self, flaw: Flaw) -> None:
        super().__init__(flaw)
        self.flaw: Flaw = flaw


class Tensor(msgspec.Struct, gc=False):
    """A tensor as the head describes it; bytes and dtype tell how many numbers it holds, so its shape is left out."""

    dtype: str = ""
    # The head's free `__metadata__` is read as a tensor too, and may have a text under this name.
    data_offsets: tuple[int, int] | str = (0, 0)


class SafetensorsHeader(NamedTuple):
    """What one safetensors file holds."""

    tensors: dict[str, Tensor]
    size_bytes: int
    """Of the whole file."""


_decoder = msgspec.json.Decoder(dict[str, Tensor])


def read(path: Path) -> SafetensorsHeader:
    """Reads the head of the file.

    Raises:
        Flawed: it is no safetensors file, or shorter than its head says.
        OSError: it can't be read.
    """
    with path.open("rb") as file:
        size = file.seek(0, 2)
        file.seek(0)
        start = file.read(len(LFS_POINTER))
        if start == LFS_POINTER:
            raise Flawed("lfs_pointer")
        length = int.from_bytes(start[:8], "little")
        if len(start) < 8 or length > LIMIT:
            raise Flawed("broken")
        file.seek(8)
        head = file.read(length)
    if len(head) < length:
        raise Flawed("cut_short")
    try:
        tensors = _decoder.decode(head)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise Flawed("broken") from error
    tensors.pop("__metadata__", None)
    ends = [tensor.data_offsets[1] for tensor in tensors.values() if not isinstance(tensor.data_offsets, str)]
    if size < 8 + length + max(ends, default=0):
        raise Flawed("cut_short")
    return SafetensorsHeader(tensors, size)


_AUXILIARY = (
    "qzeros", "scales", "g_idx", "weight_scale", "weight_scale_inv", "weight_scale_2", "weight_shape",
    "weight_zero_point", "input_scale", "absmax", "quant_map", "_scales",
)  # fmt: skip
_PACKED = ("qweight", "weight_packed")
_BITS = {
    "F64": 64,
    "I64": 64,
    "U64": 64,
    "F32": 32,
    "I32": 32,
    "U32": 32,
    "F16": 16,
    "BF16": 16,
    "I16": 16,
    "U16": 16,
    "F4": 4,
}
"""Of a number in each dtype that isn't of 8 bits."""


def parameters(tensors: dict[str, Tensor], bits: int | None) -> dict[str, int]:
    """How many parameters are stored in which dtype, packed ones counted as what they unpack to.

    Args:
        tensors: those of one file.
        bits: of a quantised weight, None if the model isn't quantised. AWQ, GPTQ and compressed-tensors pack several
            into an I32, bitsandbytes and MXFP4 two into a U8; their scales and zero points are no parameters.
    """
    counts: dict[str, int] = {}
    for name, tensor in tensors.items():
        if bits is not None and (name.endswith(_AUXILIARY) or "quant_state" in name):
            continue
        if isinstance(tensor.data_offsets, str):
            continue
        begin, end = tensor.data_offsets
        elements = (end - begin) * 8 // _BITS.get(tensor.dtype, 8)
        if bits is not None:
            if tensor.dtype == "I32" and name.endswith(_PACKED):
                elements = elements * 32 // bits
            elif tensor.dtype == "U8" and bits <= 4:
                elements *= 2
        counts[tensor.dtype] = counts.get(tensor.dtype, 0) + elements
    return counts
