"""E-mail addresses as user names: one spelling each."""

import re
import unicodedata
from typing import Final

from wharfinger.identity.model import ValueInvalid
from wharfinger_common.languages import Text

MAX_CHARACTERS: Final = 254
_FORM: Final = re.compile(r"[^@\s\x00-\x1f\x7f]+@[^@\s\x00-\x1f\x7f]+")


def normalise(email: str) -> str:
    """Return the spelling under which an e-mail is stored and looked up."""
    return unicodedata.normalize("NFKC", email).strip().lower()


def require(email: str) -> str:
    """Return the normalised e-mail.

    Raises:
        ValueInvalid: it is no LOCAL@DOMAIN of at most 254 characters.
    """
    normal = normalise(email)
    if len(normal) > MAX_CHARACTERS or not _FORM.fullmatch(normal):
        raise ValueInvalid(
            property="email",
            reason=Text("it must be NAME@DOMAIN, {limit} characters at most", limit=MAX_CHARACTERS),
        )
    return normal
