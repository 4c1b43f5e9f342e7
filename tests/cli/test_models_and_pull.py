"""`qiao models` and `qiao pull`."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from qiao.backends.registry import Backends
from qiao.backends.scripted import ScriptedBackend
from qiao.cli.cells import width
from qiao.workbench.address import Address
from qiao.workbench.errors import Refused
from qiao.workbench.seam import Model, Progress

from ..backends.local.asking_models import until
from ..backends.local.hub_server import HubServer
from ..backends.local.model_files import safetensors, write_model

Qiao = Callable[..., Any]


@pytest.fixture
def models(scripted: ScriptedBackend, monkeypatch: pytest.MonkeyPatch) -> list[Model]:
    """What the scripted backend has beside the starter."""
    listed = [
        Model(
            Address("scripted", "推敲\x1b[2J\n"),
            "wide",
            "on_disk",
            "base",
            7_615_616_512,
            15 * 10**9,
            32768,
            needed_bytes=18_146_657_075,
            fits=False,
            dtype="BF16",
        ),
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
        assert heading.split() == ["ADDRESS", "KIND", "PARAMETERS", "FORMAT", "SIZE", "CONTEXT", "MEMORY", "STATE"]
        assert rows[0].split() == ["local:starter", "instruct", "135M", "Q4_1", "98", "MB", "8192", "not", "fetched"]
        expected = "scripted:推敲␛[2J␊ base 7.6B BF16 15.0 GB 32768 16.9 GiB too big on disk"
        assert rows[1].split() == expected.split()
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
        assert rows[0].split() == ["地址", "类型", "参数量", "格式", "大小", "上下文", "内存", "状态"]
        assert len({width(row[: row.index(word)]) for row, word in zip(rows, ("状态", "未下载"), strict=False)}) == 1

    def test_json(self, qiao: Qiao, models: list[Model]) -> None:
        said = qiao("models", "--json").json
        assert [model["address"] for model in said] == ["local:starter", *(str(model.address) for model in models)]
        assert said[0]["state"] == "absent"
        assert said[2]["problem"] == "broken\x1b[2J"
        assert set(said[1]) == {
            *("address", "title", "state", "kind", "parameters", "size_bytes", "context_length", "path", "problem"),
            *("needed_bytes", "fits", "dtype"),
        }

    def test_addresses_only(self, qiao: Qiao) -> None:
        assert qiao("models", "--addresses").out == "local:starter\nscripted:推敲␛[2J␊\nscripted:x\n"


class TestOneModel:
    def test_a_base_model_with_a_template_and_why(self, qiao: Qiao, home: Path, tmp_path: Path) -> None:
        folder = write_model(tmp_path / "data" / "Qwen" / "Qwen3-8B-Base")
        home.mkdir()
        (home / "config.toml").write_text(f'[local]\ndirectories = ["{folder.parents[1]}"]\n')
        ended = qiao("models", "local:Qwen/Qwen3-8B-Base")
        assert ended.code == 0
        text = " ".join(ended.out.split())
        assert "Kind base: it continues plain text, without a chat template. It ships a chat template, but" in text
        assert '[local.model."Qwen/Qwen3-8B-Base"] kind = "instruct"' in text
        assert "Weights BF16, 0 MB" in text
        assert "Context 32,768 tokens" in text
        assert str(folder) in text.replace(" ", "")
        assert "Memory Needs about" in text
        # A path is never broken.
        assert all(width(line) <= 100 for line in ended.out.splitlines() if "/" not in line)
        with (home / "config.toml").open("a") as file:
            file.write('[local.model."Qwen/Qwen3-8B-Base"]\nkind = "instruct"\n')
        said = qiao("models", "local:Qwen/Qwen3-8B-Base", "--json").json
        assert said["kind"] == "instruct: it is given its chat template. So says your config.toml."
        assert set(said) == {"address", "kind", "parameters", "weights", "context", "path", "transformers", "vllm"}
        listed = {model["address"]: model for model in qiao("models", "--json").json}
        assert listed["local:Qwen/Qwen3-8B-Base"]["kind"] == "instruct"
        assert qiao("models", f"local:{folder}", "--json").json["path"] == str(folder)

    def test_one_that_can_not_be_used_says_why(self, qiao: Qiao, tmp_path: Path) -> None:
        folder = tmp_path / "some" / "lora"
        folder.mkdir(parents=True)
        (folder / "adapter_config.json").write_text('{"base_model_name_or_path": "Qwen/Qwen2.5-3B"}')
        text = " ".join(qiao("models", f"local:{folder}").out.split())
        assert "Problem it is an adapter (LoRA) to be added to Qwen/Qwen2.5-3B" in text

    def test_the_starter_before_it_is_fetched(self, qiao: Qiao) -> None:
        assert "SmolLM2" not in qiao("models", "local:starter").err
        assert qiao("models", "local:starter", "--json").json["weights"] == "Q4_1, 98 MB"

    @pytest.mark.parametrize(
        ("address", "code"), [("local:nothing", 3), ("scripted:none", 3), ("nobody:x", 3), ("x", 3)]
    )
    def test_one_that_is_not_here(self, qiao: Qiao, address: str, code: int) -> None:
        ended = qiao("models", address)
        assert (ended.code, ended.out) == (code, "")


class TestPull:
    @staticmethod
    def fetching(monkeypatch: pytest.MonkeyPatch, *, interrupt: bool = False, error: Exception | None = None) -> None:
        def fetch(
            self: Backends, address: Address, stop: threading.Event, hub: str | None = None
        ) -> Iterator[Progress]:
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

    def test_a_model_of_a_hub_from_no_model_to_an_answer_that_names_the_way(
        self, qiao: Qiao, on_terminal: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server = HubServer()
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", server.url)
        monkeypatch.setenv("HF_ENDPOINT", server.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv("COLUMNS", "200")
        files = {"config.json": b'{"architectures": ["Qwen2ForCausalLM"]}', "tokenizer.json": b"{}"}
        server.repos["Qwen/Q2.5"] = {**files, "model.safetensors": safetensors(2**20)}
        server.bytes_a_second = 2**21
        try:
            missing = qiao("run", "-", "-m", "local:Qwen/Q2.5", stdin="Hi")
            assert missing.code == 3
            assert "Fetch it with: qiao pull local:Qwen/Q2.5" in missing.err
            code, _, err = on_terminal("pull", "local:Qwen/Q2.5")
            assert code == 0
            assert "model.safetensors" in err
            assert err.endswith("local:Qwen/Q2.5 is here.\n")
            ended = qiao("pull", "local:Qwen/Q2.5", "--from", "hf")
            assert ended == (0, "", "Fetching local:Qwen/Q2.5 (2 MB)\nlocal:Qwen/Q2.5 is here.\n")
            listed = [model["address"] for model in qiao("models", "--json").json]
            # ModelScope's copy has the name.
            assert listed[1] == "local:Qwen/Q2.5"
            gone = qiao("pull", "local:Qwen/Q9")
            assert (gone.code, gone.err.count("\n")) == (3, 1)
            assert "ModelScope has no model “Qwen/Q9”" in gone.err
        finally:
            server.close()

    def test_interrupted(self, qiao: Qiao, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fetching(monkeypatch, interrupt=True)
        ended = qiao("pull", "local:starter")
        assert (ended.code, ended.out) == (130, "")
        assert ended.err.endswith("qiao: Interrupted.\n")

    def test_interrupted_midway_and_what_the_list_says_then(
        self, on_terminal: Any, qiao: Qiao, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        server = HubServer()
        monkeypatch.setenv("MODELSCOPE_ENDPOINT", server.url)
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        index = b'{"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}'
        shards = {f"model-{n}.safetensors": safetensors(2**20) for n in (1, 2)}
        files = {"config.json": b'{"architectures": ["Qwen2ForCausalLM"]}', "tokenizer.json": b"{}", **shards}
        server.repos["Qwen/Q2.5"] = {**files, "model.safetensors.index.json": index}
        server.bytes_a_second = 2**20

        def interrupt() -> None:
            until(lambda: sum(server.sent.values()) > 2**21, 30)
            os.kill(os.getpid(), signal.SIGINT)

        try:
            threading.Thread(target=interrupt, daemon=True).start()
            code, _, err = on_terminal("pull", "local:Qwen/Q2.5")
            assert code == 130
            assert err.endswith("What has arrived is kept: the same command goes on with it.\nqiao: Interrupted.\n")
            lines = [line.removesuffix("\x1b[K") for line in err.split("\r") if line.startswith("Fetching")]
            assert any("model-" in line for line in lines), lines
            assert all(width(line) < 80 for line in lines)
            assert "its download isn't finished; qiao pull goes on with it" in qiao("models").err
            server.bytes_a_second = None
            assert qiao("pull", "local:Qwen/Q2.5").code == 0
            assert qiao("models").err == ""
        finally:
            server.close()

    def test_refused(self, qiao: Qiao, monkeypatch: pytest.MonkeyPatch) -> None:
        self.fetching(monkeypatch, error=Refused("asking.failed", message="No network."))
        assert qiao("pull", "local:starter").code == 3

    @pytest.mark.parametrize(
        ("arguments", "code"),
        [
            (["local:/data/model"], 3),
            (["local:Qwen"], 3),
            (["nobody:x"], 3),
            (["starter"], 2),
            ([], 2),
            (["local:starter", "--from", "nowhere"], 2),
        ],
    )
    def test_what_can_not_be_fetched(self, qiao: Qiao, arguments: list[str], code: int) -> None:
        ended = qiao("pull", *arguments)
        assert (ended.code, ended.out) == (code, "")
        assert ended.err.count("\n") == 1
