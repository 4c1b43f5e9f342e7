"""What can be written after `qiao`: the tree of arguments, and its help in the person's language."""

import argparse
import re
import shutil
from collections.abc import Iterable
from typing import Any, NoReturn

from ..workbench.errors import QiaoError
from ..workbench.words import say
from .cells import wrapped
from .streams import Data

COMMANDS = ("run", "show", "models", "pull", "serve", "keys", "convert", "doctor", "completion")
KEY_ACTIONS = ("set", "list", "delete", "test")
HUBS = ("modelscope", "hf")
SHELLS = ("bash", "zsh", "fish")


class WrongUsage(QiaoError):
    """What was written after `qiao` can't be understood."""


_COMPLAINTS = (
    (r"the following arguments are required: (?P<names>.+)", "cli.usage_required"),
    (r"unrecognized arguments: (?P<names>.+)", "cli.usage_unknown"),
    (r"argument (?P<name>.+): expected (one|at least one) argument", "cli.usage_no_value"),
    (r"argument (?P<name>.+): not allowed with argument (?P<other>.+)", "cli.usage_not_together"),
    (r"argument (?P<name>.+): invalid choice: '(?P<found>.*)' \(choose from (?P<choices>.+)\)", "cli.usage_choice"),
    (r"argument (?P<name>.+): ignored explicit argument '(?P<found>.*)'", "cli.usage_takes_no_value"),
)
"""argparse says what is wrong in English only."""


class _Help(argparse.RawDescriptionHelpFormatter):
    """Help that knows how wide Chinese is, and its own words for argparse's."""

    def __init__(self, prog: str) -> None:
        columns = min(shutil.get_terminal_size().columns, 100) - 2
        super().__init__(prog, max_help_position=24, width=columns)

    def add_usage(
        self,
        usage: str | None,
        actions: Iterable[argparse.Action],
        groups: Iterable[argparse._MutuallyExclusiveGroup],  # pyright: ignore[reportPrivateUsage]
        prefix: str | None = None,
    ) -> None:
        super().add_usage(usage, actions, groups, prefix or say("cli.usage_prefix"))

    def _split_lines(self, text: str, width: int) -> list[str]:
        return wrapped(text, width)

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(indent + line for paragraph in text.splitlines() for line in wrapped(paragraph, width))


class _Version(argparse.Action):
    """Looks the version up only when it is asked for: that costs more than the rest of the help."""

    def __call__(self, parser: argparse.ArgumentParser, *_: Any) -> NoReturn:
        from importlib.metadata import version

        Data().write(f"qiao {version('qiao')}\n")
        parser.exit()


class Parser(argparse.ArgumentParser):
    """Raises instead of ending the program; makes no guesses at shortened options."""

    def __init__(self, prog: str, about: str, *, usage: str | None = None, examples: str = "") -> None:
        super().__init__(
            prog,
            usage,
            description=about,
            epilog=f"{say('cli.examples')}\n{examples}" if examples else None,
            formatter_class=_Help,
            add_help=False,
            allow_abbrev=False,
        )
        self.named = self.add_argument_group(say("cli.arguments"))
        self.options = self.add_argument_group(say("cli.options"))

    def add_help_option(self) -> None:
        """`-h`, listed after the options added before it."""
        self.options.add_argument("-h", "--help", action="help", help=say("cli.help_help"))

    def print_help(self, file: object = None) -> None:
        Data().write(self.format_help())

    def error(self, message: str) -> NoReturn:
        for pattern, key in _COMPLAINTS:
            if match := re.fullmatch(pattern, message, re.DOTALL):
                message = say(key, **match.groupdict())
                break
        else:
            message = say("cli.usage_other", message=message)
        raise WrongUsage("cli.usage_wrong", message=message, prog=self.prog)


def workbench() -> Parser:
    """`qiao [FILE…]`, without the commands."""
    parser = Parser("qiao", say("cli.about"), usage=say("cli.usage"), examples=say("cli.examples_qiao"))
    parser.named.add_argument("file", nargs="*", metavar="FILE", help=say("cli.help_files"))
    _workbench_options(parser)
    return parser


def _workbench_options(parser: Parser) -> None:
    parser.options.add_argument("--run", action="store_true", help=say("cli.help_run_at_once"))
    parser.options.add_argument("--from", dest="pattern", metavar="FILE", help=say("cli.help_from"))
    parser.options.add_argument("--plain", action="store_true", help=say("cli.help_plain"))
    parser.options.add_argument("--version", action=_Version, nargs=0, help=say("cli.help_version"))
    parser.add_help_option()


def help_page() -> Parser:
    """What `qiao --help` prints: `workbench`, and the commands. Parses nothing."""
    parser = Parser("qiao", say("cli.about"), usage=say("cli.usage"), examples=say("cli.examples_qiao"))
    commands = parser.named
    commands.title = say("cli.commands")
    for name in COMMANDS:
        commands.add_argument(name, help=say(f"cli.about_{name}"))
    parser.options.add_argument("file", nargs="*", metavar="FILE", help=say("cli.help_files"))
    _workbench_options(parser)
    return parser


def tree() -> Parser:
    """Everything in one tree, for a shell's completion. Parses nothing."""
    parser = Parser("qiao", say("cli.about"))
    # Called with what `add_parser` is given, and only that is asked of it.
    commands = parser.add_subparsers(parser_class=_given)  # pyright: ignore[reportArgumentType]
    for name in COMMANDS:
        commands.add_parser(name, parser=command(name), help=say(f"cli.about_{name}"))
    _workbench_options(parser)
    return parser


def _given(*, parser: Parser, prog: str) -> Parser:
    """Stands for the class of a subparser: the parser is there already."""
    return parser


def command(name: str) -> Parser:
    """The arguments of one of COMMANDS."""
    examples = say(f"cli.examples_{name}")
    parser = Parser(f"qiao {name}", say(f"cli.about_{name}"), examples=examples)
    match name:
        case "run":
            _question(parser)
            parser.options.add_argument("--save", action="store_true", help=say("cli.help_save"))
        case "show":
            _question(parser)
        case "models":
            parser.named.add_argument("model", metavar="ADDRESS|PROVIDER", nargs="?", help=say("cli.help_models"))
            parser.options.add_argument("--addresses", action="store_true", help=say("cli.help_addresses"))
        case "pull":
            parser.named.add_argument("model", metavar="ADDRESS", help=say("cli.help_pull"))
            parser.options.add_argument("--from", dest="hub", choices=HUBS, help=say("cli.help_hub"))
        case "keys":
            parser.named.add_argument("action", choices=KEY_ACTIONS, metavar="ACTION", help=say("cli.help_keys_action"))
            parser.named.add_argument("provider", nargs="?", metavar="PROVIDER", help=say("cli.help_keys_provider"))
            # Taken in so that it can be refused without being quoted.
            parser.named.add_argument("key", nargs="*", default=[], help=argparse.SUPPRESS)
            to = parser.options.add_argument("--to", choices=("keyring", "file"), help=say("cli.help_keys_to"))
            to.metavar = "keyring|file"
        case "convert":
            from ..workbench.exchange.formats import FORMATS

            parser.named.add_argument("source", metavar="IN", help=say("cli.help_convert_in"))
            parser.named.add_argument("target", metavar="OUT", help=say("cli.help_convert_out"))
            add = parser.options.add_argument
            readable = [each.name for each in FORMATS if each.read]
            writable = [each.name for each in FORMATS if each.write]
            add("--from", dest="read_as", choices=readable, metavar="FORMAT", help=_choices("help_read_as", readable))
            add("--to", dest="write_as", choices=writable, metavar="FORMAT", help=_choices("help_write_as", writable))
            add("--force", action="store_true", help=say("cli.help_force"))
        case "doctor":
            pass
        case "serve":
            parser.named.add_argument("model", metavar="ADDRESS", help=say("cli.help_serve"))
            # All that follows, with `--` before it or without.
            parser.named.add_argument(
                "flags", nargs=argparse.REMAINDER, metavar="-- FLAG", help=say("cli.help_serve_flags")
            )
        case _:
            parser.named.add_argument("shell", choices=SHELLS, metavar="SHELL", help=say("cli.help_shell"))
    if name in ("run", "show", "models", "keys", "doctor"):
        parser.options.add_argument("--json", action="store_true", help=say(f"cli.help_json_{name}"))
    parser.add_help_option()
    return parser


def _choices(key: str, choices: Iterable[str]) -> str:
    return say(f"cli.{key}", formats=", ".join(choices))


def _question(parser: Parser) -> None:
    """What `run` and `show` have in common: a conversation, and what is different for this once."""
    add = parser.options.add_argument
    parser.named.add_argument("file", metavar="FILE", help=say("cli.help_file"))
    add("-m", "--model", metavar="ADDRESS", help=say("cli.help_model"))
    add("--set", metavar="KEY=VALUE", action="append", default=[], help=say("cli.help_set"))
    add("--var", metavar="NAME=VALUE", action="append", default=[], help=say("cli.help_var"))
    add("--system", metavar="TEXT", help=say("cli.help_system"))
    way = parser.options.add_mutually_exclusive_group()
    way.add_argument("--retake", action="store_true", help=say("cli.help_retake"))
    way.add_argument("--continue", dest="go_on", action="store_true", help=say("cli.help_continue"))
