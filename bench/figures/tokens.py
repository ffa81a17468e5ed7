"""How fast registry tokens are issued, and how much of that is signing."""

from __future__ import annotations

import base64
import statistics
import time

from joserfc.jwk import ECKey
from joserfc.jws import serialize_compact

from bench import load
from bench.plan import Bench
from bench.table import Figure
from wharfinger.identity import keys

SIGNATURES = 500
CLAIMS_BYTES = 480


def measure(bench: Bench) -> list[Figure]:
    """Tokens a second from an API key, with 1 and 32 connections; microseconds of one signature."""
    credentials = base64.b64encode(f"iamapikey:{bench.ours.api_key}".encode()).decode()
    url = f"http://127.0.0.1:{bench.ours.port}/oauth/token"
    url += "?service=registry&scope=repository:bench/tokens:pull,push"
    figures = []
    for connections in (1, 32):
        bench.progress(f"token issue, {connections} connections")
        rates = [
            load.wrk(url, f"Basic {credentials}", connections, bench.plan.seconds, "*/*")
            for _ in range(bench.plan.rounds)
        ]
        bound = "one core: key look-up, policies, signature"
        figures.append(Figure(f"token issue, {connections} conn.", "1/s", bound, rates))
    signing = [_signature_seconds() for _ in range(bench.plan.rounds)]
    share = 100 * statistics.median(signing) * statistics.median(figures[-1].ours)
    bound = "ES256 of the library that the service signs with"
    return [
        *figures,
        Figure("one token's signature", "us", bound, [1e6 * seconds for seconds in signing]),
        Figure("signature's share of a core at 32 conn.", "%", "signature x rate", [share]),
        *_secret(statistics.median(figures[-1].ours)),
    ]


def _secret(rate: float) -> list[Figure]:
    """How long the secret of an API key takes to check, beside its look-up in the database."""
    spent = [1e6 * _check_seconds() for _ in range(5)]
    share = statistics.median(spent) * rate / 1e4
    bound = "one SHA-256: keys are random and long"
    return [
        Figure("one secret's check", "us", bound, spent),
        Figure("the check's share of a core at 32 conn.", "%", "check x rate", [share]),
    ]


def _check_seconds() -> float:
    secret = keys.generate()
    start = time.perf_counter()
    for _ in range(SIGNATURES):
        keys.well_formed(secret)
        keys.sha256(secret)
    return (time.perf_counter() - start) / SIGNATURES


def _signature_seconds() -> float:
    key = ECKey.generate_key("P-256")
    claims = b"x" * CLAIMS_BYTES
    start = time.perf_counter()
    for _ in range(SIGNATURES):
        serialize_compact({"alg": "ES256"}, claims, key)
    return (time.perf_counter() - start) / SIGNATURES
