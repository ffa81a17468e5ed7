"""Workers even out their connections: the arithmetic, and sockets that really change hands."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from wharfinger.serve.spreading import Place, Spread

LISTENER = 1


@pytest.fixture
def spread() -> Spread:
    return Spread(3)


@pytest.fixture
def places(spread: Spread) -> list[Place]:
    made = [spread.place(worker) for worker in range(spread.workers)]
    for place in made:
        place.join()
    return made


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    client, accepted = socket.socketpair()
    yield client, accepted
    client.close()
    accepted.close()


def gives(place: Place) -> bool:
    """Whether the worker hands a new connection to another one."""
    client, accepted = socket.socketpair()
    with client, accepted:
        return place.give(accepted, LISTENER)


def test_a_connection_goes_on_in_the_hands_of_another(
    places: list[Place], pair: tuple[socket.socket, socket.socket]
) -> None:
    client, accepted = pair
    places[0].count(1)
    places[1].count(1)

    assert places[0].give(accepted, LISTENER)
    (given,) = places[2].taken()

    with given.socket as taken:
        assert given.listener == LISTENER
        client.sendall(b"hello")
        assert taken.recv(5) == b"hello"
        taken.sendall(b"there")
    assert client.recv(5) == b"there"
    assert list(places[1].taken()) == []


@pytest.mark.parametrize(
    ("own", "others", "given"),
    [(0, 0, False), (1, 1, False), (1, 0, True), (2, 1, True), (16, 15, False), (16, 13, True)],
)
def test_only_who_has_clearly_fewer_gets_it(
    places: list[Place], own: int, others: int, *, given: bool
) -> None:
    for place in places:
        place.count(others)
    places[0].count(own)
    assert gives(places[0]) is given


def test_what_is_on_its_way_counts(spread: Spread, places: list[Place]) -> None:
    places[0].count(2)
    assert [gives(places[0]) for _ in range(5)] == [True, True, True, True, False]
    assert [spread.load(worker) for worker in range(3)] == [2, 2, 2]
    for worker in (1, 2):
        taken = list(places[worker].taken())
        places[worker].count(len(taken))
        for each in taken:
            each.socket.close()
    assert [spread.load(worker) for worker in range(3)] == [2, 2, 2]


def test_who_is_not_there_gets_nothing(spread: Spread, places: list[Place]) -> None:
    places[0].count(5)
    places[1].leave()
    spread.left(2)
    assert not gives(places[0])


def test_a_successor_takes_what_its_predecessor_was_given(
    spread: Spread, places: list[Place], pair: tuple[socket.socket, socket.socket]
) -> None:
    places[0].count(1)
    places[1].count(1)
    assert places[0].give(pair[1], LISTENER)
    spread.left(2)
    successor = spread.place(2)
    successor.join()
    assert spread.load(2) == 1
    (given,) = successor.taken()
    given.socket.close()
    assert spread.load(2) == 0


def test_a_worker_that_takes_nothing_is_given_a_bounded_number(places: list[Place]) -> None:
    places[0].count(1_000_000)
    places[1].leave()
    number = 0
    while gives(places[0]):
        number += 1
        assert number < 10_000
    assert number


def test_alone_it_keeps_everything() -> None:
    place = Spread(1).place(0)
    place.join()
    place.count(1000)
    assert not gives(place)
