"""A request to a server, as curl and as Python with the openai package."""

import json
from typing import Any

from ...workbench.seam import Request
from ..providers import Provider
from ..remote.body import body
from .literals import call, keyword, messages_literal

_TYPED = frozenset(
    {"temperature", "top_p", "max_tokens", "max_completion_tokens", "stop", "seed", "presence_penalty"}
    | {"frequency_penalty", "logprobs", "top_logprobs", "response_format", "reasoning_effort", "tools", "tool_choice"}
)
"""Parameters that the openai package knows; others go through its `extra_body`."""


def curl(provider: Provider, request: Request) -> str:
    """A shell command that asks the same, and shows the events as they come.

    Raises:
        QiaoError: the request can't be put into the provider's terms.
    """
    made = body(provider, request, "chat")
    payload = {"model": request.address.name, "messages": made.messages, **made.fields, "stream": True}
    lines = [f"curl -N {made.base_url or provider.base_url}/chat/completions \\"]
    if provider.needs_key or provider.key_env:
        lines.append(f'  -H "Authorization: Bearer ${variable(provider)}" \\')
    lines += ["  -H 'Content-Type: application/json' \\", "  -d @- <<'JSON'"]
    # JSON has no line feed inside a string: no text can end the document early.
    return "\n".join(lines) + f"\n{json.dumps(payload, ensure_ascii=False, indent=2)}\nJSON\n"


def python(provider: Provider, request: Request) -> str:
    """A program that asks the same, and prints the answer as it comes.

    Raises:
        QiaoError: the request can't be put into the provider's terms.
    """
    made = body(provider, request, "chat")
    name = variable(provider)
    key = f'os.environ["{name}"]' if provider.needs_key else f'os.environ.get("{name}", "EMPTY")'
    known = {key: value for key, value in made.fields.items() if key in _TYPED}
    beside = _TYPED | {"stream_options"}
    others: dict[str, Any] = {key: value for key, value in made.fields.items() if key not in beside}
    arguments = [
        keyword("model", request.address.name),
        "messages=messages",
        *(keyword(key, value) for key, value in known.items()),
        *([keyword("extra_body", others)] if others else []),
        "stream=True",
    ]
    return f"""import os

from openai import OpenAI

client = OpenAI(base_url={(made.base_url or provider.base_url)!r}, api_key={key})
{messages_literal(made.messages)}
stream = {call("client.chat.completions.create", arguments)}
for chunk in stream:
    if chunk.choices and chunk.choices[0].delta.content:
        print(chunk.choices[0].delta.content, end="", flush=True)
print()
"""


def variable(provider: Provider) -> str:
    """The environment variable that holds the key."""
    plain = "".join(char if char.isalnum() else "_" for char in provider.name).upper()
    return provider.key_env[0] if provider.key_env else f"{plain}_API_KEY"
