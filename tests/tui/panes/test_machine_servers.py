from qiao.backends.sensors.history import History
from qiao.backends.sensors.snapshot import Machine, Snapshot
from qiao.backends.vllm.metrics import Load
from qiao.backends.vllm.watching import ServerLoad
from qiao.tui.panes.machine import machine_lines
from qiao.tui.text.wrap import line_width

WIDTH = 25
"""Of the pane, at 120 × 40."""
BUSY = Load(running=12, waiting=3, kv_usage=0.42, tokens_per_second=1234.4, prefix_hits=0.61, first_token_ms=87.2)


def shown(*servers: ServerLoad, width: int = WIDTH) -> list[str]:
    lines = machine_lines(Snapshot(time=0.0, machine=Machine()), History(), servers, width)
    assert all(line_width(line) <= width for line in lines)
    return ["".join(run.text for run in line) for line in lines]


def test_a_server_shows_what_it_does_and_how_full_it_is() -> None:
    text = "\n".join(shown(ServerLoad("smol", "http://127.0.0.1:1", BUSY)))
    for words in ("vLLM", "smol", "12 running · 3 waiting", "1234 t/s", "KV  42%", "prefix hits 61%", "first 87 ms"):
        assert words in text


def test_without_a_server_there_is_nothing() -> None:
    assert "vLLM" not in "\n".join(shown())


def test_lines_keep_their_places_while_figures_change() -> None:
    idle = Load(running=0, waiting=0, kv_usage=0.0, tokens_per_second=0.0, prefix_hits=0.0, first_token_ms=2100.0)
    new = Load(running=0, waiting=0, kv_usage=0.0)
    lengths = {len(shown(ServerLoad("smol", "", load))) for load in (BUSY, idle, new)}
    assert len(lengths) == 1
    assert "first 2.1 s" in "\n".join(shown(ServerLoad("smol", "", idle)))


def test_one_that_doesnt_answer_says_so() -> None:
    assert "does not answer" in "\n".join(shown(ServerLoad("smol", "", Load(), reached=False)))


def test_a_hostile_name_is_shown_as_text() -> None:
    assert "\x1b" not in "\n".join(shown(ServerLoad("\x1b[31m[b]" + "long" * 20, "", BUSY)))
