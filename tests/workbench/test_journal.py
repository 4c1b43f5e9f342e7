"""What a killed run leaves, and how it comes back."""

import fcntl
import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qiao.workbench.asking import prompt_hashes
from qiao.workbench.conversation import Conversation, Message, Take
from qiao.workbench.journal import Coming, Draft, Journal, Left, Line, folder, orphans, restored
from qiao.workbench.page import page_of, rewritten
from qiao.workbench.sampling import Sampling
from qiao.workbench.splicing import splice

ASKED = Conversation(messages=(Message(role="user", text="Capital?"),))
HASH = prompt_hashes(ASKED.messages, {})[-1]
TAKE = Take(text="Pa", model="local:starter", seed=7, prompt_hash=HASH, created=datetime(2026, 11, 23, tzinfo=UTC))


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("QIAO_HOME", str(tmp_path))


@pytest.fixture
def journal(tmp_path: Path) -> Iterator[Journal]:
    made = Journal(tmp_path / "talk.toml", is_untitled=False)
    yield made
    made.remove()


def killed(journal: Journal) -> None:
    """As the end of its process does: the lock is let go of, the file stays."""
    os.close(journal._file)
    journal._path, journal._file = None, -1


def left() -> Left:
    (found,) = orphans()
    return found


def test_drafts_and_answers_come_back_as_far_as_they_were_written(journal: Journal, tmp_path: Path) -> None:
    journal.append([Line("d", draft=Draft(0, "user", "Capital?", "Capital of")), Line("a", coming=Coming(1, TAKE))])
    journal.append([Line("d", keep=10, text=" France?"), Line("a", text="ris", thinking="hm")])
    journal.append([Line("b", coming=Coming(1, TAKE)), Line("b", gone=True)])
    journal.append([Line("d", keep=0, end=18, text="What is the ")])
    assert orphans() == []
    killed(journal)
    found = left()
    assert found.document == tmp_path / "talk.toml"
    assert found.drafts == (Draft(0, "user", "Capital?", "What is the Capital of France?"),)
    (answer,) = found.answers
    assert (answer.take.text, answer.take.thinking, answer.take.seed) == ("Paris", "hm", 7)
    back = restored(ASKED, found)
    assert [m.said for m in back.messages] == ["What is the Capital of France?", "Paris"]
    take = back.messages[1].take
    assert take is not None
    assert (take.finish, take.error and take.error.kind) == ("error", "engine_died")
    found.settle()
    assert orphans() == []


def test_one_that_just_begins_is_not_taken_for_what_a_killed_run_left(
    journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked = fcntl.flock

    def late(file: int, how: int) -> None:
        # As another program that starts between the file's making and its locking sees it.
        monkeypatch.setattr(fcntl, "flock", locked)
        assert orphans() == []
        locked(file, how)

    monkeypatch.setattr(fcntl, "flock", late)
    journal.append([Line("d", draft=Draft(0, "user", "", "x"))])
    killed(journal)
    assert left().drafts[0].text == "x"


def test_a_number_that_json_cant_hold_costs_no_words(journal: Journal) -> None:
    take = msgspec.structs.replace(TAKE, sampling=Sampling(extra={"big": 10**30}))
    journal.append([Line("a", coming=Coming(1, take)), Line("a", text="ris")])
    killed(journal)
    assert left().answers[0].take.text == "Paris"


def test_an_answer_of_the_same_second_to_another_question_is_another_answer(journal: Journal) -> None:
    more = ASKED.inserted(1, Message(role="assistant").with_take(TAKE), Message(role="user", text="And its river?"))
    hash_of_more = prompt_hashes(more.messages, {})[-1]
    coming = msgspec.structs.replace(TAKE, text="The Sei", prompt_hash=hash_of_more)
    journal.append([Line("a", coming=Coming(3, coming))])
    killed(journal)
    found = left()
    back = restored(more, found)
    assert [m.said for m in back.messages] == ["Capital?", "Pa", "And its river?", "The Sei"]
    assert restored(back, found) is back
    found.settle()


def test_what_has_reached_the_file_is_gone(journal: Journal) -> None:
    journal.append([Line("d", draft=Draft(0, "user", "", "x"))])
    journal.remove()
    assert list(folder().iterdir()) == []
    journal.append([Line("d", draft=Draft(0, "user", "", "y"))])
    killed(journal)
    found = left()
    assert found.drafts[0].text == "y"
    found.settle()


def test_a_journal_cut_at_every_byte_gives_what_was_whole(journal: Journal) -> None:
    journal.append([Line("a", coming=Coming(1, TAKE))])
    for word in ("ris", "，法国", "\n的首都"):
        journal.append([Line("a", text=word)])
    assert journal._path is not None
    path, data = journal._path, journal._path.read_bytes()
    killed(journal)
    whole = "Paris，法国\n的首都"
    lengths: list[int] = []
    for size in range(len(data) + 1):
        path.write_bytes(data[:size])
        found = orphans()
        texts = [answer.take.text for each in found for answer in each.answers]
        assert all(whole.startswith(text) for text in texts)
        lengths.append(max(map(len, texts), default=0))
        for each in found:
            os.close(each.holder)
    assert lengths == sorted(lengths)
    assert set(lengths) == {0, 2, 5, 8, 12}
    path.unlink(missing_ok=True)


def holding(*drafts: Draft, answers: tuple[Coming, ...] = ()) -> Left:
    return Left(Path("j"), Path("t"), False, drafts, answers, -1)


@pytest.mark.parametrize(
    ("draft", "expected"),
    [
        (Draft(0, "user", "Capital?", "Capital?"), ["Capital?"]),
        (Draft(0, "user", "", "Capital?"), ["Capital?"]),
        (Draft(0, "user", "Capital?", "City?"), ["City?"]),
        (Draft(0, "user", "Other", "Mine"), ["Capital?", "Mine"]),
        (Draft(5, "user", "", "Mine"), ["Capital?", "Mine"]),
        (Draft(0, "system", "Capital?", "Mine"), ["Capital?", "Mine"]),
    ],
)  # fmt: skip
def test_a_draft_never_overwrites_what_it_didnt_begin_with(draft: Draft, expected: list[str]) -> None:
    assert [message.said for message in restored(ASKED, holding(draft)).messages] == expected


def test_an_answer_that_is_there_doesnt_come_twice_and_one_without_its_question_comes_last() -> None:
    answered = ASKED.inserted(1, Message(role="assistant", takes=(TAKE,), chosen=1))
    assert restored(answered, holding(answers=(Coming(1, TAKE),))) is answered
    other = msgspec.structs.replace(TAKE, seed=8)
    assert len(restored(answered, holding(answers=(Coming(1, other),))).messages[1].takes) == 2
    changed = Conversation(messages=(Message(role="user", text="Else"), Message(role="user", text="?")))
    assert [m.said for m in restored(changed, holding(answers=(Coming(1, TAKE),))).messages] == ["Else", "?", "Pa"]
    empty = msgspec.structs.replace(TAKE, text="")
    assert restored(ASKED, holding(answers=(Coming(1, empty),))) is ASKED


texts = st.text(st.sampled_from("ab界\n"), max_size=20)


@given(texts, texts)
def test_a_splice_says_exactly_what_changed(before: str, now: str) -> None:
    keep, end, between = splice(before, now)
    assert before[:keep] + between + before[len(before) - end :] == now
    assert keep + end <= min(len(before), len(now))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(st.lists(texts, min_size=1, max_size=6))
def test_any_course_of_typing_comes_back(journal: Journal, course: list[str]) -> None:
    journal.append([Line("d", draft=Draft(0, "user", "", course[0]))])
    for before, now in pairwise(course):
        keep, end, between = splice(before, now)
        journal.append([Line("d", keep=keep, end=end, text=between)])
    killed(journal)
    found = left()
    assert [draft.text for draft in found.drafts] == [course[-1]]
    found.settle()


def damaged(journal: Journal, change: Callable[[bytes], bytes]) -> list[Left]:
    """What is found of a journal after its file was changed so."""
    assert journal._path is not None
    path, data = journal._path, journal._path.read_bytes()
    killed(journal)
    path.write_bytes(change(data))
    return orphans()


def test_a_damaged_head_costs_no_draft(journal: Journal) -> None:
    journal.append([Line("d", draft=Draft(0, "user", "", "mine"))])
    (found,) = damaged(journal, lambda data: b"x" + data)
    assert found.document is None
    assert [draft.text for draft in found.drafts] == ["mine"]
    found.settle()


def test_what_nobody_can_read_is_left_where_it_is(journal: Journal) -> None:
    journal.append([Line("d", draft=Draft(0, "user", "", "mine"))])
    assert damaged(journal, lambda data: b"\x00\xff") == []
    assert len(list(folder().iterdir())) == 1


def test_after_a_damaged_line_only_what_begins_anew_counts(journal: Journal) -> None:
    journal.append([Line("d", draft=Draft(0, "user", "", "one"))])
    journal.append([Line("d", keep=3, text=" two")])
    journal.append([Line("d", keep=7, text=" three"), Line("e", draft=Draft(1, "user", "", "other"))])
    journal.append([Line("e", keep=5, text="!")])
    (found,) = damaged(journal, lambda data: data.replace(b'" two"', b'" two'))
    assert [draft.text for draft in found.drafts] == ["one", "other!"]
    found.settle()


@pytest.mark.parametrize("change", [(b'"index":0', b'"index":-5'), (b"talk.toml", b"a\\u0000b.toml")])
def test_values_that_cant_be_are_no_accident(journal: Journal, change: tuple[bytes, bytes]) -> None:
    journal.append([Line("d", draft=Draft(0, "user", "", "mine"))])
    for found in damaged(journal, lambda data: data.replace(*change)):
        assert found.document is None
        found.settle()


def test_a_write_that_fails_leaves_whole_lines_only(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    journal.append([Line("d", draft=Draft(0, "user", "", "one"))])
    real, calls = os.write, list[int]()

    def full(file: int, data: bytes) -> int:
        calls.append(1)
        if len(calls) > 1:
            raise OSError(28, "No space left on device")
        return real(file, bytes(data)[:5])

    monkeypatch.setattr(os, "write", full)
    with pytest.raises(OSError, match="No space"):
        journal.append([Line("d", keep=3, text=" two")])
    monkeypatch.setattr(os, "write", lambda file, data: real(file, bytes(data)[:7]))
    journal.append([Line("d", draft=Draft(0, "user", "", "one two three"))])
    monkeypatch.undo()
    killed(journal)
    monkeypatch.setenv("QIAO_HOME", str(journal.document.parent))
    found = left()
    assert [draft.text for draft in found.drafts] == ["one two three"]
    found.settle()


def test_a_head_that_cant_be_written_is_begun_again(journal: Journal, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(file: int, data: bytes) -> int:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises(OSError, match="No space"):
            journal.append([Line("d", draft=Draft(0, "user", "", "one"))])
    journal.append([Line("d", draft=Draft(0, "user", "", "one"))])
    killed(journal)
    found = left()
    assert found.document is not None
    found.settle()


def whole(beginning: str, text: str) -> Draft:
    return Draft(0, "user", beginning, text, whole=True)


STORY = Conversation(
    messages=(
        Message(role="user", text="从前"),
        Message(role="assistant", takes=(Take(text="有座山"),), chosen=1, runs_on=True),
    )
)


def text_of(conversation: Conversation) -> str:
    return page_of(conversation.messages).text


def test_a_page_comes_back_with_the_takes_of_what_was_not_changed() -> None:
    back = restored(STORY, holding(whole("从前有座山", "从前有座山，山里")))
    assert text_of(back) == "从前有座山，山里"
    assert back.messages[:2] == STORY.messages
    assert restored(back, holding(whole("从前有座山", "从前有座山，山里"))) is back


def test_a_page_and_what_was_written_on_from_it_come_back_together() -> None:
    page = rewritten(STORY, "从前有座山，山里")
    prompt_hash = prompt_hashes(page.messages, {})[-1]
    coming = Coming(3, Take(text="有座庙", model="local:x", seed=1, prompt_hash=prompt_hash), runs_on=True)
    back = restored(STORY, holding(whole("从前有座山", "从前有座山，山里"), answers=(coming,)))
    assert text_of(back) == "从前有座山，山里有座庙"
    again = whole("从前有座山，山里有座庙", "从前有座山，山里有座庙，庙里")
    back = restored(STORY, holding(whole("从前有座山", "从前有座山，山里"), again, answers=(coming,)))
    assert text_of(back) == "从前有座山，山里有座庙，庙里"
    assert [m.role for m in back.messages] == ["user", "assistant", "user", "assistant", "user"]
    # The file has it all already, or all but the last.
    assert restored(back, holding(whole("从前有座山", "从前有座山，山里"), again, answers=(coming,))) is back


def test_a_page_of_another_text_is_kept_beside_it_and_not_sent() -> None:
    back = restored(ASKED, holding(whole("从前", "从前有座山")))
    assert text_of(back) == "Capital?"
    assert (back.messages[1].text, back.messages[1].muted) == ("从前有座山", True)
    assert restored(back, holding(whole("从前", "从前有座山"))) is back
