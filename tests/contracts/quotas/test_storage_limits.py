"""Where storage is refused, what uploads under way reserve, and how far limits are overshot."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.contracts.quotas.conftest import Furnish
from tests.support.quotas import MB, REGION, Depot, Tenant
from wharfinger.quotas.model import StorageExceeded
from wharfinger.quotas.store import pushes
from wharfinger.registry.model.uploads import Pusher, UploadUnknown
from wharfinger_common.digests import Digest

PUSHER = Pusher(REGION, "team/app", "user")
OTHER = Pusher(REGION, "team/app", "another user")
MODES = ("lenient", "strict")


@pytest.fixture(params=MODES)
def mode(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def limited(depot: Depot, megabytes: int) -> Tenant:
    tenant = depot.tenant("team")
    depot.rooms.quotas.quotas.set_quotas(tenant.manager, storage=megabytes)
    return tenant


def distinct(number: int, size: int) -> bytes:
    return number.to_bytes(4, "big") + b"." * (size - 4)


def test_nothing_begins_once_the_limit_is_reached(furnish: Furnish, mode: str) -> None:
    depot = furnish(quota_enforcement=mode)
    limited(depot, 1)
    depot.push("team/app", distinct(1, MB))
    depot.pause()

    with pytest.raises(StorageExceeded):
        depot.rooms.uploads.open(PUSHER)
    with pytest.raises(StorageExceeded):
        depot.rooms.uploads.push(PUSHER, Digest.of(b"small"), [b"small"])


def test_an_own_limit_of_0_allows_nothing(depot: Depot) -> None:
    limited(depot, 0)

    with pytest.raises(StorageExceeded):
        depot.rooms.uploads.open(PUSHER)


def test_what_began_below_a_lenient_limit_may_finish(depot: Depot) -> None:
    tenant = limited(depot, 1)
    depot.push("team/app", distinct(1, MB - 10))
    uploads = depot.rooms.uploads
    large, small = uploads.open(PUSHER), uploads.open(PUSHER)
    uploads.append(PUSHER, large.id, [distinct(2, 3 * MB)], None)
    with pytest.raises(StorageExceeded):
        uploads.open(OTHER)  # what is under way has reserved all there was

    for upload, content in ((small, distinct(3, 100)), (large, distinct(2, 3 * MB))):
        uploads.finish(PUSHER, upload.id, Digest.of(content), [content][upload is large :], None)

    assert depot.used(tenant) == 4 * MB + 90
    assert depot.reserved() == 0
    depot.require_counted(tenant)


def test_a_lenient_upload_that_stood_still_too_long_is_asked_again(depot: Depot) -> None:
    limited(depot, 1)
    upload = depot.rooms.uploads.open(PUSHER)
    depot.rooms.uploads.append(PUSHER, upload.id, [b"slow"], None)
    depot.clock.now += depot.all.reservation_seconds + 1
    depot.push("team/app", distinct(1, MB), subject="another user")

    with pytest.raises(StorageExceeded):
        depot.rooms.uploads.finish(PUSHER, upload.id, Digest.of(b"slow"), [], None)
    with pytest.raises(UploadUnknown):
        depot.rooms.uploads.status(PUSHER, upload.id)


def test_a_strict_limit_refuses_at_the_end_what_does_not_fit(furnish: Furnish) -> None:
    depot = furnish(quota_enforcement="strict")
    tenant = limited(depot, 1)
    content = distinct(1, MB + 1)
    upload = depot.rooms.uploads.open(PUSHER)
    # In the middle of the body nothing is refused: nobody would see why.
    depot.rooms.uploads.append(PUSHER, upload.id, [content], None)

    with pytest.raises(StorageExceeded):
        depot.rooms.uploads.finish(PUSHER, upload.id, Digest.of(content), [], None)

    assert depot.used(tenant) == 0
    assert depot.reserved() == 0
    depot.push("team/app", distinct(2, MB))  # what fits still comes in


def test_a_strict_reservation_is_kept_for_its_upload(furnish: Furnish) -> None:
    depot = furnish(quota_enforcement="strict")
    limited(depot, 1)
    upload = depot.rooms.uploads.open(PUSHER)
    depot.rooms.uploads.append(PUSHER, upload.id, [distinct(1, MB - 100)], None)

    with pytest.raises(StorageExceeded):
        depot.push("team/app", distinct(2, 200))

    depot.push("team/app", distinct(3, 100))
    depot.rooms.uploads.finish(PUSHER, upload.id, Digest.of(distinct(1, MB - 100)), [], None)


def test_a_known_length_is_reserved_at_its_start_and_a_stream_in_steps(depot: Depot) -> None:
    limited(depot, 100)
    uploads = depot.rooms.uploads
    known, stream = uploads.open(PUSHER), uploads.open(PUSHER)

    whole = uploads.receive(PUSHER, known.id, None, keeps=True, announced=20 * MB)
    assert depot.reserved() == 20 * MB
    whole.write([b"x" * MB])
    assert depot.reserved() == 20 * MB
    growing = uploads.receive(PUSHER, stream.id, None, keeps=True)
    for size, reserved in ((MB, 21 * MB), (MB, 21 * MB), (7 * MB, 29 * MB)):
        growing.write([b"y" * size])
        assert depot.reserved() == reserved

    whole.abandon()
    growing.abandon()
    uploads.cancel(PUSHER, known.id)
    uploads.cancel(PUSHER, stream.id)
    assert depot.reserved() == 0


@pytest.mark.parametrize(("room", "reserved"), [(64 * MB, 0), (64 * MB - 1, 100_000)])
def test_a_trifle_far_from_the_limit_reserves_nothing(
    depot: Depot, room: int, reserved: int
) -> None:
    tenant = limited(depot, 65)
    depot.push("team/app", distinct(1, 65 * MB - room))
    depot.clock.now += depot.all.quota_remember_seconds
    upload = depot.rooms.uploads.open(PUSHER)

    depot.rooms.uploads.append(PUSHER, upload.id, [distinct(2, 100_000)], None)

    assert depot.reserved() == reserved
    depot.rooms.uploads.finish(PUSHER, upload.id, Digest.of(distinct(2, 100_000)), [], None)
    assert depot.used(tenant) == 65 * MB - room + 100_000
    depot.require_counted(tenant)


def test_a_push_that_began_far_from_the_limit_may_finish_beyond_it(depot: Depot) -> None:
    """Its layers cross the limit within seconds, before a worker looks at the account again."""
    tenant = limited(depot, 65)
    layers = [depot.push("team/app", distinct(number, 33 * MB)) for number in range(3)]
    config = depot.push("team/app", b"{}")
    depot.put("team/app", config, *layers, tag="1")
    assert depot.used(tenant) >= 99 * MB

    depot.clock.now += depot.all.quota_remember_seconds
    with pytest.raises(StorageExceeded):
        depot.push("team/app", b"the next image")
    depot.require_counted(tenant)


def test_a_trifle_is_refused_at_its_end_where_a_limit_was_nearer_than_remembered(
    furnish: Furnish,
) -> None:
    depot = furnish(quota_enforcement="strict")
    tenant = limited(depot, 512)
    depot.push("team/app", distinct(1, MB - 1000))
    elsewhere = depot.worker()
    elsewhere.quotas.quotas.set_quotas(tenant.manager, storage=1)
    uploads = depot.rooms.uploads
    upload = uploads.open(PUSHER)
    uploads.append(PUSHER, upload.id, [distinct(2, 2000)], None)

    with pytest.raises(StorageExceeded):
        uploads.finish(PUSHER, upload.id, Digest.of(distinct(2, 2000)), [], None)

    assert depot.used(tenant) == MB - 1000
    depot.require_counted(tenant)
    elsewhere.close()


def test_reservations_of_a_crashed_process_lapse(furnish: Furnish) -> None:
    depot = furnish(quota_enforcement="strict")
    limited(depot, 1)
    upload = depot.rooms.uploads.open(PUSHER)
    depot.rooms.uploads.append(PUSHER, upload.id, [distinct(1, MB)], None)
    with pytest.raises(StorageExceeded):
        depot.push("team/app", b"waits")

    depot.clock.now += depot.all.reservation_seconds + 1

    depot.push("team/app", b"waits")
    assert depot.rooms.quotas.storage.drop_lapsed() == 1


def test_what_the_account_has_already_costs_nothing(furnish: Furnish, mode: str) -> None:
    depot = furnish(quota_enforcement=mode)
    tenant = limited(depot, 1)
    content = distinct(1, MB)
    digest = depot.push("team/app", content)

    assert depot.mount("team/app", "team/web", digest)
    depot.rooms.uploads.push(Pusher(REGION, "team/third", "user"), Digest.of(content), [content])

    assert depot.used(tenant) == MB
    depot.require_counted(tenant)


def test_a_mount_of_what_is_new_to_the_account_is_refused_like_a_push(
    furnish: Furnish, mode: str
) -> None:
    depot = furnish(quota_enforcement=mode)
    limited(depot, 1)
    depot.tenant("other")
    digest = depot.push("other/app", b"theirs")
    depot.push("team/app", distinct(1, MB))
    depot.pause()

    with pytest.raises(StorageExceeded):
        depot.mount("other/app", "team/app", digest)


def test_deleting_an_image_makes_room(furnish: Furnish, mode: str) -> None:
    depot = furnish(quota_enforcement=mode)
    limited(depot, 1)
    image = depot.put("team/app", depot.push("team/app", distinct(1, MB)), tag="1")
    with pytest.raises(StorageExceeded):
        depot.push("team/app", b"next")

    depot.delete_manifest("team/app", image)

    depot.push("team/app", b"next")


def test_a_larger_plan_makes_room_at_once_here_and_soon_elsewhere(depot: Depot) -> None:
    tenant = depot.tenant("team", "free")
    depot.rooms.quotas.quotas.set_quotas(tenant.manager, storage=0)
    elsewhere = depot.worker()
    with pytest.raises(StorageExceeded):
        depot.push("team/app", b"x", elsewhere)

    depot.rooms.quotas.quotas.set_quotas(tenant.manager, storage=512)

    depot.push("team/app", b"x")
    depot.clock.now += depot.all.quota_remember_seconds
    depot.push("team/app", b"y", elsewhere)
    elsewhere.close()


@pytest.mark.parametrize("mode", MODES)
def test_many_at_once_into_the_last_megabyte(furnish: Furnish, mode: str) -> None:
    """Several processes' services, 64 pushes of 100 KB, room for ten of them."""
    depot = furnish(quota_enforcement=mode, threads=32)
    tenant = limited(depot, 1)
    workers = [depot.rooms, depot.worker()]
    size, pushes = 100_000, 64

    def push(number: int) -> bool:
        try:
            depot.push("team/app", distinct(number, size), workers[number % 2], f"user {number}")
        except StorageExceeded:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        done = sum(pool.map(push, range(pushes)))

    workers[1].close()
    depot.require_counted(tenant)
    assert depot.used(tenant) == done * size
    assert done >= MB // size
    if mode == "strict":
        assert depot.used(tenant) <= MB
    else:
        assert depot.used(tenant) <= MB + 16 * size
    with pytest.raises(StorageExceeded):
        depot.push("team/app", distinct(1000, size), subject="late")


def test_an_image_whose_push_began_below_a_lenient_limit_may_finish(depot: Depot) -> None:
    """Docker sends layer after layer, then the config; the limit falls in between."""
    tenant = limited(depot, 1)
    other = depot.tenant("other")
    theirs = depot.push("other/app", b"theirs")
    layers = [depot.push("team/app", distinct(number, MB // 2)) for number in range(4)]
    assert depot.mount("other/app", "team/app", theirs)
    image = depot.put("team/app", depot.push("team/app", b"{}"), *layers, tag="1")

    with pytest.raises(StorageExceeded):
        depot.push("team/app", b"the next image")
    assert depot.used(tenant) == 2 * MB + 8
    depot.require_counted(tenant, other)
    depot.delete_manifest("team/app", image)
    depot.delete_blob("team/app", theirs)
    depot.push("team/app", b"the next image")


def test_a_push_may_not_go_on_for_ever(depot: Depot) -> None:
    limited(depot, 1)
    depot.push("team/app", distinct(1, MB))
    for number in range(pushes.MAX_UPLOADS):
        depot.clock.now += 4
        depot.push("team/app", distinct(number + 2, 10))

    with pytest.raises(StorageExceeded):
        depot.push("team/app", distinct(0, 10))


def test_who_lowers_a_limit_is_obeyed_at_once(depot: Depot) -> None:
    tenant = limited(depot, 100)
    depot.push("team/app", distinct(1, MB))

    depot.rooms.quotas.quotas.set_quotas(tenant.manager, storage=1)

    with pytest.raises(StorageExceeded):
        depot.push("team/app", b"more")
