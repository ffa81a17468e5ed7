"""Where a request came from, as told by proxies: only what a trusted one wrote counts."""

import pytest
from starlette.requests import HTTPConnection

from wharfinger.settings import Settings
from wharfinger.web.urls import Urls

PROXY, CLIENT, FORGED = "10.0.0.1", "192.0.2.7", "203.0.113.9"


def request_of(peer: str, *forwarded: str) -> HTTPConnection:
    headers = [(b"x-forwarded-for", value.encode()) for value in forwarded]
    return HTTPConnection({"type": "http", "client": (peer, 1), "headers": headers})


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        (PROXY, (), PROXY),
        (PROXY, (CLIENT,), CLIENT),
        (PROXY, (f"{FORGED}, {CLIENT}",), CLIENT),
        (PROXY, (f"{FORGED}, {CLIENT}, 10.0.0.2",), CLIENT),
        # Some proxies add a line of their own behind those that the client sent.
        (PROXY, (FORGED, CLIENT), CLIENT),
        (PROXY, (FORGED, f"{FORGED},{CLIENT}", "10.0.0.2"), CLIENT),
        (PROXY, (f"::ffff:{CLIENT}",), CLIENT),
        (f"::ffff:{PROXY}", (CLIENT,), CLIENT),
        (PROXY, ("2001:db8::7",), "2001:db8::7"),
        (CLIENT, (FORGED,), CLIENT),
        (f"::FFFF:{CLIENT}", (), CLIENT),
    ],
)
def test_the_client_is_whom_the_outermost_trusted_proxy_saw(
    peer: str, forwarded: tuple[str, ...], address: str
) -> None:
    urls = Urls((), ("10.0.0.0/8",), Settings().served)

    assert urls.client_address(request_of(peer, *forwarded)) == address
