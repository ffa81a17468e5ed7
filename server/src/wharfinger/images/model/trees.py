"""Indexes and what they list, in an order in which each can be stored."""

from collections.abc import Callable, Iterable, Iterator


def children_first(root: str, listed: Callable[[str], Iterable[str]]) -> list[str]:
    """Return ``root`` and all digests that it leads to, each once, before what lists it.

    ``listed`` is asked once for each. Digests cannot form a circle.
    """
    ordered: dict[str, None] = {}
    seen = {root}
    path: list[tuple[str, Iterator[str]]] = [(root, iter(listed(root)))]
    while path:
        digest, children = path[-1]
        child = next((one for one in children if one not in seen), None)
        if child is None:
            ordered[digest] = None
            path.pop()
        else:
            seen.add(child)
            path.append((child, iter(listed(child))))
    return list(ordered)
