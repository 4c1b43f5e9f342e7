"""A small server that answers those with the right key, and quotes the wrong one, as some do."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path


class ListingServer(ThreadingHTTPServer):
    """Knows one key, and remembers all that it was given."""

    daemon_threads = True

    def __init__(self, key: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.key = key
        self.given: list[str] = []

    @property
    def base_url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}/v1"

    def configure(self, home: Path) -> None:
        """Makes it the provider `mybox` of this QIAO_HOME."""
        home.mkdir(parents=True, exist_ok=True)
        text = f'[provider.mybox]\nbase_url = "{self.base_url}"\nkey_env = "MYBOX_API_KEY"\n'
        (home / "config.toml").write_text(text, encoding="utf-8")


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        assert isinstance(self.server, ListingServer)
        key = self.headers.get("Authorization", "").removeprefix("Bearer ")
        self.server.given.append(key)
        if key == self.server.key:
            self._reply(200, {"object": "list", "data": [{"id": "small"}, {"id": "large"}]})
        else:
            self._reply(401, {"error": {"message": f"Incorrect API key provided: {key}."}})

    def do_POST(self) -> None:
        assert isinstance(self.server, ListingServer)
        self.rfile.read(int(self.headers["Content-Length"]))
        key = self.headers.get("Authorization", "").removeprefix("Bearer ")
        self.server.given.append(key)
        if key != self.server.key:
            self._reply(401, {"error": {"message": f"Incorrect API key provided: {key}."}})
            return
        events = [
            {"choices": [{"index": 0, "delta": {"content": "Paris."}, "finish_reason": None}]},
            {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]},
        ]
        lines = [*(json.dumps({"object": "chat.completion.chunk", **event}) for event in events), "[DONE]"]
        self._send(200, "text/event-stream", "".join(f"data: {line}\n\n" for line in lines).encode())

    def _reply(self, status: int, body: object) -> None:
        self._send(status, "application/json", json.dumps(body).encode())

    def _send(self, status: int, kind: str, data: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: object) -> None:
        pass


@contextmanager
def listing_server(key: str) -> Generator[ListingServer]:
    """The server, while it is entered."""
    server = ListingServer(key)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), name="listing-server")
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
