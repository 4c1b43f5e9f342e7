"""A small stand-in that speaks the two hubs' protocols, as far as their clients ask it: real HTTP, on the loopback.

ModelScope: `/api/v1/models/OWNER/NAME/repo/files` lists, `/api/v1/models/OWNER/NAME/repo?FilePath=` gives a file.
Hugging Face: `/api/models/OWNER/NAME` names the commit, `…/tree/COMMIT` lists, `/OWNER/NAME/resolve/COMMIT/FILE` gives.
"""

import hashlib
import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

COMMIT = "0123456789abcdef0123456789abcdef01234567"
_CHUNK = 64 * 1024


class HubServer:
    """Repositories by name, and how the server behaves."""

    def __init__(self) -> None:
        self.repos: dict[str, dict[str, bytes]] = {}
        self.refuse: tuple[int, str, dict[str, str]] | None = None
        """Status, body and headers that every request gets."""
        self.bytes_a_second: float | None = None
        self.cut_after: int | None = None
        """A file's connection ends after so many bytes of it."""
        self.corrupt = False
        self.sizes: dict[str, int] = {}
        """Sizes that are listed in place of the real ones."""
        self.sent: dict[str, int] = {}
        """Bytes of each file that went out."""
        self.ranges: list[tuple[str, int]] = []
        """File and first byte of each request that went on from somewhere."""
        self.tokens: set[str] = set()
        """What clients said who they are."""
        self.lock = threading.Lock()
        server = self

        class Handler(_Handler):
            hub = server

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        self.bytes_a_second = None
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    hub: HubServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_GET(self) -> None:
        url = urlsplit(self.path)
        query = {name: values[0] for name, values in parse_qs(url.query).items()}
        token = self.headers.get("Authorization") or self.headers.get("Cookie")
        if token:
            self.hub.tokens.add(token)
        if self.hub.refuse is not None:
            status, body, headers = self.hub.refuse
            self._answer(status, body.encode(), headers)
            return
        parts = url.path.strip("/").split("/")
        match parts:
            case ["api", "v1", "models", owner, name, "repo", "files"]:
                self._modelscope_list(f"{owner}/{name}")
            case ["api", "v1", "models", owner, name, "repo"]:
                self._file(f"{owner}/{name}", query.get("FilePath", ""))
            case ["api", "models", owner, name] | ["api", "models", owner, name, "revision", _]:
                self._hf_info(f"{owner}/{name}")
            case ["api", "models", owner, name, "tree", _]:
                self._hf_tree(f"{owner}/{name}")
            case [owner, name, "resolve", _, *path]:
                self._file(f"{owner}/{name}", "/".join(path))
            case _:
                self._answer(404, b'{"Code": 10010205001, "Message": "not found"}')

    def _modelscope_list(self, repo: str) -> None:
        files = self.hub.repos.get(repo)
        if files is None:
            self._answer(404, json.dumps({"Code": 10010205001, "Message": "record not found"}).encode())
            return
        listed = [
            {"Path": path, "Name": path, "Type": "blob", "Size": self._size(path, data), "Sha256": _sha256(data)}
            for path, data in files.items()
        ]
        self._answer(200, json.dumps({"Code": 200, "Success": True, "Data": {"Files": listed}}).encode())

    def _hf_info(self, repo: str) -> None:
        if repo not in self.hub.repos:
            self._answer(401, b'{"error":"Repository not found"}', {"X-Error-Code": "RepoNotFound"})
            return
        self._answer(200, json.dumps({"id": repo, "sha": COMMIT, "siblings": []}).encode())

    def _hf_tree(self, repo: str) -> None:
        listed: list[dict[str, Any]] = []
        for path, data in self.hub.repos[repo].items():
            size = self._size(path, data)
            entry: dict[str, Any] = {"type": "file", "path": path, "size": size, "oid": hashlib.sha1(data).hexdigest()}
            if path.endswith((".safetensors", ".gguf", ".bin")):
                entry["lfs"] = {"oid": _sha256(data), "size": size, "pointerSize": 134}
            listed.append(entry)
        self._answer(200, json.dumps(listed).encode())

    def _size(self, path: str, data: bytes) -> int:
        return self.hub.sizes.get(path, len(data))

    def _file(self, repo: str, path: str) -> None:
        data = self.hub.repos.get(repo, {}).get(path)
        if data is None:
            self._answer(404, b"{}", {"X-Error-Code": "EntryNotFound"})
            return
        etag = _sha256(data) if path.endswith((".safetensors", ".gguf", ".bin")) else hashlib.sha1(data).hexdigest()
        body = bytes(len(data)) if self.hub.corrupt and path.endswith(".safetensors") else data
        begin = 0
        asked = self.headers.get("Range", "")
        if asked.startswith("bytes="):
            begin = int(asked.removeprefix("bytes=").split("-")[0])
            with self.hub.lock:
                self.hub.ranges.append((path, begin))
        self.send_response(206 if begin else 200)
        self.send_header("Content-Length", str(len(body) - begin))
        self.send_header("Accept-Ranges", "bytes")
        self.send_header("ETag", f'"{etag}"')
        self.send_header("X-Repo-Commit", COMMIT)
        if begin:
            self.send_header("Content-Range", f"bytes {begin}-{len(body) - 1}/{len(body)}")
        self.end_headers()
        if self.command != "HEAD":
            self._send(path, body, begin)

    def _send(self, path: str, body: bytes, begin: int) -> None:
        """The body in pieces, as fast as the server is told to be."""
        cut = self.hub.cut_after if path.endswith((".safetensors", ".gguf")) else None
        for at in range(begin, len(body), _CHUNK):
            piece = body[at : at + _CHUNK]
            if cut is not None and at - begin >= cut:
                self.close_connection = True
                return
            # Before it goes: whoever has it may look at once.
            with self.hub.lock:
                self.hub.sent[path] = self.hub.sent.get(path, 0) + len(piece)
            try:
                self.wfile.write(piece)
                self.wfile.flush()
            except OSError:
                return
            if self.hub.bytes_a_second:
                time.sleep(len(piece) / self.hub.bytes_a_second)

    def _answer(self, status: int, body: bytes, headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": "application/json", **(headers or {})}.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
