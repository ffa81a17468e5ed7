"""Which images a retention policy keeps in a repository (control API, section 4). Pure.

1. A policy that keeps all keeps all.
2. What has no date, or one before 2013-01-19T00:13:39Z, is kept and not counted; an index has no
   date, so it is kept, and with it whatever it lists, which is not counted either.
3. With ``retain_untagged`` untagged images are kept and not counted.
4. Of the others the newest ``images_per_repo`` are kept, by the date of their config. Several
   tags of an image count once.
5. Of the rest is kept what is younger than ``deletion_threshold_days``, and what may belong to a
   push that is under way: all that came since it began, and untagged images for a while.
"""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct

DAY: Final = 86_400
ALL: Final = -1
EARLIEST: Final = 1_358_554_419
"""2013-01-19T00:13:39Z in Unix seconds: dates before it are not believed."""

RETAINING: Final = "retain-images"
"""The kind of the jobs that run a namespace's policy."""


class Policy(Struct, frozen=True):
    """What is kept in each repository of a namespace; by default, everything."""

    namespace: str
    account: str
    images_per_repo: int = ALL
    retain_untagged: bool = True
    deletion_threshold_days: int = 0
    set_by: str = ""


class Candidate(Struct, frozen=True):
    """An image that no index lists; times in Unix seconds, ``created`` None without a date."""

    digest: str
    created: int | None
    pushed_at: int
    tags: tuple[str, ...]


class Pushes(Struct, frozen=True):
    """What may be under way in a repository; times in Unix seconds.

    ``untagged_since``: untagged images pushed after it may be about to get into an index.
    ``begun_at``: when the oldest push that is under way began, None for none.
    """

    untagged_since: int
    begun_at: int | None = None

    def may_need(self, image: Candidate) -> bool:
        """Whether a push that is under way may need the image."""
        if self.begun_at is not None and image.pushed_at >= self.begun_at:
            return True
        return not image.tags and image.pushed_at > self.untagged_since


def doomed(
    images: Iterable[Candidate], policy: Policy, now: int, pushes: Pushes
) -> list[Candidate]:
    """Return what the policy does not keep of a repository's images, the newest first."""
    if policy.images_per_repo == ALL:
        return []
    counted = [
        image
        for image in images
        if image.created is not None
        and image.created >= EARLIEST
        and (image.tags or not policy.retain_untagged)
    ]
    counted.sort(key=_age, reverse=True)
    young = now - policy.deletion_threshold_days * DAY
    return [
        image
        for image in counted[policy.images_per_repo :]
        if not (policy.deletion_threshold_days and (image.created or 0) > young)
        and not pushes.may_need(image)
    ]


def _age(image: Candidate) -> tuple[int, int, str]:
    return image.created or 0, image.pushed_at, image.digest
