"""Where a program starts and ends.

Light on purpose: who asks for the version gets it before anything else is imported.
"""

import os
import sys
from typing import Final, NoReturn

from wharf.build import stamp
from wharf.environment import brand

INTERRUPTED: Final = 130
BROKEN_PIPE: Final = 141
VERSION: Final = (["version"], ["-v"], ["-version"], ["--version"])


def main() -> NoReturn:
    """Run the program that the command line names, and end the process with its exit code."""
    try:
        code = _version() if sys.argv[1:] in VERSION else _run()
        sys.stdout.flush()
    except BrokenPipeError:
        # Whoever read us has gone; nothing is left to say, nor a place to say it.
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        code = BROKEN_PIPE
    except KeyboardInterrupt:
        sys.stderr.write("\n")
        code = INTERRUPTED
    sys.exit(code)


def _version() -> int:
    sys.stdout.write(f"{brand(sys.argv[0]).command} version {stamp()}\n")
    return 0


def _run() -> int:
    from wharf.running import run

    return run(sys.argv)
