"""A request to a model on this machine, as Python with transformers."""

from pathlib import Path

from ...workbench.sampling import Sampling
from ...workbench.seam import Kind, Request
from ..local.choosing import MAX_TOKENS, MAX_TOKENS_THINKING, TEMPLATE, TOOLS
from ..plain_completion import plain_text
from .literals import call, keyword, messages_literal


def python(request: Request, path: Path, kind: Kind | None) -> str:
    """A program that asks the same, and prints the answer as it comes.

    Args:
        request: what is asked.
        path: the model's folder, or its GGUF file.
        kind: of the model; a base model gets the bare texts.
    """
    folder, gguf = (path.parent, path.name) if path.suffix == ".gguf" else (path, None)
    file = "" if gguf is None else f", gguf_file={gguf!r}"
    sampling = request.sampling
    streamer = "streamer=TextStreamer(tokenizer, skip_prompt=True, skip_special_tokens=True)"
    generate = call("model.generate", ["**inputs", *_generation(sampling), streamer])
    return f"""from transformers import AutoModelForCausalLM, AutoTokenizer, TextStreamer{_seed_import(sampling)}

path = {str(folder)!r}
tokenizer = AutoTokenizer.from_pretrained(path{file})
model = AutoModelForCausalLM.from_pretrained(path{file}, dtype="auto", device_map="auto")
{_inputs(request, kind)}
{_seed(sampling)}{generate}
"""


def _inputs(request: Request, kind: Kind | None) -> str:
    if kind == "base":
        text = plain_text(request.messages)
        return f'inputs = tokenizer({text!r}, return_tensors="pt").to(model.device)'
    opening = keyword("continue_final_message" if request.continue_last else "add_generation_prompt", True)
    arguments = ["messages", opening, "return_dict=True", 'return_tensors="pt"']
    if request.sampling.thinking is not None:
        arguments.append(keyword("enable_thinking", request.sampling.thinking))
    extra = request.sampling.extra or {}
    arguments += [keyword(name, extra[name]) for name in (TEMPLATE, TOOLS) if name in extra]
    messages = messages_literal([{"role": turn.role, "content": turn.text} for turn in request.messages])
    return f"{messages}\ninputs = {call('tokenizer.apply_chat_template', arguments)}.to(model.device)"


def _generation(sampling: Sampling) -> list[str]:
    greedy = sampling.temperature == 0
    arguments = [
        keyword("max_new_tokens", sampling.max_tokens or (MAX_TOKENS_THINKING if sampling.thinking else MAX_TOKENS))
    ]
    if greedy:
        return [*arguments, "do_sample=False"]
    names = ("temperature", "top_p", "top_k", "min_p", "repetition_penalty")
    set_here = {name: value for name in names if (value := getattr(sampling, name)) is not None}
    return [*arguments, "do_sample=True", *(keyword(name, value) for name, value in set_here.items())]


def _seed_import(sampling: Sampling) -> str:
    return "" if sampling.seed is None else ", set_seed"


def _seed(sampling: Sampling) -> str:
    return "" if sampling.seed is None else f"set_seed({sampling.seed})\n"
