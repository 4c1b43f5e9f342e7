"""Loads a model's weights: in which precision, where to, with progress, and what it means when that fails."""

import json
import os
from pathlib import Path
from typing import Any, Literal, NamedTuple

from ..sensors.machine import machine_memory
from .checkpoint import Checkpoint, inspect
from .failures import EngineError, first_line
from .gguf_reading import read_once
from .load_progress import LoadProgress, OnProgress
from .placement import Placement
from .sizes import gigabytes

Precision = Literal["auto", "float32", "bfloat16", "float16"]

_FAST_BF16 = {"avx512_bf16", "amx_bf16"}
_BYTES = {"auto": 2, "float32": 4, "bfloat16": 2, "float16": 2}


class Loaded(NamedTuple):
    """A model that can answer."""

    model: Any
    """A transformers `…ForCausalLM`, in evaluation mode."""
    device: str
    dtype: str


def choose_precision(
    checkpoint: Checkpoint, on_cpu: bool, cpu_flags: frozenset[str], free_bytes: int, *, gpu_has_bf16: bool = True
) -> Precision:
    """The precision to compute in.

    Half precision is slower than float32 on a CPU without instructions for it (16 against 23 tokens a second), so
    there float32 it is, if it fits. A GGUF file has no precision of its own to compute in.

    Args:
        free_bytes: of the machine's memory.
    """
    quantised = checkpoint.path.is_file() and checkpoint.dtype not in ("F32", "F16", "BF16")
    if not on_cpu:
        return ("bfloat16" if gpu_has_bf16 else "float16") if checkpoint.path.is_file() else "auto"
    if checkpoint.dtype == "F32" or (checkpoint.dtype == "BF16" and cpu_flags & _FAST_BF16):
        return "auto"
    if not quantised and checkpoint.dtype not in ("F16", "BF16"):
        return "auto"
    fits = checkpoint.parameters is None or checkpoint.parameters * _BYTES["float32"] * 1.1 < free_bytes
    return "float32" if fits else "bfloat16"


def load(path: Path, placement: Placement, model_name: str, on_progress: OnProgress) -> Loaded:
    """Loads the weights. The first call imports torch, which takes seconds.

    Raises:
        EngineError: it can't be loaded; says why.
    """
    try:
        return _load(path, placement, model_name, on_progress)
    # Configurations and weights come from anywhere, and transformers may fail on them in any way.
    except Exception as error:
        raise explained(error, path, model_name) from error


def _load(path: Path, placement: Placement, model_name: str, on_progress: OnProgress) -> Loaded:
    import torch
    from transformers import AutoModelForCausalLM, GenerationConfig

    on_cpu = placement.device_map is None
    checkpoint = inspect(path)
    used, total = machine_memory()
    # Every NPU that transformers runs on has bfloat16.
    bf16 = on_cpu or placement.kind == "npu" or torch.cuda.is_bf16_supported()
    precision = choose_precision(checkpoint, on_cpu, _cpu_flags(), total - used, gpu_has_bf16=bf16)
    if on_cpu:
        _check_room(checkpoint, precision, total - used, model_name)
    options: dict[str, Any] = {
        "dtype": precision if precision == "auto" else getattr(torch, precision),
        "device_map": placement.device_map,
        "local_files_only": True,
        "trust_remote_code": False,
    }
    auto: Any = AutoModelForCausalLM
    if path.is_file():
        with read_once(), LoadProgress(on_progress, bars=2):
            model: Any = auto.from_pretrained(str(path.parent), gguf_file=path.name, **_unpacked(), **options)
        if (path.parent / "generation_config.json").is_file():
            # transformers looks for it in a directory of safetensors only.
            config: Any = GenerationConfig
            model.generation_config = config.from_pretrained(str(path.parent))
    else:
        with LoadProgress(on_progress, bars=1):
            model = auto.from_pretrained(str(path), use_safetensors=True, **options)
    model.eval()
    return Loaded(model, str(model.device), str(model.dtype).removeprefix("torch."))


def _unpacked() -> dict[str, Any]:
    """Weights of a GGUF file are unpacked: computing on packed ones takes kernels that are fetched from a hub."""
    import transformers

    config: Any = getattr(transformers, "GgufConfig", None)
    return {} if config is None else {"quantization_config": config(dequantize=True)}


def _check_room(checkpoint: Checkpoint, precision: Precision, free: int, model_name: str) -> None:
    """Refuses what would only end by the system killing something.

    Raises:
        EngineError: the weights are larger than the memory that is free.
    """
    if checkpoint.path.is_file() or precision != "auto":
        needed = (checkpoint.parameters or 0) * _BYTES[precision]
    else:
        needed = checkpoint.size_bytes or 0
    if needed > free:
        raise EngineError("engine.no_room", model=model_name, needed=gigabytes(needed), free=gigabytes(free))


def _cpu_flags() -> frozenset[str]:
    """The CPU's abilities, as Linux names them; empty elsewhere."""
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            line = next((line for line in file if line.startswith("flags")), "")
    except OSError:
        return frozenset()
    return frozenset(line.partition(":")[2].split())


def explained(error: Exception, path: Path, model_name: str) -> EngineError:
    """What went wrong while a model, or its tokenizer, was loaded."""
    if isinstance(error, EngineError):
        return error
    text = str(error)
    if is_out_of_memory(error):
        return EngineError("engine.memory_loading", model=model_name, free=free_memory())
    if "trust_remote_code" in text:
        return EngineError("engine.remote_code", model=model_name)
    if isinstance(error, ImportError):
        return _missing(error, model_name)
    if isinstance(error, KeyError | ValueError) and (
        "does not recognize this architecture" in text
        or "Unrecognized configuration class" in text
        or "Unrecognized model in" in text
        or ("GGUF model with architecture" in text and "not supported" in text)
    ):
        return EngineError("engine.unknown_architecture", model=model_name, architecture=_architecture(path))
    return EngineError("engine.not_loaded", model=model_name, reason=first_line(error))


def _missing(error: ImportError, model_name: str) -> EngineError:
    package = error.name.partition(".")[0] if error.name else ""
    if package in ("torch", "transformers", "accelerate", "gguf"):
        return EngineError("engine.not_installed", model=model_name, package=package)
    if package:
        return EngineError("engine.package_missing", model=model_name, package=package)
    # transformers says in a sentence which package a quantisation or an architecture needs.
    return EngineError("engine.not_loaded", model=model_name, reason=first_line(error))


def _architecture(path: Path) -> str:
    if path.is_file():
        from . import gguf_header

        return gguf_header.read(path).text("general.architecture")
    try:
        config: Any = json.loads((path / "config.json").read_text(encoding="utf-8"))
        return str(config.get("model_type") or (config.get("architectures") or ["?"])[0])
    except (OSError, ValueError, AttributeError, IndexError):
        return "?"


def device_bytes(device: str) -> int:
    """The memory in all, of a torch device."""
    import torch

    if device.startswith("cuda"):
        return int(torch.cuda.mem_get_info(device)[1])
    if device.startswith("npu"):
        npu: Any = getattr(torch, "npu")  # noqa: B009 - torch_npu adds it
        return int(npu.mem_get_info(device)[1])
    return machine_memory()[1]


def is_out_of_memory(error: BaseException) -> bool:
    """Whether memory ran out, on the GPU or on the machine."""
    if isinstance(error, MemoryError) or type(error).__name__ == "OutOfMemoryError":
        return True
    text = str(error)
    return isinstance(error, RuntimeError) and (
        "not enough memory" in text or "can't allocate memory" in text or "out of memory" in text
    )


def free_memory() -> str:
    """How much is free where the model would go, for a person to read."""
    import torch

    if os.environ.get("CUDA_VISIBLE_DEVICES") != "" and torch.cuda.is_available():
        free = sum(torch.cuda.mem_get_info(index)[0] for index in range(torch.cuda.device_count()))
        return gigabytes(free)
    used, total = machine_memory()
    return gigabytes(total - used)
