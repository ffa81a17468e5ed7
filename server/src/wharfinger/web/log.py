"""Events for the log: a name and fields, over the standard library's logging.

structlog would bring more imports than the rest of the web surface (docs/adr/0006).
"""

import logging
from typing import Any, Final


class EventLog:
    """Writes events under one logger name; fields must never hold a secret."""

    def __init__(self, name: str) -> None:
        self._logger: Final = logging.getLogger(name)

    def enabled(self, level: int) -> bool:
        """Whether events of ``level`` (of `logging`) are written."""
        return self._logger.isEnabledFor(level)

    def debug(self, event: str, **fields: object) -> None:
        """Write an event that only a search for a defect needs."""
        self._write(logging.DEBUG, event, fields)

    def info(self, event: str, **fields: object) -> None:
        """Write an event of ordinary operation."""
        self._write(logging.INFO, event, fields)

    def error(self, event: str, **fields: object) -> None:
        """Write an event that somebody should look at."""
        self._write(logging.ERROR, event, fields)

    def exception(self, event: str, **fields: object) -> None:
        """Write an event with the traceback of the exception being handled."""
        self._write(logging.ERROR, event, fields, exc_info=True)

    def _write(self, level: int, event: str, fields: dict[str, object], **options: Any) -> None:
        self._logger.log(level, event, extra={"fields": fields}, **options)
