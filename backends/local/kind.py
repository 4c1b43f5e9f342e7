"""Tells a base model from one that was taught to chat, by what its files say of themselves.

A chat template alone doesn't tell: Qwen's base models ship one. In this order:

1. without a chat template it is a base model: plain completion is all that can be done with it;
2. its name, as its owner gave it: `-Instruct`, `-Chat`, `-it` and the like, or `-Base`;
3. where it stops: a model that was taught to chat stops at a token that its template ends a turn with. Qwen2.5-3B's
   template ends turns with `<|im_end|>`, but the model stops at `<|endoftext|>` only: it was never taught turns.
"""

import re
from collections.abc import Collection, Mapping
from typing import NamedTuple, cast

from ...workbench.seam import Kind

_CHAT_WORDS = frozenset(
    {"instruct", "chat", "it", "sft", "dpo", "orpo", "rlhf", "assistant", "thinking", "reasoning", "reasoner"}
)
_BASE_WORDS = frozenset({"base", "pretrain", "pretrained"})
_THINKING_MARKS = ("enable_thinking", "<think>", "</think>")

Json = Mapping[str, object]


class Stops(NamedTuple):
    """Where a model stops, and the special tokens that its templates may be written with."""

    at: frozenset[str] = frozenset()
    """The texts of the tokens that end an answer."""
    special: frozenset[str] = frozenset()
    """The texts of all special tokens."""


def kind_of(template: str, name: str = "", stops: Stops | None = None) -> Kind:
    """The kind of model.

    Args:
        template: its chat template; empty: none.
        name: as its owner gave it, with or without the owner.
        stops: None where that isn't known.
    """
    if not template or not _is_taught(template, name, stops or Stops()):
        return "base"
    return "reasoning" if any(mark in template for mark in _THINKING_MARKS) else "instruct"


def _is_taught(template: str, name: str, stops: Stops) -> bool:
    words = set(re.split(r"[^a-z]+", name.rpartition("/")[2].lower()))
    if words & _CHAT_WORDS:
        return True
    if words & _BASE_WORDS:
        return False
    if "eos_token" in template or any(token in template for token in stops.at):
        return True
    # Roles marked by plain words ("### Response:") say nothing about where the model stops.
    return not stops.at or not any(token in template for token in stops.special)


def stops(tokenizer: Json, added: Mapping[int, str], configs: Collection[Json]) -> Stops:
    """From a model's JSON files.

    Args:
        tokenizer: tokenizer_config.json.
        added: the texts of the special tokens by their ids.
        configs: generation_config.json and config.json, each of which may name tokens to stop at.
    """
    at = {_text(tokenizer.get("eos_token"))}
    for config in configs:
        ids = config.get("eos_token_id")
        for id in cast("list[object]", ids) if isinstance(ids, list) else [ids]:
            at.add(added.get(id, "") if isinstance(id, int) else "")
    return Stops(frozenset(at - {""}), frozenset(added.values()))


def special_tokens(tokenizer: Json) -> dict[int, str]:
    """Texts by id, from tokenizer_config.json's `added_tokens_decoder`; empty if it hasn't any."""
    entries = tokenizer.get("added_tokens_decoder")
    if not isinstance(entries, dict):
        return {}
    found: dict[int, str] = {}
    for id, entry in cast("dict[str, object]", entries).items():
        if id.isdigit() and isinstance(entry, dict) and cast(Json, entry).get("special") is not False:
            found[int(id)] = _text(cast(Json, entry))
    return {id: text for id, text in found.items() if text}


def _text(token: object) -> str:
    """A token is a text, or an object with its text as `content`."""
    if isinstance(token, dict):
        token = cast(Json, token).get("content")
    return token if isinstance(token, str) else ""
