"""Other programs' files, in and out: written as those programs write them."""

import json
import math
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qiao.workbench.conversation import Conversation, Message, Take
from qiao.workbench.errors import Unreadable
from qiao.workbench.exchange.exchanged import Imported
from qiao.workbench.exchange.formats import BY_NAME, read_any
from qiao.workbench.sampling import Sampling


def read(value: object, name: str = "data.json", named: str | None = None) -> Imported:
    return read_any(json.dumps(value).encode(), name, named)


def turns(conversation: Conversation) -> list[tuple[str, str]]:
    return [(message.role, message.said) for message in conversation.messages]


def write(format: str, *conversations: Conversation) -> tuple[str, dict[str, int]]:
    writer = BY_NAME[format].write
    assert writer is not None
    exported = writer(conversations)
    return exported.text, {what: n for what, n in exported.left_out.items() if n}


QA = [("user", "2+2?"), ("assistant", "4")]
TALK = Conversation(messages=(Message(role="user", text="2+2?"), Message(role="assistant", text="4")))


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ({"messages": [{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "4"}]}, QA),
        (
            {
                "messages": [
                    {"role": "developer", "content": "Be brief."},
                    {"role": "User", "content": [{"type": "text", "text": "2+2?"}]},
                    {"role": "assistant", "content": None, "tool_calls": [{"id": "1"}]},
                    {"role": "tool", "content": "4", "tool_call_id": "1"},
                ]
            },
            [("system", "Be brief."), ("user", "2+2?"), ("assistant", ""), ("tool", "4")],
        ),
        (
            {"system": "Be brief.", "messages": [{"role": "user", "content": "Hi"}]},
            [("system", "Be brief."), ("user", "Hi")],
        ),
        ([{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "4"}], QA),
        ([{"from": "human", "value": "2+2?"}, {"from": "gpt", "value": "4"}], QA),
        ({"messages": [{"from": "human", "value": "2+2?"}, {"role": "gpt", "content": "4"}]}, QA),
        ({"conversations": [{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "4"}]}, QA),
        ({"role": "user", "content": "2+2?"}, [("user", "2+2?")]),
        ([[{"role": "user", "content": "2+2?"}, {"role": "assistant", "content": "4"}]], QA),
        (
            {"system": [{"type": "text", "text": "S"}], "messages": [{"role": "user", "content": "Hi"}]},
            [("system", "S"), ("user", "Hi")],
        ),
        ({"messages": [{"role": "assistant", "content": None, "refusal": "No."}]}, [("assistant", "No.")]),
        ([{"role": "teacher", "instruction": "2+2?", "output": "4"}], QA),
        ([{"role": "x", "content": "y", "messages": [{"role": "user", "content": "Hi"}]}], [("user", "Hi")]),
        (
            {"instruction": "2?", "output": "2", "history": [["1?", None]]},
            [("user", "1?"), ("assistant", ""), ("user", "2?"), ("assistant", "2")],
        ),
        ({"instruction": "Add.", "context": "2+2", "response": "4"}, [("user", "Add.\n\n2+2"), ("assistant", "4")]),
        (
            {
                "custom_id": "a",
                "method": "POST",
                "url": "/v1/chat/completions",
                "body": {"messages": [{"role": "user", "content": "Hi"}]},
            },
            [("user", "Hi")],
        ),
        (
            {
                "custom_id": "a",
                "response": {
                    "status_code": 200,
                    "body": {"choices": [{"message": {"role": "assistant", "content": "4"}}]},
                },
            },
            [("assistant", "4")],
        ),
        ({"conversations": [{"from": "human", "value": "2+2?"}, {"from": "gpt", "value": "4"}]}, QA),
        ({"system": "S", "conversations": [{"from": "user", "value": "Hi"}]}, [("system", "S"), ("user", "Hi")]),
        ([{"conversations": [{"from": "human", "value": "2+2?"}, {"from": "gpt", "value": "4"}]}], QA),
        ({"instruction": "Add.", "input": "2+2", "output": "4"}, [("user", "Add.\n\n2+2"), ("assistant", "4")]),
        ({"instruction": "2+2?", "input": "", "output": "4"}, QA),
        (
            {"instruction": "3?", "output": "3", "system": "S", "history": [["1?", "1"], ["2?", "2"]]},
            [
                ("system", "S"),
                ("user", "1?"),
                ("assistant", "1"),
                ("user", "2?"),
                ("assistant", "2"),
                ("user", "3?"),
                ("assistant", "3"),
            ],
        ),
    ],
)
def test_records_as_others_write_them(record: object, expected: list[tuple[str, str]]) -> None:
    (conversation,) = read(record).conversations
    assert turns(conversation) == expected


def test_seed_tasks_are_flattened_to_an_instance_each() -> None:
    line = {
        "id": "seed_task_0",
        "name": "sums",
        "instruction": "Add the numbers.",
        "instances": [{"input": "2+2", "output": "4"}, {"input": "", "output": "none"}],
        "is_classification": False,
    }
    first, second = read_any((json.dumps(line) + "\n").encode(), "seed_tasks.jsonl").conversations
    assert (first.title, turns(first)) == ("sums 1", [("user", "Add the numbers.\n\n2+2"), ("assistant", "4")])
    assert (second.title, turns(second)) == ("sums 2", [("user", "Add the numbers."), ("assistant", "none")])


def test_instances_without_a_name_have_no_number_alone_and_an_instruction_stands_without_instances() -> None:
    lines = [{"instruction": "Add.", "instances": [{"input": "1", "output": "1"}, {"input": "2"}]},
             {"instruction": "Wait.", "instances": []}]  # fmt: skip
    imported = read_any("\n".join(map(json.dumps, lines)).encode(), "seed_tasks.jsonl").conversations
    assert [(each.title, turns(each)) for each in imported] == [
        (None, [("user", "Add.\n\n1"), ("assistant", "1")]),
        (None, [("user", "Add.\n\n2")]),
        (None, [("user", "Wait.")]),
    ]


def test_several_outputs_are_takes_of_one_answer() -> None:
    (pair,) = read({"instruction": "2+2?", "output": ["4", "5"]}).conversations
    choices = [{"message": {"role": "assistant", "content": text}} for text in ("4", "5")]
    (result,) = read({"custom_id": "a", "response": {"body": {"choices": choices}}}).conversations
    for conversation in (pair, result):
        message = conversation.messages[-1]
        assert (message.chosen, [take.text for take in message.takes]) == (1, ["4", "5"])


@pytest.mark.parametrize(
    "failed",
    [
        {"response": None, "error": {"code": "expired", "message": "Too late."}},
        {"response": {"status_code": 400, "body": {"error": {"message": "Too late."}}}, "error": None},
    ],
)
def test_a_request_that_failed_costs_no_other_its_answer(failed: dict[str, object]) -> None:
    fine = {"custom_id": "a", "response": {"body": {"choices": [{"message": {"role": "assistant", "content": "4"}}]}}}
    data = json.dumps(fine) + "\n" + json.dumps({"custom_id": "b", **failed})
    one, other = read_any(data.encode(), "out.jsonl").conversations
    assert turns(one) == [("assistant", "4")]
    take = other.messages[0].take
    assert take is not None
    assert take.error is not None
    assert (other.title, take.finish, take.error.message) == ("b", "error", "Too late.")


@pytest.mark.parametrize("key", ["messages", "conversations"])
def test_what_stands_beside_a_message_is_kept_or_told_of(key: str) -> None:
    parts = [{"type": "thinking", "thinking": "Two and two."}, {"type": "text", "text": "4"}, {"type": "image"}]
    call = {"role": "assistant", "content": "", "tool_calls": [{}]}
    imported = read({key: [{"role": "user", "content": "?", "name": "Li"}, {"role": "gpt", "content": parts}, call]})
    take = imported.conversations[0].messages[1].take
    assert take is not None
    assert (take.text, take.thinking) == ("4", "Two and two.")
    assert +imported.left_out == {"fields": 1, "parts": 1, "tools": 1}


@pytest.mark.parametrize(
    ("record", "lost"),
    [
        ({"messages": [], "source": "web", "empty": "", "response_format": {"type": "json_object"}},
         {"fields": 1, "response_format": 1}),
        ({"messages": [], "top_p": "high", "n": 2, "temperature": 0.5}, {"sampling": 1, "fields": 1}),
        ({"instruction": "x", "category": "sums"}, {"fields": 1}),
        ({"conversations": [], "score": 3}, {"fields": 1}),
        ([{"instruction": "x", "instances": [{"input": "1", "note": "n"}, {"input": "2"}], "source": "web"}],
         {"fields": 2}),
    ],
)  # fmt: skip
def test_fields_that_have_no_place_here_are_counted(record: object, lost: dict[str, int]) -> None:
    assert +read(record).left_out == lost


@pytest.mark.parametrize("value", [math.inf, math.nan, -1, "high", [1]])
def test_no_parameter_comes_in_that_a_file_couldnt_hold(value: object) -> None:
    imported = read({"messages": [], "temperature": value})
    assert imported.conversations[0].sampling == Sampling()
    assert imported.left_out["sampling"] == 1


def test_lone_surrogates_end_where_they_enter() -> None:
    imported = read_any(b'{"messages": [{"role": "user", "content": "\\ud800"}], "stop": ["\\ud800"]}', "a.json")
    for format in ("qiao", "messages", "prompt-yml"):
        assert write(format, *imported.conversations)[0].encode()


def test_what_a_newer_qiao_wrote_is_said_to_be_read_in_part() -> None:
    assert +read_any(b"qiao = 2\n[[message]]\nrole = 'user'\n", "new.toml").left_out == {"newer": 1}


PROMPT_YML = """\
name: Late parcel
description: Answers a customer.
model: openai/gpt-4o
modelParameters:
  temperature: 0.3
  maxTokens: 200
  somethingNew: 1
messages:
  - role: system
    content: |
      Be kind.
      Be brief.
  - role: user
    content: "My parcel is late, says {{name}}."
testData:
  - name: Li Lei
  - name: Han Mei
evaluators:
  - name: short
    string: {contains: sorry}
"""


def test_a_prompt_yml_file() -> None:
    imported = read_any(PROMPT_YML.encode(), "late.prompt.yml")
    (conversation,) = imported.conversations
    assert conversation.title == "Late parcel"
    assert conversation.note == "Answers a customer."
    assert conversation.sampling == Sampling(temperature=0.3, max_tokens=200)
    assert conversation.variables == {"name": "Li Lei"}
    assert turns(conversation) == [("system", "Be kind.\nBe brief.\n"), ("user", "My parcel is late, says {{name}}.")]
    assert +imported.left_out == {"rows": 1, "evaluators": 1, "models": 1, "sampling": 1}
    text, left_out = write("prompt-yml", conversation)
    assert read_any(text.encode(), "again.yml").conversations == (conversation_like(conversation),)
    assert left_out == {}
    assert "content: |\n" in text


def test_scalars_in_yaml_are_the_text_that_stands_there() -> None:
    values = {"zip": "0123", "at": "1:30", "version": "1.10", "sure": "yes", "day": "2026-11-30", "n": "1_000"}
    lines = "".join(f"    {name}: {value}\n" for name, value in values.items())
    text = f"messages:\n  - role: user\n    content: 2026-11-30\ntestData:\n  -\n{lines}"
    (conversation,) = read_any(text.encode(), "a.prompt.yml").conversations
    assert conversation.variables == values
    assert turns(conversation) == [("user", "2026-11-30")]
    again = write("prompt-yml", conversation)[0]
    assert read_any(again.encode(), "a.prompt.yml").conversations[0].variables == values


def test_a_parameter_of_0_is_set() -> None:
    sampling = Sampling(temperature=0, seed=0, presence_penalty=0, frequency_penalty=0, stop=("5",))
    text, left_out = write("prompt-yml", Conversation(sampling=sampling))
    assert left_out == {}
    assert read_any(text.encode(), "a.yml").conversations[0].sampling == sampling
    assert write("prompt-yml", Conversation(sampling=Sampling(thinking=False, top_k=0)))[1] == {"sampling": 2}


def conversation_like(conversation: Conversation) -> Any:
    """Equal to a conversation that says the same, whatever the uids of its messages."""

    class Like:
        def __eq__(self, other: object) -> bool:
            assert isinstance(other, Conversation)
            plain = (conversation.with_messages(()), turns(conversation))
            return plain == (other.with_messages(()), turns(other))

    return Like()


def test_thinking_that_came_beside_an_answer_is_a_takes() -> None:
    message = {"role": "assistant", "content": "4", "reasoning_content": "Two and two."}
    (conversation,) = read({"messages": [{"role": "user", "content": "2+2?"}, message]}).conversations
    take = conversation.messages[1].take
    assert take is not None
    assert (take.text, take.thinking) == ("4", "Two and two.")
    assert write("messages", conversation)[1] == {"thinking": 1}


def test_sampling_parameters_come_and_go_with_a_request() -> None:
    request = {"model": "qwen-plus", "messages": [{"role": "user", "content": "Hi"}], "temperature": 0, "stop": "END",
               "max_completion_tokens": 9, "top_p": "high", "n": 2}  # fmt: skip
    imported = read(request)
    (conversation,) = imported.conversations
    assert conversation.sampling == Sampling(temperature=0, stop=("END",), max_tokens=9)
    assert imported.left_out["models"] == 1
    text, _ = write("messages", Conversation(model="bailian:qwen-plus", sampling=conversation.sampling))
    assert json.loads(text) == {
        "model": "qwen-plus", "messages": [], "temperature": 0, "stop": ["END"], "max_tokens": 9,
    }  # fmt: skip


def test_what_isnt_sent_is_left_out_and_said() -> None:
    takes = (Take(text="4"), Take(text="5", note="no", starred=True, thinking="hm"))
    conversation = Conversation(
        note="mine",
        variables={"n": "2"},
        messages=(
            Message(role="system", text="off", muted=True),
            Message(role="user", text="{{n}}+{{m}}?"),
            Message(role="assistant", text="by hand", takes=takes, chosen=2),
            Message(role="user", text="And {{n}}?", note="x"),
        ),
    )
    text, left_out = write("messages", conversation)
    sent = [(m["role"], m["content"]) for m in json.loads(text)["messages"]]
    assert sent == [("user", "2+{{m}}?"), ("assistant", "5"), ("user", "And 2?")]
    counts = {"takes": 1, "written": 1, "thinking": 1, "stars": 1, "notes": 3, "muted": 1, "unset_variables": 1}
    assert left_out == counts


def test_a_batch_asks_for_the_last_answer() -> None:
    text, left_out = write("batch", TALK, TALK)
    requests = [json.loads(line) for line in text.splitlines()]
    assert [request["custom_id"] for request in requests] == ["request-1", "request-2"]
    assert all(request["body"]["messages"] == [{"role": "user", "content": "2+2?"}] for request in requests)
    assert left_out == {"last_answers": 2}


def test_every_request_of_a_batch_has_a_name_of_its_own() -> None:
    titles = ["request-2", None, "a", "a", "a-4"]
    text, _ = write("batch", *(Conversation(title=title) for title in titles))
    assert len({json.loads(line)["custom_id"] for line in text.splitlines()}) == len(titles)


def test_parameters_that_json_has_no_form_for_are_left_out_and_no_others_of_the_engines_own() -> None:
    extra = {"day": date(2026, 1, 1), "x": math.inf, "messages": [], "model": "m", "beams": 2}
    conversation = Conversation(sampling=Sampling(n=2, logprobs=1, extra=extra))
    text, left_out = write("messages", conversation)
    assert json.loads(text) == {"messages": [], "beams": 2}
    assert left_out == {"sampling": 6}


@pytest.mark.parametrize("format", ["messages", "messages-jsonl", "alpaca"])
def test_a_title_that_has_no_place_is_told_of(format: str) -> None:
    assert write(format, Conversation(title="Sums", messages=TALK.messages))[1] == {"titles": 1}


def test_markdown_keeps_the_headings_of_messages_above_those_within() -> None:
    answer = Take(text="# Sum\n```\n# no heading\n```\n## Parts", model="local:starter")
    conversation = Conversation(
        title="Sums", messages=(Message(role="user", text="2+2?"), Message(role="assistant", takes=(answer,), chosen=1))
    )
    text, _ = write("markdown", conversation)
    assert text == (
        "# Sums\n\n## User\n\n2+2?\n\n## Assistant\n\n### Sum\n```\n# no heading\n```\n#### Parts\n\n*local:starter*\n"
    )


def test_braces_from_outside_are_told_of() -> None:
    imported = read({"messages": [{"role": "user", "content": "What does {{ user }} mean in Jinja?"}]})
    assert imported.left_out.lines() == ["texts that show {{…}}, which reads as a variable here: 1"]


@pytest.mark.parametrize(
    ("data", "name", "said"),
    [
        (b'{"messages": 1}', "a.json", "a.json: there is no list of messages"),
        (
            b'{"messages": []}\n{"messages": [{"role": "elf"}]}',
            "a.jsonl",
            'a.jsonl, line 2: nobody here is called "elf"',
        ),
        (b'{"messages": []}\n{"messages": ', "a.jsonl", "a.jsonl, line 2: no JSON that can be read"),
        (b'{\n"messages": [,]}', "a.json", "a.json, line 2: no JSON that can be read"),
        (b'[{"messages": []}, 3]', "a.json", "expected objects"),
        (b'{"text": "x"}', "a.json", "from its fields: text"),
        (b"\xff\xfe", "a.json", "not UTF-8"),
        (b"[]", "a.json", "is empty"),
        (b"name: [", "a.prompt.yml", "not YAML"),
        (b"- 1", "a.yml", "no list of messages"),
        (b"# Hi", "a.md", "can be written, not read"),
        (b"hello", "a.txt", "can't be told"),
        (b'{"instruction": "x", "history": [1]}', "a.json", "pairs"),
        (b'{"instruction": "x", "history": 5}', "a.json", "pairs"),
        (b'{"instruction": "x", "history": [["a", "b", "c"]]}', "a.json", "pairs"),
        (b'{"messages": [{"role": null, "content": "x"}]}', "a.json", "doesn't say whose it is"),
        (b'{"conversations": [{"from": "elf"}]}', "a.json", '"elf"'),
        (b'{"messages": ' + b"9" * 5000 + b"}", "a.json", "no JSON that can be read"),
        (b"[" * 100_000, "a.json", "no JSON that can be read"),
        (b"messages: [{role: user, content: !!int ''}]", "a.yml", "not YAML"),
        (b"messages: [{role: user, content: !!bool x}]", "a.yml", "not YAML"),
        (b"messages: [{role: user, content: !!timestamp x}]", "a.yml", "not YAML"),
        (b"messages: [{role: [user], content: x}]", "a.yml", '"list"'),
    ],
)
def test_what_cant_be_read_says_where_and_why(data: bytes, name: str, said: str) -> None:
    with pytest.raises(Unreadable) as raised:
        read_any(data, name)
    assert said in str(raised.value)


texts = st.text(st.characters(codec="utf-8"), min_size=1).filter(lambda text: "{{" not in text and text.strip())
pairs = st.lists(st.tuples(texts, texts), min_size=1, max_size=4)


def talk(pairs: list[tuple[str, str]]) -> Conversation:
    asked_and_answered = [
        (Message(role="user", text=question), Message(role="assistant", text=answer)) for question, answer in pairs
    ]
    return Conversation(messages=tuple(message for pair in asked_and_answered for message in pair))


@given(pairs, st.sampled_from(["messages", "messages-jsonl", "sharegpt", "alpaca", "prompt-yml"]))
def test_any_text_comes_back_as_it_went(pairs: list[tuple[str, str]], format: str) -> None:
    conversation = talk(pairs)
    text, left_out = write(format, conversation)
    assert left_out == {}
    (back,) = read_any(text.encode(), "x", named=format).conversations
    assert turns(back) == turns(conversation)


@given(st.lists(pairs, min_size=2, max_size=4), st.sampled_from(["messages", "messages-jsonl", "sharegpt", "alpaca"]))
def test_several_come_back_in_order(talks: list[list[tuple[str, str]]], format: str) -> None:
    conversations = [talk(each) for each in talks]
    text, _ = write(format, *conversations)
    assert [turns(each) for each in read_any(text.encode(), "x", named=format).conversations] == [
        turns(each) for each in conversations
    ]


def test_references_that_multiply_are_not_followed() -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}, *a{n - 1}]\n" for n in range(1, 40))
    text = bomb + "messages: [{role: user, content: *a39}]\ntestData: [{v: *a39, w: 1}]\n"
    imported = read_any(text.encode(), "a.yml")
    assert imported.conversations[0].variables == {"w": "1"}
    assert imported.left_out["values"] == 1
