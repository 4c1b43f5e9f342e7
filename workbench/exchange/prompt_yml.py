"""GitHub's `.prompt.yml`: name, model, modelParameters, messages with `{{variables}}`, testData.

The format: https://docs.github.com/en/github-models/use-github-models/storing-prompts-in-github-repositories
"""

import re
from collections.abc import Sequence
from typing import Any, cast

import msgspec

from ..conversation import Conversation, Message
from ..errors import Unreadable
from ..sampling import Sampling
from ..variables import PATTERN
from ..visible import visible_line
from .exchanged import Exported, Imported, LeftOut, sent_messages
from .openai_messages import content, role_of, wrong
from .records import Table, string, tables

PARAMETERS = {
    "maxTokens": "max_tokens",
    "maxCompletionTokens": "max_tokens",
    "temperature": "temperature",
    "topP": "top_p",
    "stop": "stop",
    "seed": "seed",
    "presencePenalty": "presence_penalty",
    "frequencyPenalty": "frequency_penalty",
}


_ODD = re.compile("[^\t\n\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]")
"""Controls, and what YAML takes for a line end or a mark of byte order."""


def read(text: str, name: str) -> Imported:
    """One conversation; the first row of its test data gives the variables their values.

    Raises:
        Unreadable: it is no YAML, or has no messages.
    """
    import yaml

    try:
        value: object = yaml.safe_load(text)
    except (yaml.YAMLError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        # Its constructors fail in many ways on values that aren't what their tags say.
        mark = getattr(error, "problem_mark", None)
        place = f"{name}:{mark.line + 1}" if mark else name
        detail = visible_line(str(getattr(error, "problem", None) or error))
        raise Unreadable("exchange.not_yaml", file=visible_line(place), detail=detail) from None
    table = cast(Table, value) if isinstance(value, dict) else {}
    listed = tables(table.get("messages"))
    if listed is None:
        raise wrong("", name, "exchange.no_messages")
    left_out = LeftOut()
    messages: list[Message] = []
    for each in listed:
        messages.append(Message(role=role_of(each, "", name), text=content(each.get("content"), left_out)))
    rows = tables(table.get("testData")) or []
    left_out["rows"] += max(len(rows) - 1, 0)
    left_out["evaluators"] += len(tables(table.get("evaluators")) or [])
    left_out["models"] += bool(table.get("model"))
    left_out["response_format"] += bool(table.get("responseFormat"))
    row = rows[0] if rows else {}
    # Text and numbers only: lists and tables may hold more than there is memory, by references to one another.
    values = {key: string(row, key) for key in row if isinstance(key, str)}  # pyright: ignore[reportUnnecessaryIsInstance]
    variables = {key: value for key, value in values.items() if value is not None}
    left_out["values"] += len(row) - len(variables)
    conversation = Conversation(
        title=string(table, "name"),
        note=string(table, "description"),
        sampling=_sampling(table.get("modelParameters"), left_out),
        variables=variables,
        messages=tuple(messages),
    )
    return Imported((conversation,), (left_out,))


def _sampling(value: object, left_out: LeftOut) -> Sampling:
    given = cast(Table, value) if isinstance(value, dict) else {}
    sampling = Sampling()
    for theirs, each in given.items():
        ours = PARAMETERS.get(theirs)
        try:
            one = msgspec.convert({ours: each}, Sampling) if ours else None
        except msgspec.ValidationError:
            one = None
        if ours is None or one is None:
            left_out["sampling"] += 1
        else:
            sampling = msgspec.structs.replace(sampling, **{ours: getattr(one, ours)})
    return sampling


def write(conversations: Sequence[Conversation]) -> Exported:
    """The first conversation; its variables stay variables, their values the one row of test data."""
    import yaml

    left_out = LeftOut()
    conversation = conversations[0]
    left_out["conversations"] += len(conversations) - 1
    table: dict[str, Any] = {}
    if conversation.title:
        table["name"] = conversation.title
    if conversation.note:
        table["description"] = conversation.note
    if conversation.model:
        table["model"] = conversation.model.partition(":")[2]
    sampling = conversation.sampling
    names = {ours: theirs for theirs, ours in PARAMETERS.items() if theirs != "maxCompletionTokens"}
    set_here = {name: value for name in Sampling.__struct_fields__ if (value := getattr(sampling, name))}
    given: Table = {names[name]: value for name, value in set_here.items() if name in names}
    if sampling.temperature == 0:
        given["temperature"] = 0
    if sampling.stop:
        given["stop"] = list(sampling.stop)
    left_out["sampling"] += len(set_here.keys() - names.keys() - {"unknown"})
    if given:
        table["modelParameters"] = given
    sent = sent_messages(conversation, left_out, fill=False)
    left_out["notes"] -= bool(conversation.note)
    table["messages"] = [{"role": role, "content": text} for role, text in sent]
    # An answer may show braces of its own; here they would be variables.
    answers = (message.take for message in conversation.messages)
    left_out["braces"] += sum(bool(take and PATTERN.search(take.text)) for take in answers)
    if conversation.variables:
        table["testData"] = [dict(conversation.variables)]
    return Exported(yaml.dump(table, Dumper=_dumper(), allow_unicode=True, sort_keys=False, width=1000), left_out)


def _dumper() -> Any:
    """Texts of several lines as blocks, as people write them."""
    import yaml

    class Dumper(yaml.SafeDumper):
        pass

    def block(dumper: Any, text: str) -> Any:
        # YAML takes more characters for line ends than others do: escaped, they come back as they went.
        style = '"' if _ODD.search(text) else "|" if "\n" in text else None
        return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)

    Dumper.add_representer(str, block)
    return Dumper
