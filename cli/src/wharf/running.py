"""Runs what the command line names, and tells what went wrong: brand, language, exit codes."""

import os
import sys
from typing import TYPE_CHECKING

from wharf import dispatch
from wharf.config import Config
from wharf.environment import brand
from wharf.screen import Screen
from wharf.text import Text
from wharf.words import Words, choose

if TYPE_CHECKING:
    from wharfinger_common.refusals import Refusal


def run(argv: list[str]) -> int:
    """Run ``argv`` and return the exit code: 0, 1 after FAILED, 2 after wrong usage."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a character must not end the command.
        stream.reconfigure(errors="replace")  # type: ignore[union-attr]
    config = Config(os.environ)
    name = brand(argv[0])
    words = Words(choose("", os.environ), name)
    screen = Screen()
    try:
        words = Words(choose(config.text("Locale"), os.environ), name)
        screen = Screen(colour=config.colour)
        return dispatch.run(argv[1:], config, words, screen)
    except dispatch.Ended as ended:
        if isinstance(ended.error, BrokenPipeError):
            raise ended.error from None
        return _fail(ended.error, ended.words, screen, config)
    except BrokenPipeError:
        raise
    except Exception as error:  # the last resort: whatever it was, it is told as all failures are
        return _fail(error, words, screen, config)


def _fail(error: Exception, words: Words, screen: Screen, config: Config) -> int:
    from wharfinger_common.refusals import Refusal

    if not isinstance(error, Refusal):
        if config.trace == "true":
            import traceback

            traceback.print_exception(error, file=screen.err)
        error = _foreseen(error)
    _note(error, config)
    screen.failed(words(Text("FAILED")), "\n".join(_told(error, words)))
    return dispatch.FAILED_EXIT


def _note(error: Exception, config: Config) -> None:
    from contextlib import suppress

    from wharf.requests_log import note
    from wharfinger_common.clients.errors import Answered
    from wharfinger_common.refusals import Refusal

    if isinstance(error, Answered) and error.request_id and config.path.exists():
        # What cannot be remembered must not hide what went wrong.
        with suppress(Refusal, OSError):
            note(config.folder, error)


def _foreseen(error: Exception) -> "Refusal":
    from wharf.refusals import Defect, FileUnreadable

    if isinstance(error, OSError) and error.filename:
        return FileUnreadable(reason=f"{error.filename}: {error.strerror}")
    return Defect(reason=f"{type(error).__name__}: {error}")


def _told(refusal: "Refusal", words: Words) -> list[str]:
    from wharf.refusals import Failure
    from wharfinger_common.clients.errors import Answered

    lines = [words.message(refusal)]
    if isinstance(refusal, Answered):
        if refusal.cure and refusal.cure not in lines[0]:
            lines.append(refusal.cure)
        if refusal.request_id:
            text = Text(
                "Request {id} ({code}): '{command} explain {id}' tells more.",
                id=refusal.request_id,
                code=refusal.known or refusal.code,
            )
            lines.append(words(text))
    elif not isinstance(refusal, Failure) or refusal.tells_cure:
        lines.append(words.remedy(refusal))
    return lines
