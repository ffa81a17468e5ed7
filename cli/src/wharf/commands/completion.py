"""``completion``: the script by which a shell completes our words."""

from typing import TYPE_CHECKING, Final

from wharf.context import Context
from wharf.declaration import Command
from wharf.text import Text

if TYPE_CHECKING:
    from wharf.dispatch import Directory

SHELLS: Final = ("bash", "zsh", "fish")

COMMANDS: Final = (
    Command(
        "completion",
        Text("Print the completion script for a shell: bash, zsh or fish"),
        "wharf.commands.completion:script",
        arguments="bash | zsh | fish",
        least=1,
        most=1,
    ),
    Command(
        "complete",
        Text("Print how words may go on, for completion scripts"),
        "wharf.commands.completion:candidates",
        most=None,
        hidden=True,
    ),
)

_BASH: Final = """\
_{name}_complete() {{
    local IFS=$'\\n'
    COMPREPLY=($(compgen -W "$({name} complete -- "${{COMP_WORDS[@]:1:COMP_CWORD}}" 2>/dev/null)" \
-- "${{COMP_WORDS[COMP_CWORD]}}"))
}}
complete -o default -F _{name}_complete {name}
"""
_ZSH: Final = """\
#compdef {name}
_{name}_complete() {{
    local -a found
    found=("${{(@f)$({name} complete -- "${{(@)words[2,CURRENT]}}" 2>/dev/null)}}")
    compadd -- $found
}}
compdef _{name}_complete {name}
"""
_FISH: Final = """\
complete -c {name} -f -a '({name} complete -- (commandline -opc)[2..-1] (commandline -ct))'
"""


def script(context: Context) -> None:
    """Print the script; ``eval`` of it, or a file of it, switches completion on."""
    from wharf.refusals import ValueWrong

    shell = context.call.arguments[0]
    template = {"bash": _BASH, "zsh": _ZSH, "fish": _FISH}.get(shell)
    if template is None:
        reason = Text("it is one of {allowed}", allowed=", ".join(SHELLS))
        raise ValueWrong(name=shell, reason=reason)
    context.screen.out.write(template.format(name=context.brand.command))


def candidates(context: Context) -> None:
    """Print every word that may stand where the last one is being written."""
    from wharf.dispatch import Directory

    *before, last = context.call.arguments or ("",)
    directory = Directory(context.config)
    for word in sorted(set(_words(directory, before, last))):
        if word.startswith(last):
            context.screen.answer(word)


def _words(directory: "Directory", before: list[str], last: str) -> list[str]:
    found = directory.find(before)
    if found is not None:
        if not last.startswith("-"):
            return []
        flags = [flag for flag in found.command.flags if not flag.hidden]
        return [f"-{flag.name}" if len(flag.name) == 1 else f"--{flag.name}" for flag in flags]
    if not before or before == ["help"]:
        spaces = [space.name for space in directory.all_namespaces()]
        return spaces + [one.name for one in directory.commands("") if not one.hidden]
    inside = [word for word in before if word != "help"]
    space = directory.namespace(inside[0])
    if space is None or len(inside) > 1:
        return []
    return [one.name for one in directory.commands(space.name) if not one.hidden]
