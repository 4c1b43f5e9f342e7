"""Finds the models on this machine, and the one that an address names, without loading anything."""

import difflib
import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from ...workbench.address import LOCAL, STARTER, Address
from ...workbench.errors import Refused
from ...workbench.seam import Model
from ...workbench.visible import visible_line
from . import caches
from .caches import Candidate
from .checkpoint import GGUF, Checkpoint, inspect

_PATH_STARTS = ("/", "./", "../", "~")


class _Found(NamedTuple):
    """A model, and the name that its place gives it."""

    name: str
    checkpoint: Checkpoint


def find(directories: Sequence[Path]) -> list[Model]:
    """All language models on this machine: those in these directories, then ModelScope's cache, then Hugging Face's.

    A model that `resolve` wouldn't find under its name (another one has it) is listed under its path. One that is
    there but can't be used says why in `problem`.
    """
    models: list[Model] = []
    taken: set[str] = {STARTER.name}
    seen: set[tuple[int, int]] = set()
    for tier in _tiers(directories):
        found = [
            _Found(candidate.name, checkpoint)
            for candidate in tier
            if _is_new(candidate.path, seen)
            for checkpoint in [inspect(candidate.path)]
            if checkpoint.obstacle is None or not checkpoint.obstacle.hides
        ]
        all_names = Counter(entry.name for entry in found)
        usable = Counter(entry.name for entry in found if entry.checkpoint.obstacle is None)
        for name, checkpoint in sorted(found, key=lambda entry: entry.name.casefold()):
            alone = all_names[name] == 1 or (usable[name] == 1 and checkpoint.obstacle is None)
            by_name = alone and name not in taken and not is_path(name)
            models.append(_model(name if by_name else str(checkpoint.path.absolute()), name, checkpoint))
        taken.update(usable)
    return models


def model_at(address: Address, path: Path) -> Model:
    """The model at a path that needn't be among those listed."""
    return msgspec.structs.replace(_model(address.name, path.name, inspect(path)), address=address)


def place(name: str, directories: Sequence[Path]) -> Path:
    """The path that `local:NAME` means, also of what can't be loaded if it was named by its path.

    Raises:
        Refused: there is no such thing, or several.
    """
    try:
        return resolve(name, directories)
    except Refused as error:
        path = Path(os.path.expanduser(name))
        if error.key == "models.no_model" and is_path(name):
            return path
        raise


def resolve(name: str, directories: Sequence[Path]) -> Path:
    """The model directory or GGUF file that `local:NAME` means.

    Args:
        name: a path, if it starts with `/`, `./`, `../` or `~`; else looked up where `find` looks, in that order.
        directories: the configured ones.

    Raises:
        Refused: there is no such model, or two of that name in one place, or what is there can't be loaded.
    """
    if is_path(name):
        return _at(Path(os.path.expanduser(name)), name)
    wanted = caches.decoded(name)
    blocked: list[Checkpoint] = []
    known: list[str] = []
    for tier in _tiers(directories):
        candidates = list(tier)
        known += [candidate.name for candidate in candidates]
        checkpoints = _distinct(candidate for candidate in candidates if candidate.name == wanted)
        usable = [checkpoint for checkpoint in checkpoints if checkpoint.obstacle is None]
        if len(usable) > 1:
            raise Refused("models.twice", name=visible_line(name), paths=_listed(c.path for c in usable))
        if usable:
            return usable[0].path
        blocked += checkpoints
    inner = [other for other in known if other.startswith(f"{wanted}/") and other.lower().endswith(GGUF)]
    if inner:
        raise Refused("models.which_file", name=visible_line(name), files=_listed(f"local:{n}" for n in inner))
    if blocked:
        raise _refusal(blocked[0])
    close = difflib.get_close_matches(wanted.lower(), {other.lower() for other in known}, n=1, cutoff=0.6)
    meant = next((other for other in known if close and other.lower() == close[0]), None)
    on_a_hub = "_on_a_hub" if name.count("/") == 1 else ""
    if meant:
        raise Refused(f"models.unknown_but{on_a_hub}", name=visible_line(name), meant=visible_line(meant))
    raise Refused(f"models.unknown{on_a_hub}", name=visible_line(name))


def is_path(name: str) -> bool:
    """Whether the name in an address `local:NAME` is a path."""
    return name.startswith(_PATH_STARTS) or name in (".", "..")


def _tiers(directories: Sequence[Path]) -> Iterator[Iterator[Candidate]]:
    yield caches.configured(directories)
    yield caches.modelscope()
    yield caches.hugging_face()


def _is_new(path: Path, seen: set[tuple[int, int]]) -> bool:
    """Whether this is the first way to the directory or file; a link to it, or a nested root, is a second one."""
    try:
        stat = os.stat(path)
    except OSError:
        return False
    identity = (stat.st_dev, stat.st_ino)
    if identity in seen:
        return False
    seen.add(identity)
    return True


def _distinct(candidates: Iterator[Candidate]) -> list[Checkpoint]:
    seen: set[tuple[int, int]] = set()
    return [inspect(candidate.path) for candidate in candidates if _is_new(candidate.path, seen)]


def _at(path: Path, written: str) -> Path:
    """The model at a path that a person wrote."""
    # Unlike Path's own methods, these never raise, whatever the path is made of.
    if not os.path.exists(path):
        raise Refused("models.no_such_path", path=visible_line(written))
    if os.path.isfile(path):
        if not path.name.lower().endswith(GGUF):
            raise Refused("models.no_model_file", path=visible_line(written))
        return _usable(inspect(path))
    inner = caches.inside(path)
    if len(inner) > 1 and inner[0].path != path:
        files = _listed(str(candidate.path) for candidate in inner)
        raise Refused("models.which_file", name=visible_line(written), files=files)
    return _usable(inspect(inner[0].path if inner else path))


def _usable(checkpoint: Checkpoint) -> Path:
    if checkpoint.obstacle is not None:
        raise _refusal(checkpoint)
    return checkpoint.path


def _refusal(checkpoint: Checkpoint) -> Refused:
    return Refused("models.no_model", path=visible_line(str(checkpoint.path)), problem=checkpoint.obstacle)


def _listed(values: Iterator[Path] | Iterator[str]) -> str:
    return ", ".join(visible_line(str(value)) for value in values)


def _model(address: str, name: str, checkpoint: Checkpoint) -> Model:
    return Model(
        address=Address(LOCAL, address),
        title=name.rpartition("/")[2],
        state="on_disk",
        kind=checkpoint.kind,
        parameters=checkpoint.parameters,
        size_bytes=checkpoint.size_bytes,
        context_length=checkpoint.context_length,
        path=str(checkpoint.path),
        problem=None if checkpoint.obstacle is None else str(checkpoint.obstacle),
        dtype=checkpoint.stored_as,
    )
