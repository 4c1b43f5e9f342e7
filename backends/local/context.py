"""How long a model's context is, in tokens, told from its files."""

from pathlib import Path
from typing import cast

from .checkpoint import inspect
from .model_config import Json, read_json


def context_length(path: Path) -> int | None:
    """What the model was trained for; where its configuration stretches that (YaRN and the like), the stretched length.

    Args:
        path: a model's directory or GGUF file.
    """
    trained = inspect(path).context_length
    if trained is None or path.is_file():
        return trained
    try:
        config = read_json(path / "config.json") or {}
    except OSError:
        return trained
    inner = config.get("text_config")
    config = {**config, **(cast(Json, inner) if isinstance(inner, dict) else {})}
    scaling = config.get("rope_parameters") or config.get("rope_scaling")
    if not isinstance(scaling, dict):
        return trained
    values = cast(Json, scaling)
    factor, original = values.get("factor"), values.get("original_max_position_embeddings")
    if isinstance(factor, int | float) and isinstance(original, int):
        return max(trained, int(factor * original))
    return trained
