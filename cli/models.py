"""`qiao models`: what can answer here."""

from argparse import Namespace
from collections.abc import Callable, Sequence
from shutil import get_terminal_size

from ..workbench.address import Address
from ..workbench.seam import Model
from ..workbench.visible import visible_line, without_surrogates
from ..workbench.words import say
from .cells import table, width, wrapped
from .json_lines import write_json
from .streams import Data, Narration

BILLION, MILLION, THOUSAND = 10**9, 10**6, 10**3
COLUMNS = ("address", "kind", "parameters", "stored", "size", "context", "memory", "state")
RIGHT = (False, False, True, False, True, True, True, False)


def describe_model(options: Namespace, describe: Callable[[Address], Sequence[tuple[str, str, str]]]) -> int:
    """Prints all that is known of one model.

    Args:
        describe: gives key, label and text of each thing that is known.

    Returns:
        What the command exits with.

    Raises:
        QiaoError: it isn't known.
    """
    lines = describe(Address.parse(without_surrogates(options.model)))
    data = Data()
    if options.json:
        write_json(data, {key: text for key, _, text in lines})
        return 0
    room = max(width(label) for _, label, _ in lines) + 2
    columns = max(min(get_terminal_size().columns, 100) - room, 20)
    for _, label, text in lines:
        first, *more = wrapped(text, columns)
        data.write(f"{label}{' ' * (room - width(label))}{first}\n")
        data.write("".join(f"{' ' * room}{line}\n" for line in more))
    return 0


def list_models(options: Namespace, models: Sequence[Model], narration: Narration) -> int:
    """Prints the models: as a table, as JSON, or only their addresses.

    Returns:
        What the command exits with.
    """
    data = Data()
    if options.json:
        write_json(data, [_report(model) for model in models])
    elif options.addresses:
        for model in models:
            # A name with a line feed in it must not pass for two.
            data.write(f"{visible_line(str(model.address))}\n")
    else:
        rows = [_row(model) for model in models]
        # Of a server's models little is known: what is known of none takes no room.
        told = [number for number, _ in enumerate(COLUMNS) if number == 0 or any(row[number] for row in rows)]
        heading = [say(f"cli.column_{COLUMNS[number]}") for number in told]
        shown = [heading, *([row[number] for number in told] for row in rows)]
        data.write(table(shown, right=[RIGHT[number] for number in told]))
        for model in models:
            if model.problem:
                narration.note(say("cli.problem", model=str(model.address), problem=model.problem))
    return 0


def _row(model: Model) -> list[str]:
    return [
        visible_line(str(model.address)),
        say(f"cli.kind_{model.kind}") if model.kind else "",
        _count(model.parameters),
        visible_line(model.dtype or ""),
        _bytes(model.size_bytes),
        "" if model.context_length is None else str(model.context_length),
        _memory(model),
        say(f"cli.state_{model.state}"),
    ]


def _memory(model: Model) -> str:
    """What answering takes, and whether it is free; memory is counted in GiB, as GPUs are sold."""
    if model.needed_bytes is None:
        return ""
    verdict = "" if model.fits is None else " " + say("cli.fits" if model.fits else "cli.does_not_fit")
    return f"{model.needed_bytes / 2**30:.1f} GiB{verdict}"


def _count(number: int | None) -> str:
    """A number of parameters as model names write it: 135M, 7.6B."""
    if number is None:
        return ""
    for unit, letter in ((BILLION, "B"), (MILLION, "M"), (THOUSAND, "K")):
        if number >= unit:
            value = number / unit
            return f"{value:.1f}{letter}" if value < 10 else f"{value:.0f}{letter}"
    return str(number)


def _bytes(number: int | None) -> str:
    """A size in decimal units, as disks and downloads are sold."""
    if number is None:
        return ""
    return f"{number / BILLION:.1f} GB" if number >= BILLION else f"{number / MILLION:.0f} MB"


def _report(model: Model) -> dict[str, object]:
    fields: dict[str, object] = {name: getattr(model, name) for name in model.__struct_fields__}
    fields["address"] = str(model.address)
    # A file's name may be no text; then neither is what was made of it.
    return {name: without_surrogates(value) if isinstance(value, str) else value for name, value in fields.items()}
