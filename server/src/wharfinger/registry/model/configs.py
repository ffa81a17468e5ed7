"""What lists of images tell from an image's config, which is anybody's JSON (OCI image 1.1).

Read once, when a manifest with it is pushed, and kept: no list reads a blob for each image.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from msgspec import Struct, field

from wharfinger.registry.model.descriptors import is_digest

_UNDATED_YEAR: Final = 1
"""Clients write the year 1 where an image has no date."""

_LABEL_COST: Final = 6
"""Bytes that quotes and separators of a label take in JSON."""


class _Config(msgspec.Struct):
    created: Any = None
    parent: Any = None
    config: Any = None


_DECODER: Final = msgspec.json.Decoder(_Config)


class ConfigFacts(Struct, frozen=True):
    """``created`` in Unix seconds, None for undated images; ``parent`` a config digest or ''."""

    created: int | None = None
    parent: str = ""
    labels: Mapping[str, str] = field(default_factory=dict)


UNDATED: Final = ConfigFacts()


def facts_of(content: bytes, labels_bytes: int) -> ConfigFacts:
    """Return what the config ``content`` says; what is no config says nothing.

    Labels count as long as they fit into ``labels_bytes`` of JSON, in the order of the config.
    """
    try:
        config = _DECODER.decode(content)
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        return UNDATED
    inner = config.config if isinstance(config.config, dict) else {}
    return ConfigFacts(
        created=seconds_of(config.created),
        parent=config.parent if isinstance(config.parent, str) and is_digest(config.parent) else "",
        labels=_labels(inner.get("Labels"), labels_bytes),
    )


def seconds_of(created: object) -> int | None:
    """Return the time that an RFC 3339 text names, in Unix seconds; None if it names none."""
    if not isinstance(created, str):
        return None
    try:
        moment = datetime.fromisoformat(created)
        if moment.year == _UNDATED_YEAR:
            return None
        return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp())
    except (ValueError, OverflowError):
        return None


def _labels(found: object, most: int) -> dict[str, str]:
    labels: dict[str, str] = {}
    size = 0
    for name, value in found.items() if isinstance(found, dict) else ():
        if not isinstance(value, str):
            continue
        size += len(msgspec.json.encode(name)) + len(msgspec.json.encode(value)) + _LABEL_COST
        if size > most:
            break
        labels[name] = value
    return labels
