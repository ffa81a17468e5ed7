"""The protocol of docker-credential-helpers: a word, standard input, standard output, exit code.

Failures are written to standard output, because that is what clients show.
"""

import json
import os
import sys
from collections.abc import Callable
from typing import Any, Final, NoReturn

from wharf import __version__
from wharf.config import Config
from wharf.context import Context
from wharf.credentials.helper import Credentials, Helper
from wharf.declaration import Command
from wharf.environment import brand
from wharf.parsing import parse
from wharf.screen import Screen
from wharf.words import Words, choose
from wharfinger_common.refusals import Refusal

NOT_FOUND: Final = "credentials not found in native keychain"
"""Clients know this text, and go on without credentials."""
_MOST: Final = 1024 * 1024
_READING: Final = frozenset({"get", "store", "erase"})


def main() -> NoReturn:
    """Answer one question of a container client and end the process."""
    words = sys.argv[1:]
    # The others have no input, and who types them would wait for the end of it.
    given = sys.stdin.read(_MOST) if words and words[0] in _READING else ""
    sys.exit(run(words, given))


def run(words: list[str], given: str) -> int:
    """Answer on standard output; 0, 1 for a failure, 2 for a wrong word."""
    config = Config(os.environ)
    action = _ACTIONS.get(words[0]) if len(words) == 1 else None
    if action is None:
        sys.stdout.write(f"usage: docker-credential-wharf <{'|'.join(_ACTIONS)}>\n")
        return 2
    speak = Words(choose("", os.environ), brand("wharf"))
    try:
        speak = Words(choose(config.text("Locale"), os.environ), brand("wharf"))
        command = Command("docker-credential-wharf", "", "")
        context = Context(command, parse([], command), Screen(), config, speak)
        told = action(Helper(context), given)
    except Refusal as refusal:
        sys.stdout.write(f"{speak.message(refusal)}\n{speak.remedy(refusal)}\n")
        return 1
    except (ValueError, KeyError, TypeError) as error:
        sys.stdout.write(f"{type(error).__name__}: {error}\n")
        return 1
    if told is None:
        sys.stdout.write(f"{NOT_FOUND}\n")
        return 1
    sys.stdout.write(told)
    return 0


def _get(helper: Helper, given: str) -> str | None:
    found = helper.get(given)
    if found is None:
        return None
    server = given.strip()
    return _line({"ServerURL": server, "Username": found.username, "Secret": found.secret})


def _store(helper: Helper, given: str) -> str:
    told = json.loads(given)
    helper.store(Credentials(str(told["ServerURL"]), str(told["Username"]), str(told["Secret"])))
    return ""


def _erase(helper: Helper, given: str) -> str:
    helper.erase(given)
    return ""


def _list(helper: Helper, _given: str) -> str:
    return _line(helper.list())


def _version(_helper: Helper, _given: str) -> str:
    return f"docker-credential-wharf {__version__}\n"


def _line(value: Any) -> str:
    return f"{json.dumps(value)}\n"


_ACTIONS: Final[dict[str, Callable[[Helper, str], str | None]]] = {
    "get": _get,
    "store": _store,
    "erase": _erase,
    "list": _list,
    "version": _version,
}
