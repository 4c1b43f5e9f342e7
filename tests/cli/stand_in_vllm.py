"""Stands in for `vllm serve` where its own work doesn't matter: command line, log, /health, /v1/models, /metrics.

The tests in `backends/vllm` start the real one. A model whose folder is named `failing` fails as vLLM does.
"""

import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

LINES = (
    "(APIServer pid=1) INFO 11-23 03:01:00 [model.py:733] Resolved architecture: LlamaForCausalLM",
    "(EngineCore pid=2) INFO 11-23 03:01:08 [core.py:133] Initializing a V1 LLM engine (v0.32.0) with config: …",
    "\rLoading safetensors checkpoint shards:  50% Completed | 1/2 [00:01<00:01,  1.43s/it]",
    "(Worker pid=3) INFO 11-23 03:02:33 [default_loader.py:501] Loading weights took 1.43 seconds",
)
FAILURE = "(EngineCore pid=2) ERROR 11-23 03:01:17 [core.py:953] torch.OutOfMemoryError: CUDA out of memory. Tried …"


def after(name: str) -> str:
    return sys.argv[sys.argv.index(name) + 1]


class Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        allowed = self.headers.get("Authorization") == f"Bearer {os.environ['VLLM_API_KEY']}"
        body: Any = ""
        if self.path == "/v1/models" and allowed:
            body = {"data": [{"id": after("--served-model-name"), "owned_by": "vllm", "max_model_len": 512}]}
        elif self.path == "/metrics":
            body = "vllm:num_requests_running 2.0\nvllm:num_requests_waiting 5.0\nvllm:kv_cache_usage_perc 0.25\n"
        self.send_response(401 if self.path.startswith("/v1") and not allowed else 200)
        self.end_headers()
        self.wfile.write(body.encode() if isinstance(body, str) else json.dumps(body).encode())

    def log_message(self, format: str, *args: object) -> None:
        pass


def main() -> None:
    assert sys.argv[1] == "serve"
    for line in LINES:
        print(line, file=sys.stderr, flush=True)
        time.sleep(0.05)
    if "failing" in sys.argv[2]:
        print(FAILURE, file=sys.stderr, flush=True)
        sys.exit(1)
    ThreadingHTTPServer((after("--host"), int(after("--port"))), Answers).serve_forever()


if __name__ == "__main__":
    main()
