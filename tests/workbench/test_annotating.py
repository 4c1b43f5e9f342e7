"""Stars and notes: what they are put on, and that it is found again."""

import msgspec

from qiao.workbench.annotating import has_stars, next_starred, note_on, noted, starred, targets
from qiao.workbench.conversation import Conversation, Message, Take

TALK = Conversation(
    messages=(
        Message(role="user", text="q"),
        Message(role="assistant", takes=(Take(text="a"), Take(text="b")), chosen=2),
        Message(role="assistant", text="by hand", takes=(Take(text="c"),)),
        Message(role="assistant", takes=(Take(text="d"), Take(text="d")), chosen=2),
    )
)


def stars(conversation: Conversation) -> list[list[bool]]:
    return [[take.starred for take in message.takes] for message in conversation.messages]


def test_stars_go_to_chosen_takes_and_are_taken_away_once_all_have_one() -> None:
    wanted = targets(TALK, range(4))
    once = starred(TALK, wanted)
    assert stars(once) == [[], [False, True], [False], [False, True]], "of two that are the same, the chosen one"
    assert has_stars(once, wanted)
    assert starred(once, wanted) == TALK
    one = starred(TALK, targets(TALK, [1]))
    assert stars(starred(one, wanted)) == stars(once)


def test_a_note_goes_to_the_chosen_take_else_to_the_message() -> None:
    wanted = targets(TALK, [0, 1, 2])
    changed = noted(TALK, wanted, "good")
    assert [message.note for message in changed.messages] == ["good", None, "good", None]
    assert [take.note for take in changed.messages[1].takes] == [None, "good"]
    assert note_on(changed, targets(changed, [3, 1])) == "good"
    assert noted(changed, wanted, "") == TALK


def test_what_is_meant_is_found_again_in_a_conversation_that_changed() -> None:
    wanted = targets(TALK, [0, 1])
    later = TALK.removed(0).inserted(0, Message(role="user", text="new"))
    answer = msgspec.structs.replace(TALK.messages[1].with_take(Take(text="e")), takes=(Take(text="0"), Take(text="b")))
    later = later.replaced(1, answer)
    assert stars(starred(later, wanted))[1] == [False, True]
    assert note_on(later, wanted) == ""
    gone = TALK.with_messages(TALK.messages[2:])
    assert noted(gone, wanted, "x") == gone


def test_the_next_star_comes_round_again() -> None:
    conversation = starred(TALK, targets(TALK, [1, 3]))
    assert next_starred(conversation, 0, None) == (1, 2)
    assert next_starred(conversation, 1, 1) == (1, 2)
    assert next_starred(conversation, 1, 2) == (3, 2)
    assert next_starred(conversation, 3, 2) == (1, 2)
    assert next_starred(starred(TALK, targets(TALK, [1])), 1, 2) == (1, 2)
    assert next_starred(TALK, 0, None) is None
    assert next_starred(Conversation(), 0, None) is None
