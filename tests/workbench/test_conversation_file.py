import math
import string
import tomllib
from datetime import UTC, date, datetime, time, timedelta, timezone
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qiao.workbench import words
from qiao.workbench.conversation import Conversation, Message, Role, Take, TakeError, Timing, Usage
from qiao.workbench.conversation_file import dumps, loads
from qiao.workbench.errors import Unreadable
from qiao.workbench.sampling import Sampling
from qiao.workbench.toml_writing import dumps as dump_toml

AWKWARD = "\"'\\#\n\r\t \0\x1b\x7f\x85\x9b\u2028\u202e\ufeff\u200d{}[]=敲👩🏽"

texts = st.one_of(
    st.text(),
    st.text(alphabet=AWKWARD),
    st.sampled_from(
        ["\n", "\r\n", "a\r\nb", " \n ", '"""', '""""""\n', '\n"', "'''\n", "\\\n", "a\\", "\ta\t\n", "\n\n"]
    ),
)
keys = st.one_of(st.text(max_size=5), st.text(alphabet=string.ascii_letters, min_size=1, max_size=5))
zones = st.one_of(st.none(), st.just(UTC), st.integers(-1439, 1439).map(lambda m: timezone(timedelta(minutes=m))))
scalars = st.one_of(
    texts,
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.floats(allow_nan=False),
    st.datetimes(timezones=zones),
    st.dates(),
    st.times(),
)
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.dictionaries(keys, inner, max_size=3),
        st.lists(st.dictionaries(keys, inner, max_size=2), max_size=3),
    ),
    max_leaves=8,
)
KNOWN = {
    *("qiao", "kind"),
    *(
        field.encode_name
        for struct in (Conversation, Message, Take, TakeError, Usage, Timing, Sampling)
        for field in msgspec.structs.fields(struct)
        if field.name != "uid"
    ),
} - {"extra"}
unknown = st.dictionaries(keys.filter(lambda key: key not in KNOWN), values, max_size=3)
# Where `extra` is a key of the file's own.
unknown_to_sampling = unknown.map(lambda table: {key: value for key, value in table.items() if key != "extra"})


ONE_TAKE = "qiao = 1\n[[message]]\nrole = 'assistant'\n[[message.take]]\n"


def perhaps(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.none() | strategy


samplings = st.builds(
    Sampling,
    temperature=perhaps(st.floats(0, 100)),
    max_tokens=perhaps(st.integers(1, 2**40)),
    stop=perhaps(st.lists(texts, max_size=3).map(tuple)),
    seed=perhaps(st.integers(0, 2**63 - 1)),
    thinking=perhaps(st.booleans()),
    extra=perhaps(st.dictionaries(keys, values, max_size=2)),
    unknown=unknown_to_sampling,
)
takes = st.builds(
    Take,
    text=texts,
    thinking=perhaps(texts),
    model=perhaps(texts),
    created=perhaps(st.datetimes(timezones=zones)),
    prefix=perhaps(st.integers(0, 100)),
    finish=perhaps(st.sampled_from(["stop", "error"])),
    note=perhaps(texts),
    starred=st.booleans(),
    error=perhaps(st.builds(TakeError, kind=texts, message=texts, extra=unknown)),
    sampling=perhaps(samplings),
    usage=perhaps(st.builds(Usage, prompt_tokens=perhaps(st.integers(0, 10**9)), extra=unknown)),
    timing=perhaps(
        st.builds(Timing, total_ms=perhaps(st.floats(allow_nan=False, allow_infinity=False)), extra=unknown)
    ),
    extra=unknown,
)


@st.composite
def messages(draw: st.DrawFn) -> Message:
    role: Role = draw(st.sampled_from(["system", "user", "assistant", "tool"]))
    its_takes = tuple(draw(st.lists(takes, max_size=3))) if role == "assistant" else ()
    return Message(
        role=role,
        text=draw(texts),
        muted=draw(st.booleans()),
        note=draw(perhaps(texts)),
        chosen=draw(perhaps(st.integers(1, len(its_takes)))) if its_takes else None,
        takes=its_takes,
        extra=draw(unknown),
    )


conversations = st.builds(
    Conversation,
    title=perhaps(texts),
    tags=st.lists(texts, max_size=3).map(tuple),
    note=perhaps(texts),
    model=perhaps(texts),
    sampling=samplings,
    variables=st.dictionaries(keys, texts, max_size=3),
    messages=st.lists(messages(), max_size=4).map(tuple),
    extra=unknown,
)


def without_uids(conversation: Conversation) -> Conversation:
    return conversation.with_messages([msgspec.structs.replace(m, uid=0) for m in conversation.messages])


def read(text: str) -> Conversation:
    return loads(text.encode(), "talk.toml").conversation


def complaint(text: str | bytes) -> str:
    with pytest.raises(Unreadable) as caught:
        loads(text if isinstance(text, bytes) else text.encode(), "talk.toml")
    line = str(caught.value)
    assert "\n" not in line
    return line


@settings(max_examples=300)
@given(conversations)
def test_every_value_survives(conversation: Conversation) -> None:
    data = dumps(conversation)
    loaded = loads(data, "talk.toml")
    assert without_uids(loaded.conversation) == without_uids(conversation)
    assert not loaded.read_only
    assert not loaded.had_comments
    assert dumps(loaded.conversation) == data


@settings(max_examples=300)
@given(st.dictionaries(keys, values, max_size=4))
def test_any_table_reads_back_as_written(table: dict[str, Any]) -> None:
    assert tomllib.loads(dump_toml(table).decode()) == table


@settings(max_examples=200)
@given(texts)
def test_any_text_survives_and_the_file_shows_no_control(text: str) -> None:
    data = dump_toml({"text": text, "list": [text], text: 1})
    assert tomllib.loads(data.decode())["text"] == text
    shown = data.decode().replace("\n", "").replace("\t", "")
    assert not any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for char in shown)


def test_a_file_looks_as_documented() -> None:
    take = Take(
        text="Knock.",
        model="local:starter",
        created=datetime(2026, 11, 22, 15, tzinfo=UTC),
        seed=7,
        finish="stop",
        note="dry",
        starred=True,
        sampling=Sampling(temperature=0.7, stop=("END",), extra={"deep": {"x": 1}}),
        usage=Usage(prompt_tokens=3),
        extra={"rating": 5, "by": {"who": "me"}},
    )
    conversation = Conversation(
        title="推敲",
        sampling=Sampling(max_tokens=5, unknown={"dry": 0.5}),
        variables={"the name": "Li Lei"},
        messages=(
            Message(role="user", text="Push or knock?\nSay one word.", muted=True, note="old"),
            Message(
                role="assistant", text="By hand", takes=(take,), chosen=1, extra={"zz": {"deep": True}, "color": "red"}
            ),
        ),
        extra={"tool": [{"name": "a"}], "rating": 1.5},
    )
    assert (
        dumps(conversation).decode()
        == """qiao = 1
title = "推敲"
rating = 1.5

[sampling]
max_tokens = 5
dry = 0.5

[variables]
"the name" = "Li Lei"

[[message]]
role = "user"
text = \"\"\"
Push or knock?
Say one word.\"\"\"
muted = true
note = "old"

[[message]]
role = "assistant"
text = "By hand"
chosen = 1
color = "red"

[[message.take]]
text = "Knock."
model = "local:starter"
created = 2026-11-22T15:00:00Z
seed = 7
finish = "stop"
note = "dry"
starred = true
rating = 5

[message.take.sampling]
temperature = 0.7
stop = [
    "END",
]

[message.take.sampling.extra]

[message.take.sampling.extra.deep]
x = 1

[message.take.usage]
prompt_tokens = 3

[message.take.by]
who = "me"

[message.zz]
deep = true

[[tool]]
name = "a"
"""
    )


def test_a_key_named_as_a_field_of_ours_is_only_a_key() -> None:
    source = 'qiao = 1\n[sampling]\nunknown = 1\n[[message]]\nrole = "user"\nuid = 7\nextra = "x"\ntakes = 2\n'
    conversation = read(source)
    assert conversation.sampling.unknown == {"unknown": 1}
    assert conversation.messages[0].extra == {"uid": 7, "extra": "x", "takes": 2}
    assert conversation.messages[0].uid != 7
    assert dumps(conversation).decode().replace("\n\n", "\n") == source


def test_messages_of_one_file_are_told_apart() -> None:
    conversation = read('qiao = 1\n[[message]]\nrole = "user"\n[[message]]\nrole = "user"\n')
    assert conversation.messages[0].uid != conversation.messages[1].uid


def test_times_keep_their_zone() -> None:
    for written in ("2026-11-22T15:00:00Z", "2026-11-22T15:00:00+08:00", "2026-11-22T15:00:00.25"):
        source = f'qiao = 1\n\n[[message]]\nrole = "assistant"\n\n[[message.take]]\ntext = ""\ncreated = {written}\n'
        assert written.removesuffix(".25") in dumps(read(source)).decode()
    table = {"d": date(2026, 1, 2), "t": time(3, 4, 5), "z": datetime(2026, 1, 1, tzinfo=UTC)}
    assert tomllib.loads(dump_toml(table).decode()) == table


def test_a_lone_surrogate_is_replaced_rather_than_fatal() -> None:
    conversation = Conversation(messages=(Message(role="user", text="a\ud800b"),))
    assert loads(dumps(conversation), "x").conversation.messages[0].text == "a\ufffdb"


def test_a_byte_order_mark_is_skipped() -> None:
    assert loads(b'\xef\xbb\xbfqiao = 1\ntitle = "x"\n', "x").conversation.title == "x"


@pytest.mark.parametrize(
    ("source", "has_comments"),
    [
        ("qiao = 1 # first", True),
        ("# first\nqiao = 1", True),
        ('qiao = 1\ntitle = "# no"', False),
        ("qiao = 1\ntitle = '# \"no'", False),
        ('qiao = 1\ntitle = """\n# no "quoted" \\""" # no\n"""', False),
        ('qiao = 1\ntitle = """a"""""\nnote = "#"', False),
        ('qiao = 1\ntitle = """a""""" # yes "x"', True),
        ("qiao = 1\ntitle = '''it's\n# no'''''\n", False),
        ("qiao = 1\ntitle = '''it's\n# no'''''# yes\n", True),
        ('qiao = 1\n"#" = "\\"#"', False),
    ],
)
def test_comments_are_told_from_text(source: str, has_comments: bool) -> None:
    assert loads(source.encode(), "x").had_comments is has_comments


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("title = 1", "talk.toml: no Qiao file: it has no `qiao = 1`."),
        ('qiao = "1"', 'talk.toml: qiao: found "1", expected a whole number of at least 1.'),
        ("qiao = true", "talk.toml: qiao: found true, expected a whole number of at least 1."),
        ("qiao = 0", "talk.toml: qiao: found 0, expected a whole number of at least 1."),
        ('qiao = 1\nkind = "experiment"', 'talk.toml: kind: found "experiment", expected "conversation".'),
        ("qiao = 1\ntitle = 5", "talk.toml: title: found 5, expected a text."),
        ('qiao = 1\nmessage = "hi"', 'talk.toml: message: found "hi", expected a list of tables.'),
        ("qiao = 1\nmessage = [1]", "talk.toml: message 1: found 1, expected a table."),
        ("qiao = 1\n[variables]\nage = 3", "talk.toml: variables.age: found 3, expected a text."),
        ("qiao = 1\n[sampling]\nstop = [1]", "talk.toml: sampling.stop 1: found 1, expected a text."),
        ('qiao = 1\n[sampling]\nstop = "x"', 'talk.toml: sampling.stop: found "x", expected a list, each a text.'),
        (
            "qiao = 1\n[sampling]\ntemperature = -0.5",
            "talk.toml: sampling.temperature: found -0.5, expected a number of at least 0.",
        ),
        (
            "qiao = 1\n[sampling]\ntop_p = 0",
            "talk.toml: sampling.top_p: found 0, expected a number above 0, at most 1.",
        ),
        ("qiao = 1\n[sampling]\nn = 129", "talk.toml: sampling.n: found 129, expected a whole number from 1 to 128."),
        (
            "qiao = 1\n[sampling]\ntemperature = nan",
            "talk.toml: sampling.temperature: found nan, expected a number of at least 0.",
        ),
        (
            "qiao = 1\n[sampling]\nrepetition_penalty = inf",
            "talk.toml: sampling.repetition_penalty: found inf, expected a number above 0.",
        ),
        (
            "qiao = 1\n[sampling]\nseed = 9223372036854775808",
            "talk.toml: sampling.seed: found 9223372036854775808, "
            "expected a whole number from 0 to 9223372036854775807.",
        ),
        (
            "qiao = 1\n[[message]]\nrole = 'user'\n[[message]]\nrole = 'robot'",
            'talk.toml: message 2, role: found "robot", expected one of assistant, system, tool, user.',
        ),
        (
            "qiao = 1\n[[message]]\ntext = ''",
            "talk.toml: message 1, role: found nothing, expected one of assistant, system, tool, user.",
        ),
        (
            ONE_TAKE + "text = ''\n[message.take.usage]\nprompt_tokens = 'x'",
            'talk.toml: message 1, take 1, usage.prompt_tokens: found "x", expected a whole number.',
        ),
        (
            ONE_TAKE + "text = ''\n[message.take.timing]\ntotal_ms = -inf",
            "talk.toml: message 1, take 1, timing.total_ms: found -inf, expected a number.",
        ),
        (
            ONE_TAKE + "model = 'm'",
            "talk.toml: message 1, take 1, text: found nothing, expected a text.",
        ),
        (
            ONE_TAKE + "text = ''\ncreated = 2026-11-22",
            "talk.toml: message 1, take 1, created: found 2026-11-22, expected a date with a time.",
        ),
        (
            ONE_TAKE + "text = ''\ncreated = '2026-11-22T15:00:00Z'",
            'talk.toml: message 1, take 1, created: found "2026-11-22T15:00:00Z", expected a date with a time.',
        ),
        (
            "qiao = 1\n[[message]]\nrole = 'user'\n[[message.take]]\ntext = ''",
            "talk.toml: message 1, take: found a list of tables, expected none: only an assistant message has takes.",
        ),
        (
            "qiao = 1\n[[message]]\nrole = 'user'\nchosen = 1",
            "talk.toml: message 1, chosen: found 1, expected nothing: this message has no takes.",
        ),
        *(
            (
                f"qiao = 1\n[[message]]\nrole = 'assistant'\nchosen = {chosen}\n[[message.take]]\ntext = ''",
                f"talk.toml: message 1, chosen: found {chosen}, expected a whole number from 1 to 1.",
            )
            for chosen in (2, 0, -1)
        ),
        ("qiao = 1\n[sampling\n", "talk.toml: line 2, column 10: not TOML: "),
        ('qiao = 1\ntitle = """', "talk.toml: line 2, column 12: not TOML: "),
        ("qiao = 1\nx = " + "[" * 20_000, "talk.toml: tables or lists are nested too deeply."),
        ("qiao = 1\n" + "a." * 3000 + "b = 1", "talk.toml: tables or lists are nested too deeply."),
        ("qiao = 1\nx = " + "1" * 5000, "talk.toml: not TOML: "),
    ],
)
def test_what_is_wrong_is_told_by_its_place(source: str, line: str) -> None:
    assert complaint(source).startswith(line)


def test_bytes_that_are_no_text_are_told_by_their_offset() -> None:
    assert complaint(b"qiao = 1\n\xff") == "talk.toml: not UTF-8 text, from byte 9 on."
    assert complaint(b"\xef\xbb\xbfqiao = 1\n\xff") == "talk.toml: not UTF-8 text, from byte 12 on."


def test_what_is_quoted_is_short_and_harmless() -> None:
    line = complaint(f'qiao = 1\n[[message]]\nrole = "\\u001b[2J{"x" * 100}"')
    assert "\x1b" not in line
    assert '"␛[2J' + "x" * 36 + '…"' in line
    with pytest.raises(Unreadable) as caught:
        loads(b"x", "a\x1b[2J\nb.toml")
    assert str(caught.value).startswith("a␛[2J␊b.toml: line 1")


def test_errors_are_said_in_chinese_too() -> None:
    words.choose("zh")
    try:
        line = complaint("qiao = 1\n[[message]]\nrole = 'assistant'\n[[message.take]]\nmodel = 'm'")
        assert line == "talk.toml：message 1，take 1，text：写的是：空缺；应为：文本。"
    finally:
        words.choose("en")


@pytest.mark.parametrize("value", ["-" + "9" * 4000, "[0x" + "f" * 6000 + "]", "[{a = -" + "9" * 4000 + "}, 1]"])
def test_a_huge_number_can_be_read_again(value: str) -> None:
    kept = read(f"qiao = 1\nbig = {value}\n")
    assert loads(dumps(kept), "x").conversation.extra == kept.extra


def test_a_whole_number_that_no_float_can_hold_is_an_error_at_its_place() -> None:
    assert "sampling.temperature: found 999" in complaint(f"qiao = 1\n[sampling]\ntemperature = {'9' * 400}\n")


def test_a_huge_number_is_an_error_where_it_counts_and_survives_elsewhere() -> None:
    assert complaint("qiao = 1\n[sampling]\nmax_tokens = -1" + "0" * 4000).startswith("talk.toml: sampling.max_tokens")
    digits = "0x" + "f" * 6000
    kept = read(f"qiao = 1\nbig = {digits}\n")
    assert kept.extra["big"] == int(digits, 16)
    assert loads(dumps(kept), "x").conversation.extra == kept.extra


def test_unknown_numbers_need_not_be_finite() -> None:
    kept = loads(dumps(read("qiao = 1\na = inf\nb = -inf\nc = nan\n")), "x").conversation.extra
    assert (kept["a"], kept["b"]) == (math.inf, -math.inf)
    assert math.isnan(kept["c"])


def test_a_newer_file_is_shown_as_well_as_can_be() -> None:
    loaded = loads(
        b"""qiao = 2
title = ["new"]
hue = "red"
[sampling]
temperature = "hot"
top_k = 3
[[message]]
role = "developer"
text = "one"
[[message]]
role = "user"
text = ["part"]
[[message.take]]
text = "odd"
[[message]]
role = "assistant"
text = "three"
chosen = 9
[[message.take]]
text = "a take"
[[message.take]]
parts = ["a take of a new sort"]
""",
        "new.toml",
    )
    assert loaded.read_only
    conversation = loaded.conversation
    assert (conversation.title, conversation.extra) == (None, {"hue": "red"})
    assert (conversation.sampling.temperature, conversation.sampling.top_k) == (None, 3)
    assert [(m.role, m.text) for m in conversation.messages] == [
        ("tool", "one"),
        ("user", "odd"),
        ("assistant", "three"),
    ]
    assert [take.text for take in conversation.messages[2].takes] == ["a take"]
    assert conversation.messages[2].chosen is None


def test_what_is_nested_as_deeply_as_allowed_can_be_written_again() -> None:
    for source in ("x = " + "[" * 63 + "]" * 63, "a." * 63 + "b = 1", "x = " + "{a=" * 63 + "1" + "}" * 63):
        conversation = read(f"qiao = 1\n{source}\n")
        assert read(dumps(conversation).decode()).extra == conversation.extra
