"""GitHub's `.prompt.yml`: name, model, modelParameters, messages with `{{variables}}`, testData.

The format: https://docs.github.com/en/github-models/use-github-models/storing-prompts-in-github-repositories
"""

import re
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, cast

from ..conversation import Conversation
from ..errors import Unreadable
from ..sampling import NAMES, Sampling
from ..variables import PATTERN
from ..visible import visible_line, without_surrogates
from .exchanged import Exported, Imported, LeftOut, sent_messages
from .messages import message, others, parameters, wrong
from .records import Table, string, tables

KNOWN = {
    *("name", "description", "model", "modelParameters", "messages", "testData"),
    *("evaluators", "responseFormat", "jsonSchema"),
}
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
    table = _parsed(text, name)
    listed = tables(table.get("messages"))
    if listed is None:
        raise wrong("", name, "exchange.no_messages")
    left_out = LeftOut()
    messages = [message(each, "", name, left_out) for each in listed]
    rows = tables(table.get("testData")) or []
    left_out["rows"] += max(len(rows) - 1, 0)
    left_out["evaluators"] += len(tables(table.get("evaluators")) or [])
    left_out["models"] += bool(table.get("model"))
    left_out["response_format"] += bool(table.get("responseFormat") or table.get("jsonSchema"))
    left_out["fields"] += others(table, KNOWN)
    row = rows[0] if rows else {}
    # Text only: lists and tables may hold more than there is memory, by references to one another.
    values = {without_surrogates(key): string(row, key) for key in cast(Iterable[object], row) if isinstance(key, str)}
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


def _parsed(text: str, name: str) -> Table:
    """The file's table. Scalars are the text that stands there: 0123, 1:30, 1.10, yes and 2026-11-30 are no others."""
    import yaml

    class Loader(yaml.SafeLoader):
        yaml_implicit_resolvers = {  # noqa: RUF012 - as PyYAML has it
            first: [(tag, pattern) for tag, pattern in resolvers if tag.endswith((":null", ":merge"))]
            for first, resolvers in yaml.SafeLoader.yaml_implicit_resolvers.items()
        }

    try:
        value: object = yaml.load(text, Loader)
    except (yaml.YAMLError, ValueError, LookupError, TypeError, AttributeError, RecursionError) as error:
        # Its constructors fail in many ways on values that aren't what their tags say.
        mark = getattr(error, "problem_mark", None)
        place = f"{name}:{mark.line + 1}" if mark else name
        detail = visible_line(str(getattr(error, "problem", None) or error))
        raise Unreadable("exchange.not_yaml", file=visible_line(place), detail=detail) from None
    return cast(Table, value) if isinstance(value, dict) else {}


def _sampling(value: object, left_out: LeftOut) -> Sampling:
    given = cast(Table, value) if isinstance(value, dict) else {}
    left_out["sampling"] += others(given, set(PARAMETERS))
    numbers = {name: each if PARAMETERS.get(name) == "stop" else _number(each) for name, each in given.items()}
    return parameters(numbers, PARAMETERS, left_out)


def _number(value: object) -> object:
    """The number that a text is, if it is one."""
    for kind in (int, float):
        with suppress(ValueError):
            return kind(value) if isinstance(value, str) else value
    return value


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
        table["model"] = conversation.model.partition(":")[2] or conversation.model
    set_here = {name: value for name in NAMES if (value := getattr(conversation.sampling, name)) is not None}
    names = {ours: theirs for theirs, ours in PARAMETERS.items() if theirs != "maxCompletionTokens"}
    given: Table = {names[name]: value for name, value in set_here.items() if name in names}
    if "stop" in given:
        given["stop"] = list(given["stop"])
    left_out["sampling"] += len(set_here.keys() - names.keys())
    if given:
        table["modelParameters"] = given
    sent = sent_messages(conversation, left_out, fill=False)
    left_out["notes"] -= bool(conversation.note)
    table["messages"] = [{"role": role, "content": text} for role, text in sent]
    # An answer may show braces of its own; here they would be variables.
    answers = (each.take for each in conversation.messages)
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
