"""The `qiao` command: which of its parts runs, and how it ends."""

import gc
import os
import sys
from argparse import Namespace
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from msgspec import structs

from ..workbench import words
from ..workbench.config import Config
from ..workbench.config import load as load_config
from ..workbench.errors import QiaoError, Unreadable
from ..workbench.words import say
from . import arguments
from .streams import Data, Narration, Unwritable, is_terminal

if TYPE_CHECKING:
    from ..backends.registry import Backends

OpenBackends = Callable[[Config], "Backends"]

BROKEN_OFF = 4
INTERRUPTED = 130
NOBODY_READS = 141
"""As a shell reports a program that ended because nobody read its output any more (128 + SIGPIPE)."""


def main(argv: Sequence[str] | None = None, open_backends: OpenBackends | None = None) -> int:
    """Runs the command.

    Args:
        argv: what is written after `qiao`; None: this process's arguments.
        open_backends: makes what answers; for tests.

    Returns:
        What to exit with: 0 done, 2 wrong usage or an unreadable file, 3 refused, 4 broken off, 130 interrupted.
    """
    _fill_in_closed_streams()
    given = list(sys.argv[1:] if argv is None else argv)
    narration = Narration()
    try:
        return _run(given, open_backends or _open_backends, narration)
    except KeyboardInterrupt:
        narration.clear()
        return INTERRUPTED
    except Unwritable as error:
        # Else the interpreter, flushing at its end, complains about it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        if isinstance(error.reason, BrokenPipeError):
            return NOBODY_READS
        narration.note(say("cli.complaint", message=say("cli.unwritable", detail=error.reason.strerror or "")))
        return BROKEN_OFF


def _run(given: list[str], open_backends: OpenBackends, narration: Narration) -> int:
    """Runs the command; the one place where an error becomes a line, or JSON, and an exit code."""
    try:
        config, warnings = _configured()
        return _dispatch(given, config, warnings, open_backends, narration)
    except QiaoError as error:
        narration.clear()
        if _wants_json(given):
            from .json_lines import error_json, kind_of, write_json

            write_json(Data(), error_json(kind_of(error), str(error)))
        else:
            narration.note(say("cli.complaint", message=str(error)))
        return error.exit_code
    except SystemExit as ended:
        # argparse, after --help and --version.
        return ended.code if isinstance(ended.code, int) else 0


def _configured() -> tuple[Config, list[str]]:
    """The settings and what is wrong with them, in the language that they ask for."""
    language = words.choose(None)
    config, warnings = load_config()
    if words.choose(config.language) != language:
        _, warnings = load_config()
    return config, warnings


def _fill_in_closed_streams() -> None:
    """Started with a stream closed (`>&-`), Python has none, and the next file opened would take its number."""
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 - stays open, as a stream does


def _wants_json(given: Sequence[str]) -> bool:
    before_end = given[: given.index("--")] if "--" in given else given
    return "--json" in before_end and given[0] in arguments.COMMANDS


def _dispatch(
    given: list[str], config: Config, warnings: list[str], open_backends: OpenBackends, narration: Narration
) -> int:
    if not given or given[0] not in arguments.COMMANDS:
        if "-h" in given or "--help" in given:
            arguments.help_page().print_help()
            return 0
        return _workbench(arguments.workbench().parse_args(given), config, warnings, narration)
    name, *rest = given
    options = arguments.command(name).parse_args(rest)
    if name == "completion":
        from .completion import print_completion

        return print_completion(options.shell)
    if name == "convert":
        from .convert import convert

        return convert(options, narration)
    if name == "doctor":
        from ..backends.doctor.examining import examine, looks
        from .doctor import doctor

        return doctor(options, examine(looks(config, warnings)), narration)
    for warning in warnings:
        narration.note(warning)
    with closing(open_backends(config)) as backends:
        return _ask(name, options, backends, narration)


def _ask(name: str, options: Namespace, backends: "Backends", narration: Narration) -> int:
    """The commands that need what answers."""
    match name:
        case "keys":
            from .keys import manage

            return manage(options, backends, narration)
        case "models":
            return _models(options, backends, narration)
        case "pull":
            from .pull import pull

            return pull(options, backends.fetch, narration)
        case "serve":
            from .serve import serve

            return serve(options, backends, narration)
        case "show":
            from .question import read_question
            from .show import show
            from .unlocking import unlock

            question = read_question(options, backends.default_address, narration, show=True)
            unlock(question.ask.requests[0].address, backends)
            return show(options, question, backends, narration)
        case _:
            from .question import read_question
            from .run import check, run
            from .unlocking import unlock

            question = read_question(options, backends.default_address, narration)
            check(options, question)
            unlock(question.ask.requests[0].address, backends)
            return run(options, question, backends, narration)


def _models(options: Namespace, backends: "Backends", narration: Narration) -> int:
    """`qiao models`: all that can answer here, one provider's, or all about one model."""
    from .models import describe_model, list_models

    named: str | None = options.model
    if named is not None and ":" in named:
        return describe_model(options, backends.describe)
    from .providers import models_at_hand, models_of, unasked

    if named is not None:
        return list_models(options, models_of(named, backends, narration), narration)
    code = list_models(options, models_at_hand(backends), narration)
    if not (options.json or options.addresses) and (rest := unasked(backends.sources())):
        narration.note(say("cli.not_asked", providers=", ".join(rest), first=rest[0]))
    return code


def _open_backends(config: Config) -> "Backends":
    from ..backends.registry import Backends

    return Backends(config)


def _workbench(options: Namespace, config: Config, warnings: list[str], narration: Narration) -> int:
    """The screen, after all that could keep it from starting has been looked at."""
    files = [Path(name) for name in options.file]
    pattern = None if options.pattern is None else Path(options.pattern)
    if options.run and not files and pattern is None:
        raise arguments.WrongUsage("cli.run_needs_file")
    for name in options.file:
        _check_new(name)
    if not (is_terminal(sys.stdin) and is_terminal(sys.stdout)):
        raise Unreadable("cli.no_terminal")
    # Under the screen, and there again when it is left.
    for warning in warnings:
        narration.note(warning)
    # Nothing that starting makes is garbage; looking for some takes a tenth of the time to the first paint. The app
    # takes it up again.
    gc.disable()
    if options.plain:
        config = structs.replace(config, plain=True)
    if config.plain:
        # Before the signs of the screen are chosen, which is when they are imported.
        os.environ["QIAO_ASCII"] = "plain"
    from ..tui.program import run_workbench

    return run_workbench(files, pattern=pattern, run_at_once=options.run, config=config, warnings=warnings)


def _check_new(name: str) -> None:
    """A new file is made by naming it: but not in a folder that isn't there, and `qiao modles` names none.

    Raises:
        Unreadable: no file can be made of that name, or it is nearly a command's.
    """
    if name == "-":
        raise Unreadable("cli.no_stdin")
    file = Path(name)
    if os.path.exists(file):
        return
    if not os.path.isdir(file.parent):
        raise Unreadable("document.no_folder", folder=str(file.parent), file=file.name)
    if file.suffix or file.name != name:
        return
    from difflib import get_close_matches

    if close := get_close_matches(name, arguments.COMMANDS, n=1, cutoff=0.75):
        raise Unreadable("cli.misspelt", name=name, command=close[0])
