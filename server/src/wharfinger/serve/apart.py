"""Work in a forked process of its own, before there are workers."""

import os
import sys
from collections.abc import Callable
from typing import Final

from wharfinger.serve.files import explained
from wharfinger.web.log import EventLog
from wharfinger_common.refusals import Refusal

_log: Final = EventLog("wharfinger.serve")
_REASON_BYTES: Final = 4096
_ENDED: Final = b"."


class Apart:
    """A function at work beside this process, until it is reaped.

    For what opens connections and threads, which must not be there when workers are forked, and
    for what has time while something else is done. What it refuses (`RuntimeError`, `OSError`,
    `Refusal`) is told in its own words, anything else is in the log.
    """

    def __init__(self, function: Callable[[], object]) -> None:
        self._reader, writer = os.pipe()
        self._pid: Final = os.fork()
        if self._pid == 0:
            os.close(self._reader)
            os.write(writer, _ENDED + _failure_of(function).encode()[:_REASON_BYTES])
            sys.stderr.flush()
            os._exit(0)
        os.close(writer)

    def failure(self) -> str:
        """Wait for its end and return why it failed, '' if it did not.

        To be called once, by this process or by one that was forked from it since.
        """
        with os.fdopen(self._reader, "rb", closefd=False) as pipe:
            told = pipe.read()
        if not told.startswith(_ENDED):
            return "its process was ended"
        return told.removeprefix(_ENDED).decode(errors="replace")

    def reap(self) -> None:
        """Wait until the process is gone, and forget it."""
        os.waitpid(self._pid, 0)
        os.close(self._reader)


def _failure_of(function: Callable[[], object]) -> str:
    try:
        function()
    except OSError as error:
        return explained(error)
    except (RuntimeError, Refusal) as error:
        return str(error) or repr(error)
    except BaseException:
        _log.exception("start failed")
        return "the log tells why"
    return ""
