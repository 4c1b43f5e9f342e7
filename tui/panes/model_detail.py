"""What the foot of the model picker tells of the row that is selected."""

from collections.abc import Hashable, Sequence

from rich.cells import cell_len

from ...backends.sensors.snapshot import Snapshot
from ...workbench.address import Address
from ...workbench.seam import Model, Source
from ...workbench.visible import visible_line
from ...workbench.words import say
from ..text.bars import bytes_short
from ..text.wrap import Line, wrap_text
from .model_tree import Add, Doing, Part, Recent, Shown


def detail_lines(key: Hashable | None, shown: Shown, width: int, height: int, free_bytes: int | None) -> list[Line]:
    """What is known of a row, at most `height` lines of `width` cells.

    Args:
        key: of the row.
        shown: what the list is made from.
        width: in cells.
        height: in lines.
        free_bytes: memory that a model could have here, on the emptiest GPU or else in the machine.
    """
    match key:
        case Address() | Recent():
            address = key.address if isinstance(key, Recent) else key
            model = next((model for model in shown.models if model.address == address), None)
            lines = _model_lines(address, model, shown.doing.get(address), width, free_bytes)
        case Part(provider):
            source = next((source for source in shown.sources if source.provider == provider), None)
            lines = [] if source is None else _source_lines(source, shown.doing.get(key), width)
        case Add():
            lines = wrap_text(say("picker.add_detail"), width, "muted")
        case _:
            lines = []
    return lines[:height]


def _model_lines(
    address: Address, model: Model | None, doing: Doing | None, width: int, free_bytes: int | None
) -> list[Line]:
    lines = wrap_text(visible_line(str(address)), width, "text")[:2]
    if doing is not None:
        lines += wrap_text(doing.words, width, "warn")
    if model is None:
        return [*lines, *wrap_text(say("picker.not_listed"), width, "muted")]
    if model.problem:
        lines += wrap_text(visible_line(model.problem), width, "bad")
    facts = [say(f"picker.state_{model.state}")]
    if model.kind is not None:
        facts.append(say(f"picker.kind_{model.kind}"))
    if model.parameters:
        facts.append(parameters_short(model.parameters))
    if model.context_length:
        facts.append(say("picker.context", length=tokens_short(model.context_length)))
    lines += _joined(facts, width)
    if model.needed_bytes is not None:
        words = say("picker.needs", needed=bytes_short(model.needed_bytes).strip())
        if free_bytes is not None and model.state not in ("loaded", "loading"):
            words += " · " + say("picker.free", free=bytes_short(free_bytes).strip())
        lines += wrap_text(words, width, "bad" if model.fits is False else "muted")
    return lines


def _joined(facts: Sequence[str], width: int) -> list[Line]:
    """Facts side by side, none of them broken as long as it fits a line by itself."""
    texts: list[str] = []
    for fact in facts:
        if texts and cell_len(f"{texts[-1]} · {fact}") <= width:
            texts[-1] += f" · {fact}"
        else:
            texts.append(fact)
    return [line for text in texts for line in wrap_text(text, width, "muted")]


def _source_lines(source: Source, doing: Doing | None, width: int) -> list[Line]:
    if source.base_url is None:
        return wrap_text(say("picker.machine_detail"), width, "muted")
    lines = wrap_text(visible_line(source.title), width, "text")[:1]
    lines += wrap_text(visible_line(source.base_url), width, "muted")[:2]
    if doing is not None:
        return [*lines, *wrap_text(doing.words, width, "warn")]
    if source.problem:
        lines += wrap_text(visible_line(source.problem), width, "bad")
    if source.key is not None:
        lines += wrap_text(say("picker.key_from", source=say(f"picker.key_{source.key}")), width, "muted")
    elif source.needs_key and not source.asked and not source.problem:
        lines += wrap_text(say("picker.key_wanted"), width, "muted")
    return lines


def parameters_short(count: int) -> str:
    """A number of parameters as people name models: 135M, 0.5B, 7B, 32B."""
    if count < 400_000_000:
        return f"{count / 1e6:.0f}M"
    billions = count / 1e9
    return f"{billions:.1f}B" if billions < 9.95 else f"{billions:.0f}B"


def tokens_short(count: int) -> str:
    """A context length as people name it: 2k, 32k, 128k; 1M."""
    if count >= 1_000_000:
        return f"{count / 1_000_000:.0f}M"
    return f"{count // 1024}k" if count >= 1024 else str(count)


def free_bytes(snapshot: Snapshot | None) -> int | None:
    """Memory that a model could have here: on the emptiest GPU, or without one in the machine."""
    if snapshot is None:
        return None
    free = [gpu.memory_free for gpu in snapshot.gpus if gpu.memory_free is not None]
    if free:
        return max(free)
    machine = snapshot.machine
    if machine.memory_total is None or machine.memory_used is None:
        return None
    # In steps of a tenth of a gigabyte: what changes each second would keep a line busy.
    return (machine.memory_total - machine.memory_used) * 10 // 2**30 * 2**30 // 10
