"""Answers a request with a loaded model: prompt, prefill, decoding, and the events that come of it."""

import copy
import os
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from typing import Any, cast

import torch

from ...workbench.conversation import Finish, Timing, Usage
from ...workbench.sampling import Sampling
from ...workbench.seam import Event, Finished, Progress, Request, Started
from .chances import Chances
from .choosing import Abilities, effective, generation_settings
from .failures import EngineError, first_line
from .penalties import Penalties
from .prefill import Prefill
from .prefix_cache import PrefixCache
from .prompting import FormedPrompt, form
from .slicing import can_be_sliced
from .thinking_budget import ThinkingBudget
from .threads import Threads
from .tokenizer import Tokenizer
from .writing import Writing

Say = Callable[[Event], None]

KEPT_SHARE = 8
"""The KV cache kept between requests is at most this part of the memory it lies in."""


class Answerer:
    """A loaded model. One request at a time.

    Args:
        model: a transformers model for causal language modelling.
        context_length: in tokens; None if unknown.
        memory_bytes: of the device that the model lies on.
    """

    def __init__(self, tokenizer: Tokenizer, model: Any, context_length: int | None, memory_bytes: int) -> None:
        self._tokenizer = tokenizer
        self._model = model
        on_cpu = model.device.type == "cpu"
        cores = len(os.sched_getaffinity(0))
        self._threads = Threads(cores, torch.set_num_threads) if on_cpu else None
        self._prefill = Prefill(model, Threads(cores, torch.set_num_threads) if on_cpu else None)
        make = _cache_maker(model)
        self.prefixes = PrefixCache(
            make, memory_bytes // KEPT_SHARE, lambda ids: make is not None and can_be_sliced(model, make, ids)
        )
        own = cast("dict[str, object]", model.generation_config.to_dict())
        # transformers would put it in wherever it finds none, but none is what switches it off at no cost.
        model.generation_config.min_p = None
        self._abilities = Abilities(
            {name: value for name, value in own.items() if value is not None},
            context_length,
            tokenizer.can_switch_thinking,
            tokenizer.thinks_by_default,
        )

    def answer(self, request: Request, stopped: threading.Event, say: Say) -> None:
        """Answers; the last event said is `Finished`.

        Raises:
            EngineError: the request can't be answered.
            Exception: whatever breaks while the model computes.
        """
        begun = time.monotonic()
        with torch.inference_mode():
            prompt = form(self._tokenizer, request)
            self._check_length(prompt, request)
            used = effective(request.sampling, self._abilities, len(prompt.ids), thinks=prompt.may_think)
            config = self._config(used)
            say(Started(prompt.mode, used, len(prompt.ids), self._abilities.context_length))
            try:
                self._run(prompt, request, used, config, stopped, say, begun)
            except BaseException:
                self.prefixes.drop()
                raise

    def _run(
        self,
        prompt: FormedPrompt,
        request: Request,
        used: Sampling,
        config: Any,
        stopped: threading.Event,
        say: Say,
        begun: float,
    ) -> None:
        ids = prompt.ids
        cache, cached = self.prefixes.begin(ids)
        if cache is not None and len(ids) - cached > 1:
            say(Progress("prefill", cached, len(ids)))
            fed = self._prefill.feed(cache, ids, cached, stopped, lambda done: say(Progress("prefill", done, len(ids))))
            self.prefixes.fed(ids[:fed])
        before = ids if request.continue_last or prompt.mode == "completion" else ()
        text = self._tokenizer.writer(before)
        chances = None if used.logprobs is None else Chances(used.logprobs, self._tokenizer.text_of_one)
        writing = Writing(
            text, prompt.thinking_opened, used.stop or (), _eos_ids(config), stopped, say, self._on_token, chances
        )
        written: Sequence[int] = ids
        if not stopped.is_set():
            with nullcontext() if chances is None else chances.watching(self._model):
                written = self._decode(ids, cache, used, config, writing)
        self.prefixes.fed(written)
        reason: Finish = "length" if writing.reason is None else writing.reason
        if stopped.is_set() and writing.reason is None:
            reason = "cancelled"
        writing.end()
        say(_finished(reason, writing, begun, len(ids), cached))

    def _decode(self, ids: Sequence[int], cache: Any, used: Sampling, config: Any, writing: Writing) -> list[int]:
        """Writes until it is over; returns all tokens, the prompt's and the new ones."""
        processors: list[Any] = []
        if used.presence_penalty or used.frequency_penalty:
            processors.append(Penalties(len(ids), used.presence_penalty or 0.0, used.frequency_penalty or 0.0))
        if used.thinking_budget is not None:
            closing = self._tokenizer.encode("</think>\n\n")
            processors.append(ThinkingBudget(used.thinking_budget, closing, writing))
        if self._threads is not None:
            self._threads.begin()
        torch.random.manual_seed(used.seed or 0)  # pyright: ignore[reportUnknownMemberType]
        try:
            all_ids = self._model.generate(
                torch.tensor([ids], device=self._model.device),
                attention_mask=torch.ones((1, len(ids)), dtype=torch.long, device=self._model.device),
                generation_config=config,
                logits_processor=processors,
                stopping_criteria=[writing],
                **({} if cache is None else {"past_key_values": cache}),
            )
        except (TypeError, ValueError, AttributeError, IndexError) as error:
            if used.extra and not writing.tokens:
                # Not every parameter's value is checked before it is used.
                raise EngineError("engine.extra_wrong", reason=first_line(error)) from error
            raise
        return cast("list[int]", all_ids[0].tolist())

    def _on_token(self, seconds: float) -> None:
        if self._threads is not None:
            self._threads.step(seconds)

    def _check_length(self, prompt: FormedPrompt, request: Request) -> None:
        limit = self._abilities.context_length
        if limit is not None and len(prompt.ids) >= limit:
            raise EngineError("engine.too_long", model=str(request.address), tokens=len(prompt.ids), limit=limit)

    def _config(self, used: Sampling) -> Any:
        """transformers' own form of the sampling; on top of the model's, for its end tokens and the like.

        Raises:
            EngineError: `extra` has what transformers doesn't know, or takes no such value for.
        """
        config: Any = copy.deepcopy(self._model.generation_config)
        settings = generation_settings(used)
        unknown = [name for name in settings if name not in vars(config)]
        if unknown:
            raise EngineError("engine.extra_unknown", name=", ".join(unknown))
        try:
            config.update(**settings)
        # Values of any type reach its checks.
        except Exception as error:
            raise EngineError("engine.extra_wrong", reason=first_line(error)) from error
        if config.pad_token_id is None:
            config.pad_token_id = next(iter(_eos_ids(config)), 0)
        return config


def _finished(reason: Finish, writing: Writing, begun: float, prompt_tokens: int, cached: int) -> Finished:
    now = time.monotonic()

    def since(moment: float | None) -> float | None:
        return None if moment is None else round((moment - begun) * 1000, 1)

    rate = None
    if writing.tokens > 1 and writing.first_token is not None and now > writing.first_token:
        rate = round((writing.tokens - 1) / (now - writing.first_token), 2)
    usage = Usage(prompt_tokens, writing.tokens, cached, writing.thinking_tokens)
    timing = Timing(since(writing.first_text), since(writing.first_answer), since(now), rate)
    return Finished(reason, usage, timing)


def _cache_maker(model: Any) -> Callable[[], Any] | None:
    """What makes the model's cache; None for a model with a cache of its own kind."""
    supports = getattr(model, "_supports_default_dynamic_cache", None)
    if supports is None or not supports():
        return None
    from transformers import DynamicCache

    return lambda: DynamicCache(config=model.config)


def _eos_ids(config: Any) -> frozenset[int]:
    ids: Any = config.eos_token_id
    if ids is None:
        return frozenset()
    return frozenset(ids if isinstance(ids, list) else [ids])  # pyright: ignore[reportUnknownArgumentType]
