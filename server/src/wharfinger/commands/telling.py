"""How ``wharfd`` tells people what it could not do, in their language."""

import os

import click

from wharfinger_common.languages import Language, of_environment, translate
from wharfinger_common.refusals import Refusal


def language() -> Language:
    """Return the language of the terminal: WHARF_LOCALE, else LC_ALL, LC_MESSAGES or LANG."""
    return of_environment(os.environ)


def refused(refusal: Refusal) -> click.ClickException:
    """Return what ends the command: the message with its code, and a line that says what to do."""
    wording = translate(refusal.entry, language(), refusal.items[0])
    return click.ClickException(f"{wording.message} ({refusal.entry.code})\n{wording.remedy}")
