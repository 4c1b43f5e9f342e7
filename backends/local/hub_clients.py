"""The two hubs, each through its own client: the person's endpoints, mirrors, tokens, proxies and caches are theirs.

Used in the fetching process only: the clients print, and can't be stopped from outside.
"""

import hashlib
import importlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from .hub_files import HubFile

OnBytes = Callable[[str, int], None]
"""Told, from any thread, that so many more bytes of a file are here; fewer than 0 if it begins anew."""

WORKERS = 4
_CHUNK = 1 << 20


class Listing(NamedTuple):
    """A repository."""

    files: list[HubFile]
    folder: Path
    """Where its files will be."""


class Corrupted(Exception):
    """A file arrived whole, but isn't the one that the hub lists."""


class HubClient(Protocol):
    """What both hubs can do. Their clients raise whatever they raise."""

    def list(self, repo: str) -> Listing: ...

    def fetch(self, repo: str, files: Sequence[HubFile], on_bytes: OnBytes) -> None: ...


class ModelScope:
    """ModelScope, through `modelscope_hub`: what `modelscope.snapshot_download` itself calls."""

    def __init__(self) -> None:
        from modelscope_hub import HubApi

        make: Any = HubApi
        self._api: Any = make()
        self._hashes: dict[str, str | None] = {}

    def list(self, repo: str) -> Listing:
        endpoint = self._api.resolve_endpoint_for_read(repo, repo_type="model")
        if endpoint:
            self._api = type(self._api)(endpoint=endpoint)
        found = [file for file in self._api.list_repo_files(repo, "model") if file.type != "tree"]
        self._hashes = {file.path: file.sha256 for file in found}
        folder = _modelscope_folder(repo)
        return Listing([HubFile(file.path, file.size, _have(folder / file.path, file.size)) for file in found], folder)

    def fetch(self, repo: str, files: Sequence[HubFile], on_bytes: OnBytes) -> None:
        class Callback:
            """Made by the client for each file."""

            def __init__(self, filename: str, file_size: int) -> None:
                self._name = filename

            def update(self, size: int) -> None:
                on_bytes(self._name, size)

            def end(self) -> None:
                pass

        entries = [{"Path": f.path, "Size": f.size, "Sha256": self._hashes.get(f.path), "Type": "blob"} for f in files]
        self._api.download_repo(repo, "model", file_list=entries, max_workers=WORKERS, progress_callbacks=[Callback])


def _modelscope_folder(repo: str) -> Path:
    """Where the client will put it: a folder of a version before 1.38 is used on."""
    root = Path(os.path.expanduser(os.environ.get("MODELSCOPE_CACHE") or "~/.cache/modelscope"))
    owner, _, name = repo.partition("/")
    encoded = Path("models") / owner / name.replace(".", "___")
    older = next((p for p in (root / encoded, root / "hub" / encoded) if p.is_dir() and any(p.iterdir())), None)
    return older or root / "models" / repo.replace("/", "--") / "snapshots" / "master"


class HuggingFace:
    """Hugging Face, or the mirror that HF_ENDPOINT names.

    Its client begins a file anew in every process. A model's files are gigabytes, so here they are fetched into the
    cache's own `blobs` by the client's own `http_get`, which goes on where it stopped; then the client links them.
    """

    def __init__(self) -> None:
        from huggingface_hub import HfApi, constants

        # Left at 10 MB, a slow line would show nothing for ten seconds, and a stop would lose as much.
        constants.DOWNLOAD_CHUNK_SIZE = _CHUNK  # pyright: ignore[reportAttributeAccessIssue]
        self._api: Any = HfApi()
        self._commit = ""
        self._blobs: dict[str, str] = {}
        self._folder = Path()

    def list(self, repo: str) -> Listing:
        from huggingface_hub import constants

        self._commit = str(self._api.model_info(repo).sha)
        self._folder = Path(constants.HF_HUB_CACHE) / f"models--{repo.replace('/', '--')}"
        files: list[HubFile] = []
        for file in self._api.list_repo_tree(repo, revision=self._commit):
            if hasattr(file, "size"):
                blob = file.lfs.sha256 if file.lfs else file.blob_id
                self._blobs[file.path] = blob
                files.append(HubFile(file.path, file.size, _have(self._folder / "blobs" / blob, file.size)))
        return Listing(files, self._folder)

    def fetch(self, repo: str, files: Sequence[HubFile], on_bytes: OnBytes) -> None:
        (self._folder / "blobs").mkdir(parents=True, exist_ok=True)
        # Not waited for when one fails: the process ends then, and the others with it.
        pool = ThreadPoolExecutor(WORKERS)
        for task in [pool.submit(self._fetch_one, repo, file, on_bytes) for file in files]:
            task.result()
        # All blobs are here: it links them into the snapshot, and writes refs/main.
        client: Any = importlib.import_module("huggingface_hub")
        client.snapshot_download(repo, allow_patterns=[_literal(file.path) for file in files])

    def _fetch_one(self, repo: str, file: HubFile, on_bytes: OnBytes) -> None:
        client: Any = importlib.import_module("huggingface_hub.file_download")
        blob = self._folder / "blobs" / self._blobs[file.path]
        if blob.exists():
            return
        part = blob.with_name(f"{blob.name}.incomplete")
        here = part.stat().st_size if part.exists() else 0
        if here > file.size:
            part.unlink()
            here = 0
        on_bytes(file.path, here)
        with part.open("ab") as target:
            client.http_get(
                client.hf_hub_url(repo, file.path, revision=self._commit),
                target,
                resume_size=here,
                headers=client.build_hf_headers(),
                expected_size=file.size,
                tqdm_class=_counting(file.path, here, on_bytes),
            )
            target.flush()
            os.fsync(target.fileno())
        if len(blob.name) == 64 and _sha256(part) != blob.name:
            part.unlink()
            raise Corrupted(file.path)
        os.replace(part, blob)


def _counting(path: str, here: int, on_bytes: OnBytes) -> type[Any]:
    """A progress bar that draws nothing and counts, as the client wants a class for it."""
    from huggingface_hub.utils import tqdm

    base: Any = tqdm

    class Bar(base):
        def update(self, n: float | None = 1) -> Any:
            on_bytes(path, int(n or 0))

        def display(self, *args: Any, **kwargs: Any) -> None:
            pass

    return Bar


def _have(file: Path, size: int) -> int:
    """Bytes of a file that are here: all, those of an unfinished download, or none."""
    for path in (file, file.with_name(f"{file.name}.incomplete")):
        try:
            return min(path.stat().st_size, size)
        except OSError:
            continue
    return 0


def _literal(name: str) -> str:
    """A pattern that fits this name only."""
    return "".join(f"[{char}]" if char in "*?[" else char for char in name)


def _sha256(path: Path) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            digest.update(chunk)
    return digest.hexdigest()
