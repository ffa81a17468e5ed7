"""Clusters as their users describe them: the facts of workers, their bounds, and what went."""

import re
from collections.abc import Iterable
from typing import Final

from msgspec import Struct
from msgspec.structs import fields, replace

from wharfinger_common.catalogue import cluster_facts as entries
from wharfinger_common.languages import Text
from wharfinger_common.refusals import Refusal

NAME_CHARACTERS: Final = 253
FACT_CHARACTERS: Final = 253
NAME_PATTERN: Final = r"^[!-~\w]([ -~\w]*[!-~\w])?$"
FACT_PATTERN: Final = r"^[ -~\w]*$"
"""What may be printed on any terminal: ASCII, and letters and digits of all languages."""

DELETED_KEPT: Final = 100
"""How many deleted workers of a cluster are remembered, those that went last."""

_NAME: Final = re.compile(NAME_PATTERN)
_FACT: Final = re.compile(FACT_PATTERN)

DELETED: Final = "deleted"
"""The state of a worker that is not in its cluster any more."""


class ClusterUnknown(Refusal):
    """The account has registered no cluster of this name."""

    entry = entries.CLUSTER_UNKNOWN


class ClusterNameInvalid(Refusal):
    """The name cannot be a cluster's."""

    entry = entries.CLUSTER_NAME_INVALID


class ClusterFactInvalid(Refusal):
    """What is said of a cluster or a worker cannot be."""

    entry = entries.CLUSTER_FACT_INVALID


class TooManyWorkers(Refusal):
    """The cluster has more workers than are kept of one."""

    entry = entries.TOO_MANY_WORKERS


class ClusterLimitReached(Refusal):
    """The account has as many clusters as it may."""

    entry = entries.CLUSTER_LIMIT_REACHED


class Worker(Struct, frozen=True):
    """A machine of a cluster; texts of 253 printable characters at most, '' for what is not known.

    ``deletion_reason`` is of a worker that is not in its cluster any more, as is the state.
    """

    id: str
    public_ip: str = ""
    private_ip: str = ""
    machine_type: str = ""
    state: str = ""
    status: str = ""
    zone: str = ""
    version: str = ""
    target_version: str = ""
    pool: str = ""
    deletion_reason: str = ""


class Facts(Struct, frozen=True):
    """What a user's own tools say of a cluster: its own id, workers, and workers that went."""

    ident: str
    workers: tuple[Worker, ...]
    deleted: tuple[Worker, ...] = ()


class Cluster(Struct, frozen=True):
    """A registered cluster of an account, under the name that the account gives it.

    It is of no region: a cluster may pull from all. ``registered_at`` is in Unix seconds,
    ``registered_by`` an IAM id, ``known_as`` the e-mail or name behind it, where it is read;
    ``count`` is the number of workers.
    """

    account: str
    name: str
    facts: Facts
    registered_at: int
    registered_by: str
    count: int
    known_as: str = ""


def require_name(name: str) -> str:
    """Return ``name`` if a cluster may be registered under it.

    Raises:
        ClusterNameInvalid: it is empty, longer than 253 characters, or holds other characters than
            `NAME_PATTERN` allows.
    """
    if not name:
        raise ClusterNameInvalid(reason=Text("it is empty"))
    if (fault := _fault(name, NAME_CHARACTERS, _NAME)) is not None:
        raise ClusterNameInvalid(reason=fault)
    return name


def require_facts(facts: Facts, most: int) -> Facts:
    """Return ``facts`` if they can be kept: ``most`` workers, all of plain texts.

    Others are refused, for they would act on the terminals of who reads them.

    Raises:
        TooManyWorkers, ClusterFactInvalid: why not.
    """
    if len(facts.workers) > most or len(facts.deleted) > most:
        raise TooManyWorkers(limit=most)
    _require_text("id", facts.ident)
    for worker in (*facts.workers, *facts.deleted):
        for each in fields(worker):
            _require_text(each.name, getattr(worker, each.name))
        if not worker.id:
            raise ClusterFactInvalid(fact="id", reason=Text("it is empty"))
    return facts


def merged(before: Facts | None, now: Facts) -> Facts:
    """Return ``now``, with the workers that were there ``before`` and are not any more.

    Those come with the reason that ``now`` gives, if it gives one. The oldest of more than
    `DELETED_KEPT` are left out.
    """
    present = {worker.id for worker in now.workers}
    gone: dict[str, Worker] = {}
    if before is not None:
        _note(gone, before.deleted)
        _note(gone, before.workers)
    _note(gone, now.deleted)
    left = [worker for worker in gone.values() if worker.id not in present]
    return replace(now, deleted=tuple(left[-DELETED_KEPT:]))


def _note(gone: dict[str, Worker], workers: Iterable[Worker]) -> None:
    for worker in workers:
        known = gone.get(worker.id)
        reason = worker.deletion_reason or (known.deletion_reason if known else "")
        gone[worker.id] = replace(known or worker, state=DELETED, deletion_reason=reason)


def _require_text(name: str, text: str) -> None:
    if (fault := _fault(text, FACT_CHARACTERS, _FACT)) is not None:
        raise ClusterFactInvalid(fact=name, reason=fault)


def _fault(text: str, most: int, pattern: re.Pattern[str]) -> Text | None:
    """Return what is wrong with a text, None if nothing is."""
    if len(text) > most:
        return Text("it has more than {limit} characters", limit=most)
    if not pattern.fullmatch(text):
        return Text("it holds characters that not every terminal shows")
    return None
