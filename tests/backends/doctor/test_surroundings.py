"""Terminal, tmux, environment, folders, keyring: each in the states that people meet."""

import os
from pathlib import Path

import pytest

from qiao.backends.doctor import tmux
from qiao.backends.doctor.disk import folder, look_at_disk
from qiao.backends.doctor.finding import Finding
from qiao.backends.doctor.keyring_backend import judged, look_at_keyring
from qiao.backends.doctor.surroundings import look_at_environment, without_password
from qiao.backends.doctor.terminal import colours, in_terminfo, look_at_terminal, made_up_by_python
from qiao.backends.keys.keyring_process import Reply

GOOD = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "zh_CN.UTF-8"}


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


def states(findings: list[Finding]) -> dict[str, str]:
    return {finding.name: finding.state for finding in findings}


def test_a_good_terminal() -> None:
    assert states(look_at_terminal(GOOD, (120, 40))) == dict.fromkeys(("term", "size", "utf8", "colours"), "ok")


@pytest.mark.parametrize(
    ("more", "size", "name"),
    [
        ({"TERM": ""}, None, "term"),
        ({"TERM": "dumb"}, None, "term"),
        ({"TERM": "ghost-term-9"}, None, "term"),
        ({}, (79, 24), "size"),
        ({}, (80, 23), "size"),
        ({"LANG": ""}, None, "utf8"),
        ({"LC_ALL": "C"}, None, "utf8"),
        ({"COLORTERM": ""}, None, "colours"),
        ({"STY": "1.pts"}, None, "screen"),
        ({"TERM_PROGRAM": "Apple_Terminal"}, None, "clipboard"),
    ],
)
def test_what_is_wrong_with_a_terminal_says_what_to_do(
    more: dict[str, str], size: tuple[int, int] | None, name: str
) -> None:
    findings = look_at_terminal({**GOOD, **more}, size)
    assert {key for key, state in states(findings).items() if state != "ok"} == {name}
    assert by_name(findings)[name].advice or name == "clipboard"


def test_a_terminal_that_somebody_described(tmp_path: Path) -> None:
    (tmp_path / "67").mkdir()
    (tmp_path / "67" / "ghost-term-9").write_text("")
    assert in_terminfo("ghost-term-9", {"TERMINFO": str(tmp_path)})
    assert not in_terminfo("ghost-term-8", {"TERMINFO_DIRS": f"/nowhere:{tmp_path}"})
    assert in_terminfo("ghost-term-8", {"TERMINFO": "/nowhere"}, folders=("/nowhere/else",))


def test_ssh_is_told() -> None:
    assert by_name(look_at_terminal({**GOOD, "SSH_CONNECTION": "1 2 3 4"}, None))["ssh"].state == "ok"


@pytest.mark.parametrize(
    ("environ", "number"),
    [
        ({"COLORTERM": "24bit", "TERM": "xterm"}, "16M"),
        ({"TERM": "tmux-256color"}, "256"),
        ({"TERM": "xterm-direct"}, "16M"),
        ({"TERM": "linux"}, "16"),
        ({"TERM": "dumb"}, "none"),
        ({"COLORTERM": "truecolor", "NO_COLOR": "1"}, "none"),
    ],
)
def test_colours(environ: dict[str, str], number: str) -> None:
    assert colours(environ) == number


def test_a_locale_that_python_made_up_does_not_count(tmp_path: Path) -> None:
    began = tmp_path / "environ"
    began.write_bytes(b"LANG=C\0HOME=/x\0")
    assert made_up_by_python(began)
    began.write_bytes(b"LANG=C\0LC_CTYPE=C.UTF-8\0")
    assert not made_up_by_python(began)
    assert not made_up_by_python(tmp_path / "gone")


OPTIONS = "backspace C-?\nescape-time {wait}\nset-clipboard {clipboard}\nterminal-features[0] xterm*:clipboard\n"


def test_a_tmux_that_is_set_up() -> None:
    findings = tmux.judged("tmux 3.3a", OPTIONS.format(wait=10, clipboard="on"), "1 256,RGB,clipboard")
    assert states(findings) == dict.fromkeys(("tmux", "tmux_colours", "tmux_clipboard"), "ok")
    assert findings[0].fact == "3.3a"


def test_a_tmux_as_it_comes() -> None:
    findings = by_name(tmux.judged("tmux 3.3a", OPTIONS.format(wait=500, clipboard="external"), "0 256,title"))
    assert {name for name, finding in findings.items() if finding.state == "warn"} == {
        "tmux_colours",
        "tmux_clipboard",
        "tmux_escape",
        "tmux_characters",
    }
    assert "set -s set-clipboard on" in findings["tmux_clipboard"].advice
    assert "500 ms" in findings["tmux_escape"].fact


def test_an_old_way_to_tell_tmux_of_colours() -> None:
    options = OPTIONS.format(wait=10, clipboard="on") + 'terminal-overrides[0] "*:Tc"\n'
    assert by_name(tmux.judged("tmux 3.0", options, "1 256"))["tmux_colours"].state == "ok"


def test_outside_of_tmux_nothing_is_said_and_a_dead_one_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert tmux.look_at_tmux({}) == []
    monkeypatch.setenv("PATH", str(tmp_path))
    assert [finding.state for finding in tmux.look_at_tmux({"TMUX": "/tmp/none,1,0"})] == ["warn"]


def test_an_empty_environment_is_fine() -> None:
    assert [finding.state for finding in look_at_environment({})] == ["ok"]


@pytest.mark.parametrize(
    ("environ", "name", "state"),
    [
        ({"HTTP_PROXY": "http://proxy:3128"}, "http_proxy", "warn"),
        ({"http_proxy": "http://proxy:3128", "NO_PROXY": "localhost, 10.0.0.0/8"}, "http_proxy", "ok"),
        ({"https_proxy": "http://proxy:3128"}, "https_proxy", "ok"),
        ({"HF_ENDPOINT": "hub.example"}, "HF_ENDPOINT", "bad"),
        ({"HF_ENDPOINT": "https://hub.example"}, "HF_ENDPOINT", "ok"),
        ({"HF_HUB_OFFLINE": "1"}, "HF_HUB_OFFLINE", "warn"),
        ({"CUDA_VISIBLE_DEVICES": ""}, "CUDA_VISIBLE_DEVICES", "warn"),
        ({"CUDA_VISIBLE_DEVICES": "-1"}, "CUDA_VISIBLE_DEVICES", "warn"),
        ({"CUDA_VISIBLE_DEVICES": "2,3"}, "CUDA_VISIBLE_DEVICES", "ok"),
        ({"ASCEND_RT_VISIBLE_DEVICES": "0"}, "ASCEND_RT_VISIBLE_DEVICES", "ok"),
    ],
)
def test_variables_that_matter(environ: dict[str, str], name: str, state: str) -> None:
    assert states(look_at_environment(environ)) == {name: state}


def test_a_socks_proxy_without_its_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    (finding,) = look_at_environment({"ALL_PROXY": "socks5://mei:secret@127.0.0.1:1080"})
    assert finding.state == "warn"
    assert "socksio" in finding.advice
    assert "secret" not in str(finding)


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("http://mei:s3cret@proxy:3128/", "http://…@proxy:3128/"),
        ("http://proxy:3128", "http://proxy:3128"),
        ("mei:s3cret@proxy:3128", "…@proxy:3128"),
        ("http://[broken", "http://[broken"),
        ("/models\x1b[2J", "/models␛[2J"),
    ],
)
def test_no_password_is_shown(given: str, shown: str) -> None:
    assert without_password(given) == shown


def test_the_folders_are_those_that_are_used(home: Path, tmp_path: Path) -> None:
    findings = by_name(look_at_disk(dict(os.environ)))
    assert findings["cache_dir"].values["path"] == str(home / "cache")
    assert findings["hugging_face_cache"].values["path"] == str(tmp_path / "hugging-face" / "hub")
    assert findings["modelscope_cache"].values["path"] == str(tmp_path / "modelscope")
    assert not home.exists()  # Looking makes nothing.


def test_a_full_and_an_unwritable_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    there = tmp_path / "not" / "there" / "yet"
    assert folder("x", "doctor.title_cache_dir", there).state == "ok"
    with monkeypatch.context() as patch:
        patch.setattr("os.access", lambda path, mode: False)  # Root may write everywhere.
        assert "can't be written" in folder("x", "doctor.title_cache_dir", there).fact
    monkeypatch.setattr("qiao.backends.doctor.disk.LITTLE", 10**18)
    full = folder("x", "doctor.title_cache_dir", there)
    assert full.state == "warn"
    assert "Little room" in full.advice


def test_a_file_in_the_place_of_a_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert folder("x", "doctor.title_cache_dir", tmp_path / "file" / "cache").state == "warn"


def test_the_real_keyring_is_looked_at_in_another_process() -> None:
    (finding,) = look_at_keyring()
    assert finding.state in ("ok", "absent", "warn")
    assert (finding.state == "ok") == ("trouble" not in finding.values)


@pytest.mark.parametrize(
    ("reply", "state"),
    [
        (Reply("SecretService"), "ok"),
        (Reply(trouble="none"), "absent"),
        (Reply(trouble="interactive"), "absent"),
        (Reply("SecretService", trouble="locked"), "warn"),
        (Reply("SecretService", trouble="silent"), "warn"),
        (Reply(trouble="failed", detail="FileNotFoundError: pass"), "warn"),
    ],
)
def test_keyrings(reply: Reply, state: str) -> None:
    finding = judged(reply)
    assert finding.state == state
    assert bool(finding.advice) == (state != "ok")
