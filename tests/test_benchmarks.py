"""The benchmarks: their table, and the slow line."""

import socket
import sys
import threading
import time
from pathlib import Path

import pytest

HERE = Path(__file__).parents[1] / "benchmarks"


@pytest.fixture(autouse=True)
def found(monkeypatch: pytest.MonkeyPatch) -> None:
    """As when they are run as scripts."""
    monkeypatch.setattr(sys, "path", [str(HERE), *sys.path])


def test_a_row_over_its_budget_says_so() -> None:
    from table import Budget, Row, Section, markdown

    rows = [
        Row("slow, ms", 60, 120, "bare", Budget(50)),
        Row("fast", 0.97, 1.0, "bare", Budget(0.95, "ratio", at_least=True)),
        Row("untold", 3),
    ]
    assert [row.is_over for row in rows] == [True, False, False]
    lines = markdown(Section("Title", rows)).splitlines()
    assert "0.50 ×" in lines[4]
    assert "**over**" in lines[4]
    assert "≥ 0.95 ×" in lines[5]
    assert len({len(line) for line in lines[2:7]}) == 1


def test_a_slow_line_delays_and_limits_each_way() -> None:
    from slow_line import SlowLine

    with socket.create_server(("127.0.0.1", 0)) as server:

        def echo() -> None:
            connection, _ = server.accept()
            while data := connection.recv(65536):
                connection.sendall(data)

        threading.Thread(target=echo, daemon=True).start()
        line = SlowLine(server.getsockname()[1], delay_s=0.1, bits_per_second=400_000)
        with line, socket.create_connection(("127.0.0.1", line.port)) as client:
            begun = time.monotonic()
            client.sendall(b"x")
            assert client.recv(1) == b"x"
            assert time.monotonic() - begun >= 0.2
            begun = time.monotonic()
            client.sendall(b"y" * 50_000)
            left = 50_000
            while left:
                left -= len(client.recv(65536))
            # A second to go through, and the way there and back.
            assert time.monotonic() - begun >= 1.2
