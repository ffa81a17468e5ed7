"""Running a retention policy on every database: resumed after a crash, taking only what it may."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest
from sqlalchemy import Connection

from tests.support.registry_manifests import CONFIG, REGION, House, image, index
from wharfinger.audit.store import record
from wharfinger.identity.model import Caller
from wharfinger.images.model.retention import Policy
from wharfinger.images.service.retention import Retaining
from wharfinger.images.store.images import SqlImageStore
from wharfinger.images.store.outside import Outside
from wharfinger.images.store.retention import SqlPolicies
from wharfinger.jobs.model import Job, Stopping
from wharfinger.namespaces.model import NamespaceUnknown
from wharfinger.namespaces.store import hold_owner, is_deleting
from wharfinger.registry.model.repositories import Place

CALLER = Caller("user", "a", "", region=REGION)
JOB = Job(1, "retain-images", f"{REGION}/tenant", {"region": REGION, "namespace": "tenant"})
DAY = 86_400


@dataclass
class Lease:
    """Held by a worker that is called to ``meanwhile`` at each sign of life."""

    meanwhile: Callable[[int], None] = lambda _: None
    job: Job = JOB
    signs: int = 0

    def keep(self) -> None:
        self.signs += 1
        self.meanwhile(self.signs)


@dataclass
class Farm:
    house: House
    asked: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        house = self.house

        outside = Outside(hold_owner, is_deleting, record, self._enqueue)
        self.policies = SqlPolicies(house.database, outside, lambda: house.now)
        store = SqlImageStore(
            house.database, hold_namespace=hold_owner, record=record, clock=lambda: house.now
        )
        self.retaining = Retaining(store, self.policies, lambda: house.now, 3600)

    def keep(self, images: int) -> None:
        self.policies.set(CALLER, Policy("tenant", "a", images, retain_untagged=False))

    def push(self, name: str, year: int, *tags: str) -> str:
        """Push an image that was made in that year; its config is really in the store."""
        made = {"created": f"{year}-01-01T00:00:00Z", "author": name}
        content = json.dumps(made).encode()
        place = Place(REGION, f"tenant/{name.partition('-')[0]}")
        config = self.house.add_blob(content, CONFIG, place=place)
        self.house.store_bytes(config["digest"], content)
        return self.house.push(image(config=config), *tags, place=place).digest

    def tags(self) -> set[str]:
        return self.house.all_tags()

    def _enqueue(
        self, connection: Connection, kind: str, subject: str, payload: Mapping[str, str]
    ) -> None:
        self.asked.append(subject)


@pytest.fixture
def farm(house: House) -> Farm:
    made = Farm(house)
    for name in ("b", "a"):
        for number in range(1, 5):
            made.push(f"{name}-{number}", 2015 + number, f"{name}{number}")
    return made


def test_a_policy_asks_for_its_run_and_runs_daily(farm: Farm) -> None:
    farm.keep(1)
    assert farm.asked == [f"{REGION}/tenant"]
    assert farm.retaining(Lease()) == DAY
    assert farm.tags() == {"a4", "b4"}
    assert farm.retaining(Lease()) == DAY
    farm.keep(-1)
    assert farm.retaining(Lease()) is None


def test_without_a_policy_nothing_is_done_and_nothing_comes_round(farm: Farm) -> None:
    assert farm.retaining(Lease()) is None
    assert len(farm.tags()) == 8


@pytest.mark.parametrize("sign", range(1, 7))
def test_stopped_anywhere_the_next_run_goes_on_to_the_same_end(farm: Farm, sign: int) -> None:
    farm.keep(2)

    def stop(signs: int) -> None:
        if signs == sign:
            raise Stopping

    with pytest.raises(Stopping):
        farm.retaining(Lease(stop))
    farm.retaining(Lease())
    assert farm.tags() == {"a3", "a4", "b3", "b4"}


def test_what_an_index_lists_by_then_is_not_taken(farm: Farm) -> None:
    child = farm.push("a-0", 2014)
    farm.house.now += 2 * 3600
    farm.keep(4)
    place = Place(REGION, "tenant/a")
    found = farm.house.manifests.get(place, child)
    descriptor = {"mediaType": found.media_type, "digest": child, "size": found.size}

    def push_index(signs: int) -> None:
        if signs == 2:
            farm.house.push(index(descriptor), "multi", place=place)

    farm.retaining(Lease(push_index))
    assert farm.house.manifests.get(place, child).digest == child


def test_a_policy_that_is_switched_off_meanwhile_ends_the_run(farm: Farm) -> None:
    farm.keep(1)

    def switch_off(signs: int) -> None:
        if signs == 4:
            farm.keep(-1)

    assert farm.retaining(Lease(switch_off)) is None
    assert farm.tags() == {"a4", "b1", "b2", "b3", "b4"}


def test_a_namespace_that_goes_takes_no_policy(farm: Farm) -> None:
    farm.keep(1)
    farm.retaining.run(REGION, "tenant")
    assert farm.policies.find(REGION, "tenant") is not None, "it is not being deleted"
    farm.house.end_namespace("tenant")
    farm.retaining.run(REGION, "tenant")
    assert farm.policies.find(REGION, "tenant") is None
    with pytest.raises(NamespaceUnknown):
        farm.keep(2)
