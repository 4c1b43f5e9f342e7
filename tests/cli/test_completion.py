"""`qiao completion`: the bash script is sourced in a real bash and asked."""

import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qiao.cli.arguments import COMMANDS, SHELLS

from ..patience import PATIENCE_S

Qiao = Callable[..., Any]


@pytest.fixture
def complete(qiao: Qiao, tmp_path: Path) -> Callable[..., list[str]]:
    """`complete("qiao", "run", "ta")`: what bash offers for the last word; words as bash splits them."""
    script = tmp_path / "qiao.bash"
    script.write_text(qiao("completion", "bash").out)
    (tmp_path / "talk.toml").touch()
    (tmp_path / "sub").mkdir()
    # The script asks the command for addresses: it isn't on this shell's path.
    stub = "qiao() { printf 'local:starter\\nlocal:Qwen/Qwen3-8B\\nvllm:smol\\n'; }"

    def offered(*words: str) -> list[str]:
        asking = f"""
            {stub}
            source {shlex.quote(str(script))}
            COMP_WORDS=({shlex.join(words)}); COMP_CWORD={len(words) - 1}
            handler=$(complete -p qiao | grep -o -- '-F [^ ]*' | cut -d' ' -f2)
            $handler qiao "${{COMP_WORDS[COMP_CWORD]}}" "${{COMP_WORDS[COMP_CWORD-1]}}"
            printf '%s\\n' "${{COMPREPLY[@]}}"
        """
        ended = subprocess.run(
            ["bash", "--norc", "-c", asking],
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=PATIENCE_S,
            check=True,
        )
        assert ended.stderr == ""
        return ended.stdout.split()

    return offered


@pytest.mark.parametrize(
    ("words", "offers"),
    [
        (["qiao", ""], [*COMMANDS]),
        (["qiao", "mo"], ["models"]),
        (["qiao", "--v"], ["--version"]),
        (["qiao", "run", "ta"], ["talk.toml"]),
        (["qiao", "run", "talk.toml", "--s"], ["--set", "--system", "--save"]),
        (["qiao", "show", "talk.toml", "--re"], ["--retake"]),
        (["qiao", "run", "-m", "lo"], ["local:starter", "local:Qwen/Qwen3-8B"]),
        (["qiao", "run", "-m", "local", ":"], ["starter", "Qwen/Qwen3-8B"]),
        (["qiao", "run", "-m", "local", ":", "Qw"], ["Qwen/Qwen3-8B"]),
        (["qiao", "run", "-m", "local", ":", "starter", "ta"], ["talk.toml"]),
        (["qiao", "run", "--set", "temperature", "=", "0", "ta"], ["talk.toml"]),
        (["qiao", "pull", "local", ":", "s"], ["starter"]),
        (["qiao", "completion", ""], [*SHELLS]),
    ],
)
def test_bash_offers(complete: Callable[..., list[str]], words: list[str], offers: list[str]) -> None:
    assert complete(*words) == offers


@pytest.mark.parametrize("shell", SHELLS)
def test_every_shell_gets_a_script_that_knows_the_commands(qiao: Qiao, shell: str) -> None:
    ended = qiao("completion", shell)
    assert (ended.code, ended.err) == (0, "")
    assert all(command in ended.out for command in COMMANDS)
    assert "retake" in ended.out


def test_zsh_and_fish_offer_files_beside_the_commands(qiao: Qiao) -> None:
    """For `qiao FILE`; in bash, files are what it offers when no command fits."""
    commands = qiao("completion", "zsh").out.partition("_shtab_qiao_commands() {")[2].partition("\n}")[0]
    assert commands.rstrip().endswith("_files")
    assert qiao("completion", "fish").out.endswith('complete -c qiao -n "__fish_use_subcommand" -F\n')
    assert "complete -o bashdefault" in qiao("completion", "bash").out


def test_another_shell(qiao: Qiao) -> None:
    ended = qiao("completion", "cmd")
    assert ended.code == 2
    assert "zsh" in ended.err
