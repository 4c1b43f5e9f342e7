"""A model's tokenizer: text to tokens and back, and its chat template. Loads no weights and needs no torch."""

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from ...workbench.seam import Piece, Turn
from ..thinking import CLOSE, OPEN
from .failures import EngineError, first_line
from .gguf_reading import read_once

_TEMPLATE_OWN = frozenset(
    {"conversation", "messages", "tokenize", "chat_template", "add_generation_prompt", "continue_final_message"}
    | {"return_tensors", "return_dict", "return_assistant_tokens_mask", "tokenizer_kwargs", "padding", "truncation"}
)
"""Arguments of `apply_chat_template` that aren't variables of the template."""


class Tokenizer:
    """A transformers tokenizer, as far as Qiao needs it."""

    def __init__(self, path: Path, *, with_template: bool = True) -> None:
        """Loads it from a model's directory or GGUF file.

        Args:
            with_template: False: its chat template is left aside. Some base models ship one.

        Raises:
            Exception: whatever transformers finds wrong.
        """
        self._with_template = with_template
        from transformers import AutoTokenizer

        load: Any = AutoTokenizer
        if path.is_file():
            with read_once():
                self._inner: Any = load.from_pretrained(
                    str(path.parent), gguf_file=path.name, local_files_only=True, trust_remote_code=False
                )
        else:
            self._inner = load.from_pretrained(str(path), local_files_only=True, trust_remote_code=False)

    @cached_property
    def template(self) -> str:
        """The chat template's source; empty for a base model."""
        if not self._with_template or not self._inner.chat_template:
            return ""
        return str(self._inner.get_chat_template())

    @cached_property
    def can_switch_thinking(self) -> bool:
        """Whether the chat template has a thinking switch."""
        return "enable_thinking" in self.template

    @cached_property
    def thinks_by_default(self) -> bool | None:
        """Whether the chat template has the model think when nothing is said; None if that can't be told."""
        if not self.can_switch_thinking:
            return None
        turns = (Turn("user", "?"),)
        default, on, off = (self.chat(turns, thinking=thinking) for thinking in (None, True, False))
        return None if on == off or default not in (on, off) else default == on

    def chat(
        self,
        turns: Sequence[Turn],
        *,
        thinking: bool | None = None,
        continue_last: bool = False,
        variables: Mapping[str, object] | None = None,
        template: str | None = None,
    ) -> str:
        """The turns as the chat template writes them.

        Args:
            thinking: the template's switch; None leaves it alone.
            continue_last: the text ends with the last turn's, for the model to go on from.
            variables: more variables of the template.
            template: the source of another template, used instead of the model's.

        Raises:
            EngineError: the template refuses these turns.
        """
        kwargs = dict(variables or {})
        if not all(name.isidentifier() and name not in _TEMPLATE_OWN for name in kwargs):
            wrong = next(name for name in kwargs if not name.isidentifier() or name in _TEMPLATE_OWN)
            raise EngineError("engine.extra_refused", name=f"chat_template_kwargs.{wrong}")
        if thinking is not None:
            kwargs["enable_thinking"] = thinking
        messages = [{"role": turn.role, "content": turn.text} for turn in turns]
        try:
            text: str = self._inner.apply_chat_template(
                messages,
                tokenize=False,
                add_generation_prompt=not continue_last,
                continue_final_message=continue_last,
                chat_template=template,
                **kwargs,
            )
        # A template is a program of the model's maker: it may raise anything.
        except Exception as error:
            raise EngineError("engine.template", reason=first_line(error)) from error
        if continue_last:
            # Some templates trim what they are given, and the model would write the blank a second time.
            prefix = turns[-1].text
            blanks = prefix[len(prefix.rstrip()) :]
            text = text if text.endswith(blanks) else text.rstrip() + blanks
        return text

    def encode(self, text: str) -> list[int]:
        """The tokens of text in which special tokens are written out, as a chat template does."""
        return list(self._inner(text, add_special_tokens=False)["input_ids"])

    def starts(self, text: str) -> list[int] | None:
        """At which character of the text each token of `encode` begins; None for a tokenizer that can't tell."""
        if not getattr(self._inner, "is_fast", False):
            return None
        told = self._inner(text, add_special_tokens=False, return_offsets_mapping=True)
        return [start for start, _ in told["offset_mapping"]]

    @cached_property
    def beginning(self) -> tuple[int, ...]:
        """The tokens that the tokenizer puts before bare text; most put none, Llama's its `<|begin_of_text|>`."""
        ids: list[int] = list(self._inner("a")["input_ids"])
        plain = self.encode("a")
        at = next((i for i in range(len(ids)) if ids[i : i + len(plain)] == plain), 0)
        return tuple(ids[:at])

    def text_of(self, ids: Sequence[int]) -> str:
        """The text of these tokens, special ones written out."""
        return str(self._inner.decode(list(ids), skip_special_tokens=False, clean_up_tokenization_spaces=False))

    def text_of_one(self, id: int) -> str:
        """The text of one token as it stands within a text; a part of a character is U+FFFD."""
        # Alone, some tokenizers would leave its leading blank out.
        before = self._anchor
        whole, start = self.text_of([*before, id]), self.text_of(before)
        return whole[len(start) :] if whole.startswith(start) else self.text_of([id])

    @cached_property
    def _anchor(self) -> list[int]:
        return self.encode("a")[-1:]

    @cached_property
    def special_ids(self) -> frozenset[int]:
        """Tokens that are no text of an answer. The tags of thinking aren't among them."""
        added: dict[int, Any] = self._inner.added_tokens_decoder
        marked = {id for id, token in added.items() if token.special}
        tags = {id for id, token in added.items() if str(token) in (OPEN, CLOSE)}
        return frozenset((marked | set(self._inner.all_special_ids)) - tags)

    def pieces(self, text: str) -> Iterator[Piece]:
        """The text in runs, each special token in it apart. Together they are the text."""
        added: dict[int, Any] = self._inner.added_tokens_decoder
        names = {str(token) for id, token in added.items() if id in self.special_ids}
        names |= {str(token) for token in self._inner.all_special_tokens}
        if not names:
            yield from [Piece(text)] if text else []
            return
        # Of two that begin alike, the longer one is meant.
        pattern = "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True) if name)
        for index, run in enumerate(re.split(f"({pattern})", text)):
            if run:
                yield Piece(run, special=index % 2 == 1)

    def writer(self, before: Sequence[int]) -> "TokenText":
        """What turns new tokens into text, one after another.

        Args:
            before: tokens that the text goes on from: some tokenizers drop the blank before a first word.
        """
        return TokenText(self._inner, self.special_ids, before)


class TokenText:
    """The text of an answer, token by token. Special tokens are left out."""

    def __init__(self, tokenizer: Any, special: frozenset[int], before: Sequence[int]) -> None:
        self._tokenizer = tokenizer
        self._special = special
        self._fast: Any = getattr(tokenizer, "backend_tokenizer", None)
        self._stream: Any = None
        self._ids: list[int] = []
        self._said = ""
        if self._fast is not None:
            self._restart(before)
        else:
            self._ids = list(before)
            self._said = self._decoded()

    def step(self, id: int) -> str:
        """The text that this token completes; empty while a character isn't complete."""
        if id in self._special:
            return ""
        if self._fast is None:
            return self._slow_step(id)
        try:
            return self._stream.step(self._fast, id) or ""
        # Some tokens' text changes with what follows, which the stream takes for a mistake: begun anew, it goes on.
        except Exception:  # noqa: BLE001
            self._restart(())
            return self._stream.step(self._fast, id) or ""

    def _restart(self, before: Sequence[int]) -> None:
        from tokenizers.decoders import DecodeStream

        # A few tokens are context enough, and a special one would be written out.
        context = [id for id in before[-8:] if id not in self._special]
        self._stream = DecodeStream(ids=context, skip_special_tokens=False)

    def _slow_step(self, id: int) -> str:
        """For a tokenizer that is written in Python: decodes all of the current line again."""
        self._ids.append(id)
        text = self._decoded()
        if text.endswith("\ufffd"):
            return ""
        new = text[len(self._said) :]
        if "\n" in new:
            self._ids, self._said = [id], ""
            self._said = self._decoded()
        else:
            self._said = text
        return new

    def _decoded(self) -> str:
        return str(self._tokenizer.decode(self._ids, skip_special_tokens=True, clean_up_tokenization_spaces=False))
