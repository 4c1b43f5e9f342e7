"""The person's settings, `config.toml`. Whatever is wrong in it is told in a line and left out, never fatal."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta

from .errors import Unreadable
from .paths import config_dir
from .saving import read
from .toml_problems import problems, without
from .toml_shape import read as read_table
from .toml_source import parsed
from .visible import visible_line
from .words import say

NAME = "config.toml"


class LocalModel(msgspec.Struct, frozen=True):
    """What there is to say of one model on this machine; the name of its table is the address after `local:`."""

    kind: Literal["base", "instruct", "reasoning"] | None = None
    """Of the model: a base model is given plain text, the others their chat template. None: as its files tell."""
    quantize: Literal["4bit"] | None = None
    """Packs the weights while they are loaded; takes bitsandbytes. None: as they are stored."""


class Local(msgspec.Struct, frozen=True):
    """Models that are answered on this machine."""

    directories: tuple[str, ...] = ()
    """Each folder in one of these that holds a model is listed. `~` stands for the home folder."""
    hub: Literal["modelscope", "hf"] = "modelscope"
    """Where `qiao pull` fetches models from, unless told otherwise."""
    unload_after_minutes: Annotated[float, Meta(gt=0)] | None = None
    """A model that has answered nothing for so long gives its memory back. None: never."""
    model: dict[str, LocalModel] = {}


class Vllm(msgspec.Struct, frozen=True):
    """Managed vLLM servers."""

    command: str | None = None
    """What starts vLLM: a `vllm`, a Python that has it, or the folder of its environment; more words may follow, quoted
    as in a shell. None: the one on PATH."""


class Provider(msgspec.Struct, frozen=True):
    """An OpenAI-compatible server; the name of its table is the provider's in addresses."""

    base_url: str | None = None
    """Where it answers, up to and with `/v1`. None: as built in, for a provider that is."""
    key_env: str | None = None
    """The environment variable that holds its key. None: the keyring, service `qiao`, user the provider's name."""
    stall_seconds: Annotated[float, Meta(gt=0)] | None = None
    """After so long without new text an answer counts as broken off. None: 60, unless built in otherwise."""
    first_seconds: Annotated[float, Meta(gt=0)] | None = None
    """The same for the first text. None: 300, unless built in otherwise."""
    like: str | None = None
    """The built-in provider whose ways it has. None: its own, or those of vLLM."""
    region: str | None = None
    """Where a built-in provider answers, of the places that it has."""
    workspace: str | None = None
    """The workspace's id, where that has a host of its own."""
    completion: tuple[str, ...] | None = None
    """Its base models, `*` standing for anything: they get plain completion."""


class Config(msgspec.Struct, frozen=True):
    """All settings, each at its default unless the file says otherwise."""

    language: Literal["en", "zh"] | None = None
    """Of the screen and the command's messages. None: by LC_ALL, LC_MESSAGES or LANG."""
    model: str | None = None
    """The address of the model for new conversations. None: the starter."""
    theme: str | None = None
    """The name of a theme that comes with Qiao or lies in the `themes` folder beside the file. None: ink; plain where
    the terminal has 16 colours, or `plain` is set."""
    plain: bool = False
    """One column, no drawn signs, and what happens said in one line: for screen readers and simple terminals."""
    local: Local = Local()
    vllm: Vllm = Vllm()
    provider: dict[str, Provider] = {}
    keys: dict[str, str] = {}
    """Action id to its keys, parted by commas: `run = "r,f5"`."""


def load() -> tuple[Config, list[str]]:
    """The settings, and a line for each thing in the file that can't be used.

    Without a file, all is at its default. A file that can't be read at all counts as none; of one that can, only the
    wrong and the unknown keys are left out.
    """
    path = config_dir() / NAME
    try:
        table: dict[str, Any] = parsed(read(path).data, str(path))
    except Unreadable as error:
        missing = error.key == "document.not_found"
        return Config(), [] if missing else [say("document.config_unreadable", problem=str(error))]
    warnings: list[str] = []
    while wrong := list(problems(table, Config)):
        warnings += [
            say("document.config_ignored", file=visible_line(str(path)), problem=str(problem)) for problem in wrong
        ]
        table = without(table, [problem.path for problem in wrong])
    return read_table(table, Config), warnings
