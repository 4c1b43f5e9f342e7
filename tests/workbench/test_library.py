"""Finding conversations in folders, and words in them without parsing them."""

import os
import threading
import time
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qiao.workbench.conversation import Conversation, Message, Take
from qiao.workbench.conversation_file import dumps
from qiao.workbench.library import Hit, Library, Place, Query
from qiao.workbench.peeking import peek
from qiao.workbench.toml_glance import Needle, glance, texts

from ..patience import PROMPTLY_S

WRITTEN = st.text(st.characters(exclude_categories=["Cs"]))
WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cf", "Z"]), min_size=1)
"""What can be typed as one word; controls and bidi marks may stand as codes in a file."""


def put(folder: Path, name: str, *said: str, touched: float = 0, **fields: object) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    messages = tuple(Message(role="user", text=text) for text in said)
    path.write_bytes(dumps(Conversation(messages=messages, **fields)))  # pyright: ignore[reportArgumentType]
    os.utime(path, (1000 + touched, 1000 + touched))
    return path


def find(folder: Path, typed: str, library: Library | None = None, used: dict[str, float] | None = None) -> list[Hit]:
    places = [Place(folder, 2)]
    return list((library or Library()).search(Query.of(typed), places, used or {}, threading.Event()))


def found_names(folder: Path, typed: str) -> list[str]:
    return [hit.entry.path.name for hit in find(folder, typed)]


@given(text=WRITTEN, title=WRITTEN, tags=st.lists(WRITTEN, max_size=2), thinking=WRITTEN)
@settings(max_examples=200)
def test_a_glance_sees_what_was_written(text: str, title: str, tags: list[str], thinking: str) -> None:
    take = Take(text=text, thinking=thinking, model="local:a/B")
    said = (Message(role="user", text=text), Message(role="assistant").with_take(take))
    conversation = Conversation(title=title, tags=tuple(tags), model="x:y", messages=said)
    data = dumps(conversation)
    seen = glance(data)
    assert seen is not None
    assert (seen.title, seen.tags, seen.models, seen.messages) == (title, tuple(tags), ("x:y", "local:a/B"), 2)
    assert {text, thinking} <= {*texts(data), ""}


@given(before=WRITTEN, word=WORDS, after=WRITTEN)
@settings(max_examples=300)
def test_no_word_that_is_there_is_passed_over(before: str, word: str, after: str) -> None:
    data = dumps(Conversation(messages=(Message(role="user", text=before + word + after),)))
    needle = Needle(word)
    if needle.word in (before + word + after).lower():
        assert needle.may_be_in(data, data.lower())


@pytest.mark.parametrize(
    ("text", "typed"),
    [
        ('She said "hello" twice', 'SAID "hello"'),
        ("a path C:\\new\\table", "c:\\new\\table"),
        ("第一行\n推敲是每个字都值得斟酌", "值得斟酌"),
        ("carriage\r\nreturn and tab\there", "return here"),
        ("École, ŒUVRE", "école œuvre"),
        ('quotes """ in """ text', '"""'),
        ("ends in a backslash\\", "backslash\\"),
    ],
)
def test_escapes_of_the_file_hide_no_word(tmp_path: Path, text: str, typed: str) -> None:
    put(tmp_path, "one.toml", text)
    put(tmp_path, "two.toml", "something else")
    [hit] = find(tmp_path, typed)
    assert hit.excerpt is not None
    line, start, end = hit.excerpt
    assert line[start:end].lower() == typed.lower().split()[0]


def test_words_of_the_format_are_no_words_of_the_text(tmp_path: Path) -> None:
    put(tmp_path, "one.toml", "Hello", model="local:starter")
    assert not [name for word in ("role", "user", "message", "starter", "qiao") for name in found_names(tmp_path, word)]
    assert found_names(tmp_path, "model:starter") == ["one.toml"]


def test_lines_of_a_text_that_look_like_the_format_are_found(tmp_path: Path) -> None:
    put(tmp_path, "one.toml", 'Explain:\nrole = "admin"\nmodel = "mine"\n')
    assert found_names(tmp_path, "admin mine") == ["one.toml"]


def test_names_come_before_texts_and_the_latest_first(tmp_path: Path) -> None:
    put(tmp_path, "a.toml", "about tea", touched=4)
    put(tmp_path, "tea.toml", "x", touched=1)
    put(tmp_path, "b.toml", "y", title="Green Tea", touched=2)
    put(tmp_path, "sub/deep/c.toml", "tea", touched=3)
    put(tmp_path, "sub/deep/too/d.toml", "tea", touched=9)
    put(tmp_path, "templates/t.toml", "tea", touched=8)
    assert found_names(tmp_path, "tea") == ["b.toml", "tea.toml", "a.toml", "c.toml", "t.toml"]
    used = {str(tmp_path / "tea.toml"): 2000.0}
    assert find(tmp_path, "", used=used)[0].entry.path.name == "tea.toml"


def test_words_may_stand_apart_in_title_and_texts(tmp_path: Path) -> None:
    put(tmp_path, "a.toml", "first of all", "and then second", title="Numbers")
    put(tmp_path, "b.toml", "first only", title="Numbers")
    assert found_names(tmp_path, "numbers FIRST second") == ["a.toml"]


def test_starred_takes_are_asked_for(tmp_path: Path) -> None:
    put(tmp_path, "plain.toml", "starred = true, says the parcel")
    path = tmp_path / "best.toml"
    take = Take(text="The parcel is here.", starred=True)
    path.write_bytes(dumps(Conversation(messages=(Message(role="assistant").with_take(take),))))
    assert found_names(tmp_path, "is:starred") == ["best.toml"]
    assert found_names(tmp_path, "IS:STARRED parcel") == ["best.toml"]
    assert found_names(tmp_path, "is:starred letter") == []


def test_what_is_no_conversation_is_not_listed(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "x"\n')
    (tmp_path / "experiment.toml").write_text('qiao = 1\nkind = "experiment"\n')
    (tmp_path / "pipe.toml").mkdir()
    (tmp_path / ".hidden").mkdir()
    put(tmp_path / ".hidden", "h.toml", "x")
    os.mkfifo(tmp_path / "fifo.toml")
    (tmp_path / "broken.toml").write_text('qiao = 1\ntitle = "no end\n[[message]]\nrole = "user"\ntext = "fox"\n')
    (tmp_path / "inline.toml").write_text('qiao = 1\nmessage = [{role = "user", text = "a red fox"}]\n')
    assert sorted(found_names(tmp_path, "")) == ["broken.toml", "inline.toml"]
    assert sorted(found_names(tmp_path, "fox")) == ["broken.toml", "inline.toml"]


def test_a_file_that_changed_is_read_again(tmp_path: Path) -> None:
    library = Library()
    put(tmp_path, "a.toml", "x", title="Before")
    assert [hit.entry.name for hit in find(tmp_path, "", library)] == ["Before"]
    put(tmp_path, "a.toml", "x", title="Behind it", touched=5)
    put(tmp_path, "b.toml", "x", title="New", touched=9)
    library.forget_listing()
    assert [hit.entry.name for hit in find(tmp_path, "", library)] == ["New", "Behind it"]


def test_a_search_that_is_given_up_ends(tmp_path: Path) -> None:
    for number in range(5):
        put(tmp_path, f"{number}.toml", "tea")
    stop = threading.Event()
    hits = Library().search(Query.of("tea"), [Place(tmp_path)], {}, stop)
    assert next(hits)
    stop.set()
    assert not list(hits)


def test_of_a_large_file_only_the_beginning_is_read(tmp_path: Path) -> None:
    large = put(tmp_path, "large.toml", "near the top", touched=2, title="A large one")
    with large.open("r+b") as file:
        file.seek(60_000_000)
        file.write(b"[[message]]\nfarword\n")
    huge = tmp_path / "sparse.toml"
    with huge.open("wb") as file:
        file.truncate(200_000_000)
    put(tmp_path, "small.toml", "farword")
    tracemalloc.start()
    try:
        listed = find(tmp_path, "")
        searched = find(tmp_path, "farword")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert [hit.entry.name for hit in listed] == ["A large one", "small"]
    assert [hit.entry.is_large for hit in listed] == [True, False]
    assert [hit.entry.name for hit in searched] == ["small"]
    assert peak < 20_000_000


def test_a_long_head_is_not_parsed(tmp_path: Path) -> None:
    path = put(tmp_path, "data.toml", "hi")
    path.write_bytes(b"qiao = 1\n" + b"".join(b"k%d = 1\n" % n for n in range(1_000_000)) + b"[[message]]\n")
    began = time.monotonic()
    [hit] = find(tmp_path, "")
    assert (hit.entry.name, hit.entry.glance.messages) == ("data", 1)
    assert time.monotonic() - began < PROMPTLY_S


def test_pipes_are_never_opened(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe.toml"
    os.mkfifo(pipe)
    put(tmp_path, "small.toml", "hi")
    assert [hit.entry.name for hit in find(tmp_path, "hi")] == ["small"]
    assert peek(str(pipe), 10) == b""
    assert peek("/dev/zero", 10) == b""


def test_a_file_of_lists_in_lists_does_not_end_the_search(tmp_path: Path) -> None:
    put(tmp_path, "talk.toml", "hello")
    (tmp_path / "deep.toml").write_text("qiao = 1\nx = " + "[" * 50_000)
    assert "talk.toml" in found_names(tmp_path, "")


def test_a_time_beyond_every_calendar_is_a_late_one(tmp_path: Path) -> None:
    odd, _ = put(tmp_path, "odd.toml", "hello"), put(tmp_path, "talk.toml", "hello")
    used = {str(odd): 1e13}
    assert [hit.entry.path.name for hit in find(tmp_path, "date:1970", used=used)] == ["talk.toml"]
    assert [hit.entry.path.name for hit in find(tmp_path, "", used=used)] == ["odd.toml", "talk.toml"]


def test_what_was_found_is_marked_behind_letters_that_small_are_two(tmp_path: Path) -> None:
    put(tmp_path, "talk.toml", "İİİİİİİİ to Paris and back")
    (hit,) = find(tmp_path, "paris")
    assert hit.excerpt is not None
    line, start, end = hit.excerpt
    assert line[start:end] == "Paris"
