"""From a sampling as it was sent to the one that is really used: the model's own defaults, then neutral values."""

import random
from collections.abc import Mapping
from typing import NamedTuple

from ...workbench.sampling import Sampling
from .failures import EngineError

MAX_TOKENS = 2048
"""New tokens at most, when nothing is said: an answer of some 1,500 words. A base model never ends by itself."""

MAX_TOKENS_THINKING = 8192
"""The same for a model that thinks first."""

# What `extra` may not set: it has a name of its own in a sampling, breaks streaming (several answers at once), costs
# memory for nothing, or fetches and runs code.
_REFUSED = frozenset(
    {"temperature", "top_p", "top_k", "min_p", "repetition_penalty", "do_sample", "seed", "stop_strings"}
    | {"max_length", "max_new_tokens", "num_beams", "num_return_sequences", "return_dict_in_generate", "use_cache"}
    | {"output_scores", "output_logits", "output_attentions", "output_hidden_states", "cache_implementation"}
    | {"prefill_chunk_size", "compile_config", "disable_compile", "is_assistant", "prompt_lookup_num_tokens"}
    | {"cache_config", "assistant_early_exit", "bos_token_id", "pad_token_id", "decoder_start_token_id"}
    | {"transformers_version", "max_time", "penalty_alpha", "dola_layers", "num_beam_groups", "constraints"}
)

TEMPLATE_VARIABLES = "chat_template_kwargs"
"""The name in `extra` of further variables for the chat template; vLLM's servers call it so too."""


class Abilities(NamedTuple):
    """What of a model decides on defaults."""

    defaults: Mapping[str, object]
    """Its generation_config.json, without what is null."""
    context_length: int | None
    can_switch_thinking: bool = False
    thinks_by_default: bool | None = None
    """None: unknown, or it has no thinking."""


def effective(asked: Sampling, abilities: Abilities, prompt_tokens: int, *, thinks: bool) -> Sampling:
    """The sampling that is really used. What has no effect on this model is left unset.

    Args:
        asked: as sent. A seed that is unset is drawn here.
        prompt_tokens: how many tokens of the context the prompt takes.
        thinks: the model is about to think.

    Raises:
        EngineError: `extra` has what it may not.
    """
    defaults = abilities.defaults
    thinking = abilities.thinks_by_default if asked.thinking is None else asked.thinking
    temperature = asked.temperature
    if temperature is None:
        temperature = 0.0 if defaults.get("do_sample") is False else _number(defaults, "temperature", 1.0)
    # A greedy choice isn't touched by what comes after it.
    own: Mapping[str, object] = defaults if temperature > 0 else {}
    room = None if abilities.context_length is None else max(abilities.context_length - prompt_tokens, 1)
    wanted = asked.max_tokens or int(_number(defaults, "max_new_tokens", 0))
    wanted = wanted or (MAX_TOKENS_THINKING if thinks else MAX_TOKENS)
    return Sampling(
        temperature=temperature,
        top_p=_number(own, "top_p", 1.0) if asked.top_p is None else asked.top_p,
        top_k=int(_number(own, "top_k", 0)) if asked.top_k is None else asked.top_k,
        min_p=_number(own, "min_p", 0.0) if asked.min_p is None else asked.min_p,
        max_tokens=wanted if room is None else min(wanted, room),
        stop=asked.stop,
        seed=random.randrange(2**31) if asked.seed is None else asked.seed,
        repetition_penalty=asked.repetition_penalty or _number(defaults, "repetition_penalty", 1.0),
        presence_penalty=asked.presence_penalty or 0.0,
        frequency_penalty=asked.frequency_penalty or 0.0,
        thinking=thinking if abilities.can_switch_thinking else None,
        thinking_budget=asked.thinking_budget,
        logprobs=asked.logprobs,
        extra=_checked(asked.extra),
    )


TEMPLATE, TOOLS = "chat_template", "tools"
"""In `extra`: another chat template's source, and the tools that a template tells of; as vLLM's servers call them."""

_OF_PROMPT = frozenset({TEMPLATE_VARIABLES, TEMPLATE, TOOLS})
"""What of `extra` makes the prompt, and is nothing that transformers generates by."""


def own_template(asked: Sampling) -> str | None:
    """The source of the chat template that is to be used instead of the model's, from `extra`.

    Raises:
        EngineError: it is no text.
    """
    given = (asked.extra or {}).get(TEMPLATE)
    if given is not None and not isinstance(given, str):
        raise EngineError("engine.extra_wrong", reason=f"{TEMPLATE}: {type(given).__name__}")
    return given or None


def template_variables(asked: Sampling) -> dict[str, object]:
    """Further variables for the chat template, from `extra`.

    Raises:
        EngineError: they are no table.
    """
    given = (asked.extra or {}).get(TEMPLATE_VARIABLES, {})
    if not isinstance(given, dict):
        raise EngineError("engine.extra_wrong", reason=f"{TEMPLATE_VARIABLES}: {type(given).__name__}")
    variables: dict[str, object] = {}
    for name, value in given.items():  # pyright: ignore[reportUnknownVariableType]
        variables[str(name)] = value  # pyright: ignore[reportUnknownArgumentType]
    if TOOLS in (asked.extra or {}):
        variables[TOOLS] = (asked.extra or {})[TOOLS]
    return variables


def generation_settings(used: Sampling) -> dict[str, object]:
    """What `used` is in transformers' terms: every value explicit, so that no silent default gets in between."""
    greedy = not used.temperature
    settings: dict[str, object] = {
        "do_sample": not greedy,
        "temperature": 1.0 if greedy else used.temperature,
        "top_p": 1.0 if greedy else used.top_p,
        "top_k": 0 if greedy else used.top_k,
        "min_p": None if greedy or not used.min_p else used.min_p,
        "repetition_penalty": used.repetition_penalty,
        "max_new_tokens": used.max_tokens,
        "max_length": None,
        "num_beams": 1,
        "num_return_sequences": 1,
        "use_cache": True,
    }
    settings.update({name: value for name, value in (used.extra or {}).items() if name not in _OF_PROMPT})
    return settings


def _checked(extra: dict[str, object] | None) -> dict[str, object] | None:
    refused = next((name for name in extra or {} if name in _REFUSED or name.startswith("_")), None)
    if refused is not None:
        raise EngineError("engine.extra_refused", name=refused)
    return extra


def _number(values: Mapping[str, object], name: str, neutral: float) -> float:
    value = values.get(name)
    return value if isinstance(value, int | float) else neutral
