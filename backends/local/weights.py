"""Loads a model's weights: in which precision, where to, with progress, and what it means when that fails."""

import json
import os
from pathlib import Path
from typing import Any, NamedTuple

from ..sensors.machine import machine_memory
from .checkpoint import Checkpoint, inspect
from .failures import EngineError, first_line
from .fit import gibibytes
from .gguf_reading import read_once
from .load_progress import LoadProgress, OnProgress
from .placement import Placement
from .precision import Precision, Quantize, choose_precision, cpu_flags, loaded_bytes


class Loaded(NamedTuple):
    """A model that can answer."""

    model: Any
    """A transformers `…ForCausalLM`, in evaluation mode."""
    device: str
    dtype: str


def gpu_trouble(placement: Placement) -> str | None:
    """Why torch can't compute on the GPUs that were chosen, in one line; None if it can, or none was.

    The driver shows GPUs that torch can't use: its build is for the CPU, for a newer driver, or for newer GPUs.
    """
    import torch

    if placement.device_map is None or placement.kind == "npu":
        return None
    try:
        torch.cuda.init()
        for index in range(len(placement.gpus)):
            torch.ones(1, device=f"cuda:{index}").add_(1).item()
    except torch.OutOfMemoryError:
        # Loading will say so.
        return None
    except (RuntimeError, AssertionError) as error:
        return first_line(error)
    return None


def load(
    path: Path,
    placement: Placement,
    model_name: str,
    on_progress: OnProgress,
    quantize: Quantize | None = None,
    trouble: str | None = None,
) -> Loaded:
    """Loads the weights. The first call imports torch, which takes seconds.

    Args:
        trouble: why they go to the CPU although there is a GPU.

    Raises:
        EngineError: it can't be loaded; says why.
    """
    try:
        return _load(path, placement, model_name, on_progress, quantize)
    # Configurations and weights come from anywhere, and transformers may fail on them in any way.
    except Exception as error:
        told = explained(error, path, model_name)
        if trouble is not None and told.key == "engine.no_room":
            told = EngineError("engine.gpu_unusable_no_room", **told.params, reason=trouble)
        raise told from error


def _load(
    path: Path, placement: Placement, model_name: str, on_progress: OnProgress, quantize: Quantize | None
) -> Loaded:
    import torch
    from transformers import AutoModelForCausalLM, GenerationConfig

    on_cpu = placement.device_map is None
    checkpoint = inspect(path)
    used, total = machine_memory()
    # Every NPU that transformers runs on has bfloat16.
    bf16 = on_cpu or placement.kind == "npu" or torch.cuda.is_bf16_supported(including_emulation=False)
    precision = choose_precision(checkpoint, on_cpu, cpu_flags(), total - used, gpu_has_bf16=bf16)
    if on_cpu:
        _check_room(checkpoint, precision, quantize, total - used, model_name)
    options: dict[str, Any] = {
        "dtype": precision if precision == "auto" else getattr(torch, precision),
        "device_map": placement.device_map,
        "local_files_only": True,
        "trust_remote_code": False,
        **_packing(quantize),
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


def _packing(quantize: Quantize | None) -> dict[str, Any]:
    """transformers' option for weights that are packed while they are loaded."""
    if quantize is None:
        return {}
    import torch
    from transformers import BitsAndBytesConfig

    make: Any = BitsAndBytesConfig
    config = make(load_in_4bit=True, bnb_4bit_quant_type="nf4", bnb_4bit_compute_dtype=torch.bfloat16)
    return {"quantization_config": config}


def _check_room(
    checkpoint: Checkpoint, precision: Precision, quantize: Quantize | None, free: int, model_name: str
) -> None:
    """Refuses what would only end by the system killing something.

    Raises:
        EngineError: the weights are larger than the memory that is free.
    """
    needed = loaded_bytes(checkpoint, precision, quantize) or 0
    if needed > free:
        raise EngineError("engine.no_room", model=model_name, needed=gibibytes(needed), free=gibibytes(free))


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
        return gibibytes(free)
    used, total = machine_memory()
    return gibibytes(total - used)
