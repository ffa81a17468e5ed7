"""Texts for people as values: English here, shown in the reader's language by `words`.

Light on purpose: every start of a program imports it.
"""

from collections.abc import Mapping


class Text(str):
    """A text for people. ``message`` must be a literal, so that it is found for translation.

    ``facts`` fill its placeholders; ``{command}``, ``{product}`` and ``{cli}`` are filled by the
    host with the name it was called by, what that name calls the service, and itself.
    """

    message: str
    facts: Mapping[str, object]

    def __new__(cls, message: str, /, **facts: object) -> "Text":
        """Return the text; as a plain string it is the English message with its placeholders."""
        made = super().__new__(cls, message)
        made.__dict__.update(message=message, facts=facts)
        return made
