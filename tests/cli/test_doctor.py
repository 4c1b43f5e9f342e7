"""`qiao doctor`: as a person reads it, and as a program does."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qiao.cli import doctor as doctor_command

from ..patience import PATIENCE_S

Qiao = Callable[..., Any]


def test_the_report_on_this_machine(qiao: Qiao) -> None:
    ended = qiao("doctor")
    assert ended.code == 0
    assert ended.err == ""
    headings = [line for line in ended.out.splitlines() if line and not line.startswith(" ")]
    assert headings[:-1] == ["Packages", "This machine", "Folders", "Terminal", "Environment", "Settings"]
    (torch,) = [line for line in ended.out.splitlines() if line.split()[2:3] == ["torch"]]
    assert torch.startswith("  ✓ ok")


def test_it_is_said_in_chinese_too(qiao: Qiao, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    ended = qiao("doctor")
    assert ended.code == 0
    assert "✓ 正常  torch" in ended.out


def test_for_programs_and_wrong_settings_are_a_finding(qiao: Qiao, home: Path) -> None:
    home.mkdir()
    (home / "config.toml").write_text("colour = 'red'\n")
    ended = qiao("doctor", "--json")
    assert (ended.code, ended.err) == (0, "")
    findings = {finding["name"]: finding for finding in ended.json["findings"]}
    assert ended.json["state"] == "warn"
    assert findings["config"]["state"] == "warn"
    assert "colour" in findings["config"]["fact"]
    assert findings["memory"]["values"]["total_bytes"] > 0
    assert set(findings["torch"]) == {"area", "name", "title", "state", "fact", "advice", "values"}


def test_what_is_broken_ends_with_3(qiao: Qiao, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_ENDPOINT", "no address")
    ended = qiao("doctor")
    assert ended.code == doctor_command.BROKEN
    assert "  ✗ bad   HF_ENDPOINT" in ended.out
    assert ended.out.splitlines()[-1].startswith("Broken: 1.")


def test_on_a_narrow_terminal_lines_are_broken(on_terminal: Callable[..., tuple[int, str, str]]) -> None:
    code, out, err = on_terminal("doctor")
    assert code == 0
    assert "Packages" in out
    assert err.endswith("\r\x1b[K")  # The line that said what is going on is gone.


HEAVY = ("torch", "transformers", "modelscope", "openai", "keyring", "textual", "rich", "gguf", "numpy", "httpx2")


def test_nothing_heavy_is_imported_to_look_at_it() -> None:
    code = (
        "import sys; from qiao.cli.main import main; code = main(['doctor', '--json']);"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr); raise SystemExit(code)"
    )
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, timeout=PATIENCE_S, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"[]\n")
