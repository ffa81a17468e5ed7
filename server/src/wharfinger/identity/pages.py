"""The pages of sign-in as HTML: no script, nothing from elsewhere, in the reader's language."""

import base64
import hashlib
from html import escape
from typing import Final

from wharfinger.web.errors import Telling
from wharfinger_common.languages import Language, translate, translated
from wharfinger_common.refusals import Refusal

_STYLE: Final = (
    "body{font-family:system-ui,sans-serif;max-width:26rem;margin:3rem auto;padding:0 1rem;"
    "line-height:1.5}label{display:block;margin:.8rem 0 .2rem}input{width:100%;font:inherit;"
    "padding:.4rem;box-sizing:border-box}button,.other{display:inline-block;margin-top:1rem;"
    "padding:.5rem 1rem;font:inherit}.code{font:700 1.8rem ui-monospace,monospace;"
    "letter-spacing:.05em;user-select:all}.failed{border-left:.25rem solid #c33;padding-left:.8rem}"
)
STYLE_HASH: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
POLICY: Final = (
    f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


def form(
    telling: Telling,
    token: str,
    *,
    provider: str = "",
    email: str = "",
    refusal: Refusal | None = None,
) -> str:
    """Return the sign-in form; ``provider`` is the name on the button of single sign-on."""
    language = telling.language
    failed = "" if refusal is None else _failed(telling, refusal)
    other = (
        f'<p><a class="other" href="oidc/login">{escape(_sign_in_with(language, provider))}</a></p>'
        if provider
        else ""
    )
    return _page(
        language,
        translated("One-time passcode", language),
        f"<p>{escape(translated('Sign in to get a passcode for the command line.', language))}</p>"
        f'{failed}{other}<form method="post" action="passcode" autocomplete="on">'
        f'<input type="hidden" name="form" value="{escape(token)}">'
        f'<label for="email">{escape(translated("Email", language))}</label>'
        f'<input id="email" name="email" type="email" autocomplete="username" required '
        f'maxlength="254" value="{escape(email)}">'
        f'<label for="password">{escape(translated("Password", language))}</label>'
        f'<input id="password" name="password" type="password" '
        f'autocomplete="current-password" required>'
        f"<button>{escape(translated('Sign in', language))}</button></form>",
    )


def passcode(language: Language, code: str, minutes: int) -> str:
    """Return the page that shows a passcode."""
    told = translated(
        "Type it where the command line asks for it. It counts once, for {minutes} minutes.",
        language,
        {"minutes": minutes},
    )
    return _page(
        language,
        translated("One-time passcode", language),
        f'<p><output class="code">{escape(code)}</output></p><p>{escape(told)}</p>',
    )


def failure(telling: Telling, refusal: Refusal) -> str:
    """Return the page that says what went wrong at the provider, and leads back."""
    language = telling.language
    back = escape(translated("Try again", language))
    return _page(
        language,
        translated("One-time passcode", language),
        f'{_failed(telling, refusal)}<p><a href="../passcode">{back}</a></p>',
    )


def _sign_in_with(language: Language, provider: str) -> str:
    return translated("Sign in with {provider}", language, {"provider": provider})


def _failed(telling: Telling, refusal: Refusal) -> str:
    """Return cause and cure, and what to quote where the cure does not help."""
    code = refusal.entry.code
    wording = translate(refusal.entry, telling.language, refusal.items[0])
    message, remedy = escape(wording.message), escape(wording.remedy)
    more = f'<a href="{escape(telling.help(code))}">{code}</a> · {escape(telling.request_id)}'
    return f'<p class="failed" role="alert">{message}<br>{remedy}<br><small>{more}</small></p>'


def _page(language: Language, title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="{language.value}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style></head><body><main><h1>{escape(title)}</h1>{body}</main>"
        "</body></html>"
    )
