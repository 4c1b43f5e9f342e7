"""`model.generate` of transformers and nothing else: answers what is asked on stdin, a JSON line each.

    python benchmarks/bare/generate.py MODEL.gguf

Asked: {"text": "…", "tokens": 64}. Said: {"tokens_per_second": …, "first_token_ms": …}, of decoding alone.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig
from transformers.generation.streamers import BaseStreamer


class Moments(BaseStreamer):
    """When each token came; the first that is put is the prompt."""

    def __init__(self) -> None:
        self.at: list[float] = []

    def put(self, value: Any) -> None:
        self.at.append(time.monotonic())

    def end(self) -> None:
        pass


def main() -> None:
    file = Path(sys.argv[1])
    source = {"pretrained_model_name_or_path": str(file.parent), "gguf_file": file.name}
    tokenizer = AutoTokenizer.from_pretrained(**source)
    quantization = GgufConfig(dequantize=True)
    model: Any = AutoModelForCausalLM.from_pretrained(**source, dtype=torch.float32, quantization_config=quantization)
    print(json.dumps({"dtype": str(model.dtype)}), flush=True)
    for line in sys.stdin:
        asked = json.loads(line)
        messages = [{"role": "user", "content": asked["text"]}]
        ids = tokenizer.apply_chat_template(
            messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
        )["input_ids"]
        moments, count = Moments(), asked["tokens"]
        begun = time.monotonic()
        with torch.inference_mode():
            model.generate(ids, max_new_tokens=count, do_sample=False, streamer=moments)
        first, last, written = moments.at[1], moments.at[-1], len(moments.at) - 1
        figures = {"tokens_per_second": (written - 1) / (last - first), "first_token_ms": (first - begun) * 1000}
        print(json.dumps({**figures, "tokens": written}), flush=True)


if __name__ == "__main__":
    main()
