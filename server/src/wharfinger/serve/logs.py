"""How the service writes its log: one line an event, for people on a terminal, JSON elsewhere."""

import json
import logging
import sys
from datetime import UTC, datetime

from wharfinger.settings import Settings


class JsonLines(logging.Formatter):
    """One JSON object a line: time (RFC 3339, UTC), level, logger, event and its fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        line: dict[str, object] = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        line |= getattr(record, "fields", {})
        if record.exc_info:
            line["exception"] = self.formatException(record.exc_info)
        return json.dumps(line, default=str)


class ConsoleLines(logging.Formatter):
    """A line for people: time, level, event, then name=value of each field."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, with the traceback below it where there is one."""
        clock = datetime.fromtimestamp(record.created, UTC).strftime("%H:%M:%S.%f")[:-3]
        fields = getattr(record, "fields", {})
        told = "".join(f" {name}={value}" for name, value in fields.items())
        line = f"{clock} {record.levelname:<7} {record.getMessage()}{told}"
        if record.exc_info:
            line += "\n" + self.formatException(record.exc_info)
        return line


def configure(settings: Settings) -> None:
    """Send all log lines of this process to standard error, as the settings say."""
    console = settings.log_format == "console" or (
        settings.log_format == "auto" and sys.stderr.isatty()
    )
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(ConsoleLines() if console else JsonLines())
    logging.basicConfig(level=settings.log_level.upper(), handlers=[handler], force=True)
    # A client that speaks no HTTP is no event of ours; it got its 400.
    logging.getLogger("uvicorn").setLevel(logging.ERROR)
    logging.getLogger("alembic").setLevel(logging.WARNING)
    # Their finest lines hold signatures and session tokens.
    for name in ("botocore", "urllib3"):
        logging.getLogger(name).setLevel(logging.WARNING)
