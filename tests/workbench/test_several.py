"""Edits of several messages at once."""

from hypothesis import given
from hypothesis import strategies as st

from qiao.workbench.conversation import Conversation, Message, Take
from qiao.workbench.several import copies, moved, muted, removed, with_next_role

TALK = Conversation(
    messages=(
        Message(role="system", text="s"),
        Message(role="user", text="q"),
        Message(role="assistant", takes=(Take(text="a"),), chosen=1),
        Message(role="user", text="r", muted=True),
    )
)


def said(conversation: Conversation) -> str:
    return "".join(message.said for message in conversation.messages)


def test_all_are_muted_unless_all_were() -> None:
    once = muted(TALK, [1, 3])
    assert [message.muted for message in once.messages] == [False, True, False, True]
    assert [message.muted for message in muted(once, [1, 3]).messages] == [False] * 4


def test_the_first_ones_role_leads_and_an_answer_keeps_what_it_says() -> None:
    changed = with_next_role(TALK, [0, 2])
    assert [(m.role, m.said, len(m.takes)) for m in changed.messages][::2] == [("user", "s", 0), ("user", "a", 0)]


def test_marked_messages_move_together_and_stop_at_the_end() -> None:
    assert said(moved(TALK, [2, 1], -1)) == "qasr"
    assert said(moved(TALK, [0, 2], 1)) == "qsra"
    assert moved(TALK, [0, 1], -1) is TALK
    assert moved(TALK, [3, 1], 1) is TALK
    assert moved(TALK, [], 1) is TALK


def test_copies_are_messages_of_their_own() -> None:
    copied = copies(TALK.messages)
    assert [message.takes for message in copied] == [message.takes for message in TALK.messages]
    assert not {message.uid for message in copied} & {message.uid for message in TALK.messages}


@given(st.sets(st.integers(0, 3)), st.sampled_from([-1, 1]))
def test_moving_loses_nothing_and_keeps_the_order_of_what_moves(places: set[int], step: int) -> None:
    result = moved(TALK, places, step)
    assert sorted(said(result)) == sorted(said(TALK))
    marked = {TALK.messages[i].uid for i in places}
    assert [m.uid for m in result.messages if m.uid in marked] == [m.uid for m in TALK.messages if m.uid in marked]


@given(st.sets(st.integers(0, 3)))
def test_what_isnt_removed_stays(places: set[int]) -> None:
    assert removed(TALK, places).messages == tuple(m for i, m in enumerate(TALK.messages) if i not in places)
