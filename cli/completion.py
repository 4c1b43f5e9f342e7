"""`qiao completion`: what a shell needs to complete the command's arguments."""

import argparse
from collections.abc import Iterator

from .arguments import tree
from .streams import Data

_BASH_WHOLE_WORDS = """
# bash splits words at colons and equals signs, and model addresses and settings have them: the pieces are put
# together for the function above, and of its replies only what follows the last of these marks is handed on.
_qiao_whole_words() {
  local -a words=()
  local word glue=0 i cword=0
  for ((i = 0; i < ${#COMP_WORDS[@]}; i++)); do
    word="${COMP_WORDS[i]}"
    if ((i > 1)) && { ((glue)) || [[ $word == [:=]* ]]; }; then
      words[${#words[@]} - 1]+="$word"
    else
      words+=("$word")
    fi
    [[ $word == *[:=] ]] && glue=1 || glue=0
    ((i == COMP_CWORD)) && cword=$((${#words[@]} - 1))
  done
  local current="${words[cword]}"
  local -a COMP_WORDS=("${words[@]}")
  local COMP_CWORD=$cword
  _shtab_qiao
  if [[ $current == *[:=]* ]]; then
    local before="${current%"${current##*[:=]}"}"
    for i in "${!COMPREPLY[@]}"; do COMPREPLY[i]="${COMPREPLY[i]#"$before"}"; done
  fi
}
complete -o bashdefault -F _qiao_whole_words qiao
"""


_FISH_FILES = """
# The first word may be a file as well as a command.
complete -c qiao -n "__fish_use_subcommand" -F
"""

_ZSH_ADDRESSES = """
# In a list within a completion's description a colon would end it.
_qiao_addresses() {
  local -a addresses=(${(f)"$(qiao models --addresses 2>/dev/null)"})
  compadd -a addresses
}
"""

_ZSH_COMMANDS = "  _describe 'qiao commands' _commands\n"
"""The line that offers the commands: the first word may be a file as well."""


def print_completion(shell: str) -> int:
    """Prints the script that makes `shell` complete `qiao`.

    Returns:
        What the command exits with.
    """
    import shtab

    addresses = {**shtab.cmd("qiao models --addresses 2>/dev/null"), "zsh": "_qiao_addresses"}
    parser = tree()
    for action in _actions(parser):
        if action.dest == "file":
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        elif action.dest == "model":
            action.complete = addresses  # type: ignore[attr-defined]
    script = shtab.complete(parser, shell, preamble=_ZSH_ADDRESSES if shell == "zsh" else "") + "\n"
    match shell:
        case "bash":
            script += _BASH_WHOLE_WORDS
        case "fish":
            script += _FISH_FILES
        case _:
            script = script.replace(_ZSH_COMMANDS, f"{_ZSH_COMMANDS}  _files\n")
    Data().write(script)
    return 0


def _actions(parser: argparse.ArgumentParser) -> Iterator[argparse.Action]:
    """All arguments of the tree."""
    for action in parser._actions:  # pyright: ignore[reportPrivateUsage]
        yield action
        if isinstance(action.choices, dict):
            for child in action.choices.values():
                yield from _actions(child)
