"""What can go wrong in a blob store, and how the system's errors are told."""

from contextlib import AbstractContextManager
from types import TracebackType
from typing import Final, Self

from wharfinger.database.errors import StorageFull, means_full
from wharfinger_common.catalogue import web as entries
from wharfinger_common.languages import Text
from wharfinger_common.refusals import Refusal

RETRY_SECONDS: Final = 5
"""When who met a store that does not answer may ask again."""


class StoreUnavailable(Refusal):
    """The blob store does not answer, or refuses what it must be able to do."""

    entry = entries.NOT_READY

    @classmethod
    def after(cls, seconds: int) -> Self:
        """Return the refusal that lets clients ask again after so many seconds."""
        return cls(part=Text("blob store"), headers={"Retry-After": str(seconds)})


class UploadInUse(Exception):
    """Another writer holds the upload."""


class UploadShort(Exception):
    """Less of the upload is stored than the caller thinks."""

    def __init__(self, stored: int) -> None:
        super().__init__(stored)
        self.stored: Final = stored


class BlobMissing(Exception):
    """Nothing is stored at the location."""


class _Told:
    """No generator: files are worked on several times for each request."""

    def __enter__(self) -> None:
        pass

    def __exit__(
        self,
        _kind: type[BaseException] | None,
        error: BaseException | None,
        _trace: TracebackType | None,
    ) -> None:
        if not isinstance(error, OSError):
            return
        if means_full(error):
            raise StorageFull from error
        raise StoreUnavailable.after(RETRY_SECONDS) from error


_TOLD: Final = _Told()


def told() -> AbstractContextManager[None]:
    """Turn the system's errors into refusals.

    Raises:
        StorageFull: no space, or no quota of it, is left.
        StoreUnavailable: any other OSError.
    """
    return _TOLD
