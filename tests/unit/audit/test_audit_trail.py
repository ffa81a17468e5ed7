"""The audit trail: whose it is, and its pages."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.unit.identity.house import House
from wharfinger.audit.store import record
from wharfinger.identity.model import Caller, RoleMissing


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    house = House(tmp_path)
    yield house
    house.close()


def test_managers_see_their_account_newest_first_in_pages(house: House) -> None:
    one, two = house.tenant("one"), house.tenant("two")
    for number in range(5):
        house.services.people.create_service_id(one.manager, str(number))
    names, before = [], None
    while rows := house.audit.page(one.manager, before, 2):
        assert len(rows) <= 2
        names += [row.detail.get("name") for row in rows if row.action == "serviceid.create"]
        before = rows[-1].id
    assert names == ["4", "3", "2", "1", "0"]
    assert all(row.account == two.account for row in house.audit.page(two.manager, None, 100))


def test_only_managers_see_it(house: House) -> None:
    tenant = house.tenant("one")
    user = house.services.people.add_user(tenant.manager, "r@example.com", None, "Reader")
    for caller in (
        Caller(user.iam_id, tenant.account, ""),
        Caller(house.tenant("two").manager.iam_id, tenant.account, ""),
    ):
        with pytest.raises(RoleMissing):
            house.audit.page(caller, None, 10)


def test_a_row_goes_with_the_change_that_it_tells_of(house: House) -> None:
    tenant = house.tenant("one")
    before = house.audit.page(tenant.manager, None, 100)

    def fail() -> None:
        with house.database.writing() as connection:
            record(connection, at=1, account=tenant.account, actor="a", action="x.y", target="t")
            raise OSError("gone")

    with pytest.raises(OSError, match="gone"):
        fail()
    assert house.audit.page(tenant.manager, None, 100) == before


def test_a_long_target_is_cut(house: House) -> None:
    tenant = house.tenant("one")
    with house.database.writing() as connection:
        record(connection, at=1, account=tenant.account, actor="a", action="x.y", target="t" * 999)
    assert house.audit.page(tenant.manager, None, 1)[0].target == "t" * 512
