"""Which files of a hub's repository make a model that Qiao can load. Pure: a listing goes in, a choice comes out."""

from collections.abc import Sequence

import msgspec

from ...workbench.errors import Refused
from ...workbench.visible import visible_line
from .checkpoint import GGUF, is_later_shard

_SMALL = (".json", ".jinja", ".model", ".txt", ".tiktoken")
"""Configuration and tokenizer. Code that comes with a model is never run, so it isn't fetched."""
_PICKLED = (".bin", ".pt", ".pth", ".ckpt")
_SAFE = ".safetensors"
_SHOWN = 12


class HubFile(msgspec.Struct, frozen=True):
    """A file of a repository."""

    path: str
    size: int
    """Bytes."""
    have: int = 0
    """Bytes of it that are on this machine already."""


def chosen(model: str, files: Sequence[HubFile], wanted: str = "") -> list[HubFile]:
    """The files to fetch: weights in one format, safetensors first, and what belongs to them.

    Weights in further formats (pickles, ONNX, a second copy as `consolidated…`), pictures and folders are left out.

    Args:
        model: as `Qwen/Qwen2.5-3B-Instruct`, for what is said.
        wanted: a GGUF file of a repository that holds several.

    Raises:
        Refused: there is nothing that Qiao can load, or several GGUF files and none was named.
    """
    top = [file for file in files if "/" not in file.path and not file.path.startswith(".")]
    small = [file for file in top if file.path.endswith(_SMALL) and not file.path.endswith(".index.json")]
    ggufs = [file for file in top if file.path.lower().endswith(GGUF) and not file.path.lower().startswith("mmproj")]
    safe = _one_copy([file for file in top if file.path.endswith(_SAFE)])
    if wanted or (ggufs and not safe):
        return [*_ggufs(model, ggufs, wanted), *small]
    if not safe:
        pickled = next((file.path for file in top if file.path.endswith(_PICKLED)), None)
        if pickled:
            raise Refused("pull.pickled", model=visible_line(model), file=visible_line(pickled))
        raise Refused("pull.no_weights", model=visible_line(model))
    indexes = [file for file in top if file.path.endswith(".safetensors.index.json")]
    return [*safe, *indexes, *small]


def _one_copy(files: list[HubFile]) -> list[HubFile]:
    """Weights that are there once: those called `model…`, else all. Adapters are called otherwise, and kept."""
    usual = [file for file in files if file.path == "model.safetensors" or file.path.startswith("model-")]
    return usual or [file for file in files if not file.path.startswith("consolidated")] or files


def _ggufs(model: str, ggufs: list[HubFile], wanted: str) -> list[HubFile]:
    """The one GGUF file, with its further parts if it is split."""
    first = [file for file in ggufs if not is_later_shard(file.path)]
    named = [file for file in first if file.path == wanted] if wanted else first
    if len(named) != 1:
        names = [visible_line(f"local:{model}/{file.path}") for file in first]
        if not names:
            raise Refused("pull.no_weights", model=visible_line(model))
        more = ["…"] if len(names) > _SHOWN else []
        raise Refused("pull.which_file", model=visible_line(model), files=", ".join(names[:_SHOWN] + more))
    before, mark, after = named[0].path.partition("-00001-of-")
    if not mark:
        return named
    return [file for file in ggufs if file.path.startswith(f"{before}-") and file.path.endswith(f"-of-{after}")]
