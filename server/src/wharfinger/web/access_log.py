"""One line a request, as the operator wants it: none, what went wrong, or all."""

import logging
from typing import Final, Literal

from wharfinger.web.log import EventLog
from wharfinger.web.meter import Answered

_log: Final = EventLog("wharfinger.http")


class AccessLog:
    """Writes lines of requests; ``mode`` is the setting ``access_log``.

    ``errors`` leaves out what every working client meets: the challenge that tells where to sign
    in, and the HEAD that finds something not yet there. Lines hold no path, query or header.
    """

    def __init__(self, mode: Literal["off", "errors", "all"]) -> None:
        informed = _log.enabled(logging.INFO)
        self.all: Final = mode == "all" and informed
        self._errors: Final = mode != "off"
        self._informed: Final = informed

    def write(self, request_id: str, account: str, answered: Answered) -> None:
        """Write the line, if it is wanted; ``account`` is an id, '' for nobody's."""
        failed = answered.status >= 500
        wrong = answered.status >= 400 and not answered.usual
        if self.all or (self._errors and (failed or (wrong and self._informed))):
            write = _log.error if failed else _log.info
            write("request", request_id=request_id, account=account, **_fields(answered))


def _fields(answered: Answered) -> dict[str, object]:
    return {
        "method": answered.method,
        "route": answered.route,
        "status": answered.status,
        "code": answered.code,
        "seconds": round(answered.seconds, 6),
        "received": answered.received,
        "sent": answered.sent,
        "gone": answered.gone,
    }
