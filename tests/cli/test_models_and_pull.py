"""`qiao models` and `qiao pull`."""

import signal
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from qiao.backends.registry import Backends
from qiao.backends.scripted import ScriptedBackend
from qiao.cli.cells import width
from qiao.workbench.address import Address
from qiao.workbench.errors import Refused
from qiao.workbench.seam import Model, Progress

Qiao = Callable[..., Any]


@pytest.fixture
def models(scripted: ScriptedBackend, monkeypatch: pytest.MonkeyPatch) -> list[Model]:
    """What the scripted backend has beside the starter."""
    listed = [
        Model(Address("scripted", "推敲\x1b[2J\n"), "wide", "on_disk", "base", 7_615_616_512, 15 * 10**9, 32768),
        Model(Address("scripted", "x"), "bad", "failed", problem="broken\x1b[2J"),
    ]
    monkeypatch.setattr(scripted, "models", lambda: listed)
    return listed


@pytest.mark.usefixtures("models")
class TestModels:
    def test_a_table_whose_columns_line_up(self, qiao: Qiao) -> None:
        ended = qiao("models")
        heading, *rows = ended.out.splitlines()
        assert ended.code == 0
        assert heading.split() == ["ADDRESS", "KIND", "PARAMETERS", "SIZE", "CONTEXT", "STATE"]
        assert rows[0].split() == ["local:starter", "instruct", "135M", "98", "MB", "8192", "not", "fetched"]
        assert rows[1].split() == ["scripted:推敲␛[2J␊", "base", "7.6B", "15.0", "GB", "32768", "on", "disk"]
        column = heading.index("STATE")
        assert [width(row[: row.rindex(state)]) for row, state in zip(rows, ("not", "on", "failed"), strict=True)] == [
            column,
            column,
            column,
        ]
        assert ended.err == "scripted:x: broken␛[2J\n"

    def test_in_chinese(self, qiao: Qiao, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("LANG", "zh_CN.UTF-8")
        rows = qiao("models").out.splitlines()
        assert rows[0].split() == ["地址", "类型", "参数量", "大小", "上下文", "状态"]
        assert len({width(row[: row.index(word)]) for row, word in zip(rows, ("状态", "未下载"), strict=False)}) == 1

    def test_json(self, qiao: Qiao, models: list[Model]) -> None:
        said = qiao("models", "--json").json
        assert [model["address"] for model in said] == ["local:starter", *(str(model.address) for model in models)]
        assert said[0]["state"] == "absent"
        assert said[2]["problem"] == "broken\x1b[2J"
        assert set(said[1]) == {
            *("address", "title", "state", "kind", "parameters", "size_bytes", "context_length", "path", "problem")
        }

    def test_addresses_only(self, qiao: Qiao) -> None:
        assert qiao("models", "--addresses").out == "local:starter\nscripted:推敲␛[2J␊\nscripted:x\n"


class TestPull:
    @staticmethod
    def fetching(monkeypatch: pytest.MonkeyPatch, *, interrupt: bool = False, error: Exception | None = None) -> None:
        def fetch(self: Backends, address: Address, stop: threading.Event) -> Iterator[Progress]:
            yield Progress("fetching", 0, 98_000_000)
            yield Progress("fetching", 49_000_000, 98_000_000)
            if error:
                raise error
            if interrupt:
                signal.raise_signal(signal.SIGINT)
                assert stop.is_set()
                return
            yield Progress("fetching", 98_000_000, 98_000_000)

        monkeypatch.setattr(Backends, "fetch", fetch)

    def test_a_bar_on_a_terminal(self, on_terminal: Qiao, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fetching(monkeypatch)
        code, out, err = on_terminal("pull", "local:starter")
        assert (code, out) == (0, "")
        assert err.startswith("\rFetching local:starter  ░░░░░░░░░░░░░░░░░░░░░░░░    0%  0.0 / 98.0 MB\x1b[K")
        assert err.endswith("\r\x1b[Klocal:starter is here.\n")

    def test_two_lines_into_a_log(self, qiao: Qiao, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fetching(monkeypatch)
        assert qiao("pull", "local:starter") == (
            0,
            "",
            "Fetching local:starter (98 MB)\nlocal:starter is here.\n",
        )

    def test_interrupted(self, qiao: Qiao, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fetching(monkeypatch, interrupt=True)
        ended = qiao("pull", "local:starter")
        assert (ended.code, ended.out) == (130, "")
        assert ended.err.endswith("qiao: Interrupted.\n")

    def test_refused(self, qiao: Qiao, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fetching(monkeypatch, error=Refused("asking.failed", message="No network."))
        assert qiao("pull", "local:starter").code == 3

    @pytest.mark.parametrize(
        ("arguments", "code"), [(["local:Qwen/Qwen3-8B"], 3), (["nobody:x"], 3), (["starter"], 2), ([], 2)]
    )
    def test_what_can_not_be_fetched(self, qiao: Qiao, arguments: list[str], code: int) -> None:
        ended = qiao("pull", *arguments)
        assert (ended.code, ended.out) == (code, "")
        assert ended.err.count("\n") == 1
