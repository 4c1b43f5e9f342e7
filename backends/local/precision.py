"""In which precision a model computes, and how many bytes its weights take in memory then."""

from typing import Literal

from .checkpoint import Checkpoint

Precision = Literal["auto", "float32", "bfloat16", "float16"]
Quantize = Literal["4bit"]

BYTES: dict[str, int] = {"auto": 2, "float32": 4, "bfloat16": 2, "float16": 2}
"""Of a number; what a checkpoint leaves open is taken for 16 bits."""

_FAST_BF16 = {"avx512_bf16", "amx_bf16"}
_FLOATS = ("F32", "F16", "BF16")

NF4_BYTES = 0.5 + 4 / 64
"""Of a weight in bitsandbytes' 4-bit format: the 4 bits, and a 32-bit scale for each block of 64."""


def choose_precision(
    checkpoint: Checkpoint, on_cpu: bool, cpu_flags: frozenset[str], free_bytes: int, *, gpu_has_bf16: bool = True
) -> Precision:
    """The precision to compute in.

    Half precision is slower than float32 on a CPU without instructions for it (16 against 23 tokens a second), so
    there float32 it is, if it fits. A GGUF file has no precision of its own to compute in.

    Args:
        free_bytes: of the machine's memory.
    """
    packed = checkpoint.path.is_file() and checkpoint.dtype not in _FLOATS
    if not on_cpu:
        return ("bfloat16" if gpu_has_bf16 else "float16") if checkpoint.path.is_file() else "auto"
    if checkpoint.dtype == "F32" or (checkpoint.dtype == "BF16" and cpu_flags & _FAST_BF16):
        return "auto"
    if not packed and checkpoint.dtype not in _FLOATS:
        return "auto"
    fits = checkpoint.parameters is None or checkpoint.parameters * BYTES["float32"] * 1.1 < free_bytes
    return "float32" if fits else "bfloat16"


def loaded_bytes(checkpoint: Checkpoint, precision: Precision = "auto", quantize: Quantize | None = None) -> int | None:
    """Bytes of the weights as transformers holds them; None if neither their number nor their size is known.

    Args:
        precision: as of `choose_precision`; `auto` is what the configuration says, else what they are stored in.
        quantize: packed while they are loaded. The tables of tokens stay as they are.
    """
    size, parameters = checkpoint.size_bytes, checkpoint.parameters
    if quantize == "4bit" and parameters and checkpoint.quantisation is None:
        tables = min(checkpoint.embedding_parameters, parameters)
        return int((parameters - tables) * NF4_BYTES) + tables * BYTES["bfloat16"]
    if checkpoint.path.is_file():
        # A GGUF file is unpacked. Where a split one doesn't tell its parameters, it is taken for a 4-bit one.
        return BYTES[precision] * (parameters or 2 * (size or 0)) or None
    if checkpoint.quantisation is not None or not parameters:
        return size
    if precision == "auto":
        number = BYTES.get(checkpoint.load_dtype or "")
        return size if number is None or checkpoint.dtype not in _FLOATS else parameters * number
    return parameters * BYTES[precision]


def cpu_flags() -> frozenset[str]:
    """The CPU's abilities, as Linux names them; empty elsewhere."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            line = next((line for line in file if line.startswith("flags")), "")
    except OSError:
        return frozenset()
    return frozenset(line.partition(":")[2].split())
