"""Small questions: whatever goes wrong is an answer, and nothing is printed."""

import threading

import pytest

from qiao.backends.vllm.plain_http import Unanswered, stoppable


def test_what_breaks_in_the_thread_is_told_and_not_printed(capfd: pytest.CaptureFixture[str]) -> None:
    def broken() -> None:
        raise RuntimeError("odd")

    with pytest.raises(Unanswered) as caught:
        stoppable(threading.Event(), broken)
    assert caught.value.message() == "RuntimeError: odd"
    assert capfd.readouterr().err == ""


def test_an_error_that_is_nested_without_end_is_quoted() -> None:
    assert Unanswered(500, "[" * 100_000).message() == "[" * 300
