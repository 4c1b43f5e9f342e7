"""Tells from the files alone what a directory or a GGUF file holds: kind of model, size, usable or why not."""

import os
from collections import Counter
from pathlib import Path
from typing import NamedTuple

import msgspec

from ...workbench.seam import Kind
from ...workbench.visible import visible_line
from ...workbench.words import say
from . import gguf_header, safetensors_header
from .kind import Stops, kind_of
from .kv_cache import NO_CACHE, KvCache, of_gguf
from .model_config import Experts, ModelConfig, read_config, read_json, read_stops, read_template, read_weight_map

GGUF = ".gguf"
_PICKLED = (".bin", ".pt", ".pth", ".ckpt")
_TOKENIZERS = ("tokenizer.json", ".model", "tokenizer_config.json", "vocab.json", "vocab.txt", ".tiktoken")
_READ = (GGUF, ".safetensors", ".json", ".jinja", ".model", ".txt", ".tiktoken", *_PICKLED)
_EMBEDDING_FILES = ("modules.json", "config_sentence_transformers.json", "1_Pooling")
_SHARD = "-00001-of-"


class Obstacle(NamedTuple):
    """Why it can't be used: an entry of the word catalogue's area `models`, and what its placeholders stand for."""

    key: str
    params: tuple[tuple[str, str], ...] = ()
    hides: bool = False
    """It is no language model at all, so that it isn't listed."""

    def __str__(self) -> str:
        return say(self.key, **{name: visible_line(value) for name, value in self.params})


class Checkpoint(msgspec.Struct, frozen=True):
    """What a directory or a GGUF file holds, as far as its files tell."""

    path: Path
    """The directory, or the GGUF file."""
    kind: Kind | None = None
    parameters: int | None = None
    dtype: str | None = None
    """What most parameters are stored in, as `BF16` (safetensors' names) or `Q4_1` (GGUF's)."""
    quantisation: str | None = None
    """How safetensors are quantised, as `AWQ 4-bit`."""
    size_bytes: int | None = None
    """Of the weights on disk."""
    context_length: int | None = None
    """In tokens, as trained."""
    obstacle: Obstacle | None = None
    kv: KvCache = NO_CACHE
    experts: Experts | None = None
    embedding_parameters: int = 0
    load_dtype: str | None = None
    """What its configuration says that it is to be loaded as, as `bfloat16`."""
    has_template: bool = False
    """It ships a chat template, whatever its kind."""
    adapts: str | None = None
    """For an adapter: the model that it belongs to, as its maker named it."""

    @property
    def stored_as(self) -> str | None:
        """The format of the weights for a person to read: `BF16`, `Q4_1`, `AWQ 4-bit`."""
        return self.quantisation or self.dtype


Fingerprint = tuple[tuple[str, int, int], ...]
_known: dict[Path, tuple[Fingerprint, Checkpoint]] = {}


def inspect(path: Path) -> Checkpoint:
    """What the directory or GGUF file holds. Read again only when a file's size or time has changed.

    Never raises: what is wrong is the checkpoint's `obstacle`.
    """
    try:
        fingerprint = _fingerprint(path)
    except OSError as error:
        return Checkpoint(path, obstacle=_unreadable(path, error))
    known = _known.get(path)
    if known is not None and known[0] == fingerprint:
        return known[1]
    try:
        if path.name.lower().endswith(GGUF) and path.is_file():
            found = _gguf(path)
        else:
            found = _directory(path, {name: size for name, _, size in fingerprint})
    except OSError as error:
        return Checkpoint(path, obstacle=_unreadable(path, error))
    _known[path] = (fingerprint, found)
    return found


def _fingerprint(path: Path) -> Fingerprint:
    """Name, time of change (ns), size (bytes) of each file that counts; links are followed, dangling ones left out."""
    if path.is_file():
        stat = path.stat()
        return ((path.name, stat.st_mtime_ns, stat.st_size),)
    found: list[tuple[str, int, int]] = []
    with os.scandir(path) as entries:
        for entry in entries:
            if entry.name.lower().endswith(_READ) or entry.name in _EMBEDDING_FILES:
                try:
                    stat = entry.stat()
                except OSError:
                    continue
                found.append((entry.name, stat.st_mtime_ns, stat.st_size))
    found.sort()
    return tuple(found)


def _unreadable(path: Path, error: OSError) -> Obstacle:
    file = Path(error.filename).name if isinstance(error.filename, str) else path.name
    return Obstacle("models.unreadable", (("file", file), ("reason", error.strerror or type(error).__name__)))


def _gguf(path: Path) -> Checkpoint:
    shards = _gguf_shards(path)
    size = sum(shard.stat().st_size for shard in shards)
    try:
        header = gguf_header.read(path)
    except ValueError:
        pointer = path.read_bytes() if size < 1024 else b""
        flaw = "lfs_pointer" if pointer.startswith(safetensors_header.LFS_POINTER) else "broken"
        return Checkpoint(path, size_bytes=size, obstacle=_flaw(path.name, flaw))
    architecture = header.text("general.architecture")
    obstacle = None
    if header.text("general.type") == "adapter":
        adapts = header.text("general.base_model.0.name") or header.text("general.base_model.0.repo_url") or None
        obstacle = _of_adapter(adapts)
    elif f"{architecture}.pooling_type" in header.values:
        obstacle = Obstacle("models.embedding", hides=True)
    elif f"{architecture}.context_length" not in header.values:
        # A vision projector, an importance matrix, a vocabulary alone.
        obstacle = Obstacle("models.not_language", (("what", architecture or path.name),), hides=True)
    elif len(shards) > 1:
        obstacle = Obstacle("models.split")
    # Its own words before its file's, which may have been renamed.
    told = (header.text("general.finetune"), header.text("general.name"), path.stem)
    return Checkpoint(
        path,
        kind_of(header.text("tokenizer.chat_template"), "-".join(told)),
        header.parameters if len(shards) == 1 else None,
        header.dtype,
        size_bytes=size,
        context_length=header.number(f"{architecture}.context_length"),
        obstacle=obstacle,
        kv=of_gguf(header),
        has_template=bool(header.text("tokenizer.chat_template")),
    )


def _gguf_shards(path: Path) -> list[Path]:
    """All files of a GGUF model split into several, of which this is the first; else only this one."""
    before, mark, after = path.name.partition(_SHARD)
    if not mark:
        return [path]
    return sorted(
        p for p in path.parent.iterdir() if p.name.startswith(f"{before}-") and p.name.endswith(f"-of-{after}")
    )


def is_later_shard(name: str) -> bool:
    """Whether a GGUF file's name says that it is a further part of one split into several."""
    before, mark, _ = name.rpartition("-of-")
    return bool(mark) and before[-5:].isdigit() and _SHARD not in name


def _directory(path: Path, sizes: dict[str, int]) -> Checkpoint:
    if "adapter_config.json" in sizes and "config.json" not in sizes:
        return _adapter(path, sizes)
    if "config.json" not in sizes:
        weights = any(name.endswith((".safetensors", *_PICKLED)) for name in sizes)
        return Checkpoint(path, obstacle=Obstacle("models.no_config", hides=not weights))
    config = read_config(path / "config.json")
    if config is None:
        return Checkpoint(path, obstacle=_flaw("config.json", "broken"))
    weights = _weights(path, sizes, config)
    obstacle = _not_answering(sizes, config) or weights.obstacle
    if obstacle is None and not any(name.endswith(_TOKENIZERS) for name in sizes):
        obstacle = Obstacle("models.no_tokenizer")
    template = read_template(path, sizes)
    return Checkpoint(
        path,
        kind_of(template, model_name(path), read_stops(path, sizes) if template else Stops()),
        weights.parameters,
        weights.dtype,
        config.quantisation,
        weights.size_bytes,
        config.context_length,
        obstacle,
        config.kv,
        config.experts,
        config.embedding_parameters,
        config.dtype,
        bool(template),
    )


def model_name(path: Path) -> str:
    """What the model is called, as far as its place tells: a hub's cache has a folder for each revision below it."""
    return path.parent.parent.name if path.parent.name == "snapshots" else path.name


def _adapter(path: Path, sizes: dict[str, int]) -> Checkpoint:
    """LoRA and the like: weights to be added to another model's."""
    settings = read_json(path / "adapter_config.json") or {}
    named = settings.get("base_model_name_or_path")
    adapts = named if isinstance(named, str) and named else None
    size = sum(size for name, size in sizes.items() if name.startswith("adapter_model"))
    return Checkpoint(path, size_bytes=size or None, obstacle=_of_adapter(adapts), adapts=adapts)


def _of_adapter(adapts: str | None) -> Obstacle:
    return Obstacle("models.adapter_alone") if adapts is None else Obstacle("models.adapter", (("base", adapts),))


def _not_answering(sizes: dict[str, int], config: ModelConfig) -> Obstacle | None:
    if any(name in sizes for name in _EMBEDDING_FILES):
        return Obstacle("models.embedding", hides=True)
    if not config.is_language_model:
        return Obstacle("models.not_language", (("what", config.architecture),), hides=True)
    return None


class _Weights(NamedTuple):
    parameters: int | None = None
    dtype: str | None = None
    size_bytes: int | None = None
    obstacle: Obstacle | None = None


def _weights(path: Path, sizes: dict[str, int], config: ModelConfig) -> _Weights:
    index = "model.safetensors.index.json"
    if index in sizes:
        names = read_weight_map(path / index)
        if names is None:
            return _Weights(obstacle=_flaw(index, "broken"))
    elif "model.safetensors" in sizes:
        names = ["model.safetensors"]
    else:
        return _Weights(obstacle=_without_safetensors(path, sizes))
    missing = [name for name in names if name not in sizes]
    if missing:
        if _download_goes_on(path):
            here = sum(sizes.get(name, 0) for name in names)
            return _Weights(size_bytes=here or None, obstacle=Obstacle("models.download_unfinished"))
        counts = (("missing", str(len(missing))), ("total", str(len(names))), ("file", missing[0]))
        return _Weights(
            size_bytes=sum(sizes.get(name, 0) for name in names), obstacle=Obstacle("models.incomplete", counts)
        )
    stored: Counter[str] = Counter()
    total = 0
    for name in names:
        try:
            header = safetensors_header.read(path / name)
        except safetensors_header.Flawed as error:
            return _Weights(obstacle=_flaw(name, error.flaw))
        total += header.size_bytes
        stored.update(safetensors_header.parameters(header.tensors, config.quantised_bits))
    dtype = stored.most_common(1)[0][0] if stored else None
    return _Weights(sum(stored.values()), dtype, total)


def _without_safetensors(path: Path, sizes: dict[str, int]) -> Obstacle:
    # training_args.bin, optimizer.pt and the like lie beside weights, but are none.
    pickled = [n for n in sizes if n.endswith(_PICKLED) and n.startswith(("pytorch_model", "model", "consolidated"))]
    if pickled:
        return Obstacle("models.pickled", (("file", pickled[0]),))
    if _download_goes_on(path):
        return Obstacle("models.download_unfinished")
    return Obstacle("models.no_weights", hides=True)


def _download_goes_on(path: Path) -> bool:
    """Whether a hub's client has left a file here, or among the blobs of a Hugging Face snapshot, that isn't whole."""
    places = [path, path.parent.parent / "blobs"] if path.parent.name == "snapshots" else [path]
    for place in places:
        try:
            with os.scandir(place) as files:
                if any(file.name.endswith(".incomplete") for file in files):
                    return True
        except OSError:
            continue
    return False


def _flaw(file: str, flaw: safetensors_header.Flaw) -> Obstacle:
    return Obstacle(f"models.{flaw}", (("file", file),))
