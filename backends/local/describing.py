"""All that is known of one model on this machine, for a person to read: what it is, and whether it fits."""

from pathlib import Path
from typing import NamedTuple

from ...workbench.seam import Model
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..vllm.fitting import vllm_fit
from .checkpoint import Checkpoint, inspect
from .fit import fit, gibibytes
from .manner import AS_IT_IS, Manner
from .room import Room


class Line(NamedTuple):
    """One thing that is known."""

    key: str
    """The same in every language, as `kind`."""
    label: str
    text: str
    """One line, safe for a terminal."""


def describe(model: Model, manner: Manner = AS_IT_IS, room: Room | None = None) -> list[Line]:
    """What there is to say of a model, in the person's language.

    Args:
        manner: what the configuration says of it; the model's own kind has it in already.
        room: what is free here; None: nothing is said of that.
    """
    checkpoint = None if model.path is None else inspect(Path(model.path))
    lines = [("address", visible_line(str(model.address)))]
    if model.kind is not None:
        lines.append(("kind", _kind(model, manner, checkpoint)))
    if model.parameters is not None:
        lines.append(("parameters", _parameters(model.parameters, checkpoint)))
    if model.size_bytes is not None:
        size = f"{model.size_bytes / 10**9:.2f} GB" if model.size_bytes >= 10**9 else f"{model.size_bytes // 10**6} MB"
        lines.append(("weights", f"{model.dtype}, {size}" if model.dtype else size))
    if model.context_length is not None:
        lines.append(("context", say("fit.tokens", count=f"{model.context_length:,}")))
    if model.path is not None:
        lines.append(("path", visible_line(model.path)))
    if model.problem is not None:
        lines.append(("problem", visible_line(model.problem)))
    elif checkpoint is not None and room is not None:
        lines += _memory(checkpoint, manner, room)
    return [Line(key, say(f"fit.label_{key}"), text) for key, text in lines]


def _sentences(*texts: str) -> str:
    """One after the other, with a blank between them unless they are Chinese."""
    line = texts[0]
    for text in texts[1:]:
        line += text if line.endswith("。") else f" {text}"
    return line


def _kind(model: Model, manner: Manner, checkpoint: Checkpoint | None) -> str:
    text = say(f"fit.kind_{model.kind}")
    if manner.kind is not None:
        return _sentences(text, say("fit.kind_configured"))
    if model.kind == "base" and checkpoint is not None and checkpoint.has_template:
        name = visible_line(model.address.name)
        return _sentences(text, say("fit.kind_with_template", name=name))
    return text


def _parameters(parameters: int, checkpoint: Checkpoint | None) -> str:
    experts = None if checkpoint is None else checkpoint.experts
    count = f"{parameters:,}"
    return count if experts is None else say("fit.experts", count=count, used=experts.used, total=experts.total)


def _memory(checkpoint: Checkpoint, manner: Manner, room: Room) -> list[tuple[str, str]]:
    """What it takes by transformers and by vLLM; and what a usual and the longest conversation make of that."""
    found = fit(checkpoint, room, quantize=manner.quantize)
    if found is None:
        return []
    parts = say(
        "fit.parts",
        weights=gibibytes(found.weights_bytes),
        cache=gibibytes(found.kv_bytes),
        tokens=f"{found.context:,}",
        other=gibibytes(found.other_bytes),
    )
    sentences = [str(found), parts]
    longest = checkpoint.context_length or 0
    whole = fit(checkpoint, room, longest, manner.quantize) if longest > found.context else None
    if whole is not None:
        sentences.append(say("fit.longest", tokens=f"{longest:,}", needed=gibibytes(whole.needed_bytes)))
    lines = [("transformers", _sentences(*sentences))]
    gpu = room.emptiest
    if gpu is None:
        return [*lines, ("vllm", say("fit.vllm_no_gpu"))]
    vllm = vllm_fit(checkpoint, gpu)
    return lines if vllm is None else [*lines, ("vllm", str(vllm))]
