"""Where models lie on this machine: the configured directories, ModelScope's cache and Hugging Face's.

Only folders are looked at here; `checkpoint` tells what is in them.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from .checkpoint import GGUF, is_later_shard

_MARKS = ("config.json", "adapter_config.json")
_WEIGHTS = (GGUF, ".safetensors", ".bin")
_REPO = "models--"


class Candidate(NamedTuple):
    """A directory or a GGUF file that may hold a model, and the name that it would be addressed by."""

    name: str
    path: Path


def decoded(name: str) -> str:
    """A model's name as its owner wrote it: ModelScope kept `.` as `___` in folder names before version 1.38."""
    return name.replace("___", ".")


def configured(directories: Sequence[Path]) -> Iterator[Candidate]:
    """What lies in these directories: each itself, its folders, theirs (OWNER/NAME), GGUF files, hubs' caches."""
    for directory in directories:
        root = _home_filled_in(directory)
        names = _names(root)
        if _holds_model(names) and "config.json" in names:
            yield from _model(decoded(root.absolute().name), root, names)
            continue
        yield from (Candidate(name, root / name) for name in names if _is_gguf(name))
        yield from _folders(root, names)
        yield from _hugging_face_repos(root, names)
        if "models" in names:
            yield from _modelscope_repos(root / "models")
            yield from _folders(root / "models", _names(root / "models"), only_owned=True)


def modelscope() -> Iterator[Candidate]:
    """What lies in ModelScope's cache, in any of the layouts that its versions have used.

    `MODELSCOPE_CACHE`, else `~/.cache/modelscope`; below it or below its `hub`: `models/OWNER--NAME/snapshots/REVISION`
    (since 1.38), `models/OWNER/NAME` and `OWNER/NAME` (before, with `.` kept as `___`).
    """
    base = _home_filled_in(os.environ.get("MODELSCOPE_CACHE") or "~/.cache/modelscope")
    for root in (base, base / "hub"):
        yield from _modelscope_repos(root / "models")
        yield from _folders(root / "models", _names(root / "models"), only_owned=True)
        yield from _folders(root, _names(root), only_owned=True)


def hugging_face() -> Iterator[Candidate]:
    """What lies in Hugging Face's cache: `models--OWNER--NAME/snapshots/COMMIT`, the commit that `refs/main` names.

    `HF_HUB_CACHE`, else `HF_HOME/hub`, else `~/.cache/huggingface/hub` (`XDG_CACHE_HOME` for `~/.cache`).
    """
    root = _hugging_face_root()
    yield from _hugging_face_repos(root, _names(root))


def inside(path: Path) -> list[Candidate]:
    """What a directory that a person named holds: itself, the snapshot if it is a hub's repository, its GGUF files."""
    names = _names(path)
    if "snapshots" in names:
        snapshot = _hugging_face_snapshot(path) if "refs" in names else _modelscope_snapshot(path)
        if snapshot is not None:
            path, names = snapshot, _names(snapshot)
    return list(_model(path.name, path, names)) if _holds_model(names) else []


def _hugging_face_root() -> Path:
    named = os.environ.get("HF_HUB_CACHE") or os.environ.get("HUGGINGFACE_HUB_CACHE")
    if named:
        return _home_filled_in(named)
    home = os.environ.get("HF_HOME")
    if home:
        return _home_filled_in(home) / "hub"
    return _home_filled_in(os.environ.get("XDG_CACHE_HOME") or "~/.cache") / "huggingface" / "hub"


def _home_filled_in(path: str | Path) -> Path:
    """The path with `~` replaced; as it is where there is no such user, unlike Path's own method, which raises."""
    return Path(os.path.expanduser(path))


def _names(directory: Path) -> list[str]:
    """What is in the directory, sorted, without hidden files and half-done downloads; nothing if it can't be read."""
    try:
        return sorted(name for name in os.listdir(directory) if not name.startswith("."))
    except (OSError, ValueError):
        return []


def _is_gguf(name: str) -> bool:
    """Whether the file may be a GGUF model: not a further part of a split one, nor a vision projector beside one."""
    return name.lower().endswith(GGUF) and not is_later_shard(name) and not name.lower().startswith("mmproj")


def _holds_model(names: list[str]) -> bool:
    return any(name in _MARKS or name.lower().endswith(_WEIGHTS) for name in names)


def _model(name: str, path: Path, names: list[str]) -> Iterator[Candidate]:
    """The directory if it holds safetensors or no GGUF; and its GGUF files, a lone one under the directory's name."""
    ggufs = [n for n in names if _is_gguf(n)]
    # A config.json alone doesn't count: some repositories of GGUF files carry the original's.
    itself = not ggufs or any(n.endswith(".safetensors") for n in names)
    if itself:
        yield Candidate(name, path)
    if len(ggufs) == 1 and not itself:
        yield Candidate(name, path / ggufs[0])
    else:
        yield from (Candidate(f"{name}/{n}", path / n) for n in ggufs)


def _folders(root: Path, names: list[str], only_owned: bool = False) -> Iterator[Candidate]:
    """Models in the root's folders (unless `only_owned`), and in the folders of those that are none, as OWNER/NAME."""
    for owner in names:
        folder = root / owner
        if owner.startswith(_REPO) or owner.lower().endswith(_WEIGHTS):
            continue
        inner = _names(folder)
        if _holds_model(inner):
            if not only_owned:
                yield from _model(decoded(owner), folder, inner)
            continue
        for name in inner:
            files = _names(folder / name)
            if _holds_model(files):
                yield from _model(f"{decoded(owner)}/{decoded(name)}", folder / name, files)


def _modelscope_repos(root: Path) -> Iterator[Candidate]:
    for repo in _names(root):
        owner, dashes, name = repo.partition("--")
        if dashes and not repo.startswith(_REPO):
            snapshot = _modelscope_snapshot(root / repo)
            if snapshot is not None:
                yield from _model(f"{owner}/{name}", snapshot, _names(snapshot))


def _modelscope_snapshot(repo: Path) -> Path | None:
    """The revision that ModelScope itself would take: `master`, else `main`; else the newest."""
    snapshots = repo / "snapshots"
    names = _names(snapshots)
    chosen = next((name for name in ("master", "main") if name in names), None)
    return snapshots / chosen if chosen else _newest(snapshots, names)


def _hugging_face_repos(root: Path, names: list[str]) -> Iterator[Candidate]:
    for repo in names:
        if repo.startswith(_REPO):
            snapshot = _hugging_face_snapshot(root / repo)
            if snapshot is not None:
                yield from _model(repo.removeprefix(_REPO).replace("--", "/", 1), snapshot, _names(snapshot))


def _hugging_face_snapshot(repo: Path) -> Path | None:
    """The snapshot that `refs/main` names; where that is missing, the newest one."""
    snapshots = repo / "snapshots"
    try:
        commit = (repo / "refs" / "main").read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        commit = ""
    names = _names(snapshots)
    return snapshots / commit if commit in names else _newest(snapshots, names)


def _newest(folder: Path, names: list[str]) -> Path | None:
    def changed(path: Path) -> float:
        try:
            return path.stat().st_mtime
        except OSError:
            return 0.0

    return max((folder / name for name in names), key=changed, default=None)
