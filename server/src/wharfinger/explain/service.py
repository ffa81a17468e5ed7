"""Explaining refused requests to those who may know."""

from collections.abc import Mapping
from functools import cached_property
from typing import Final

from wharfinger.explain.model import Explanation, ExplanationUnknown, Refused
from wharfinger.explain.ports import Clock, Managers, RefusalStore
from wharfinger.identity.model import Caller
from wharfinger_common.catalogue import load
from wharfinger_common.languages import Language
from wharfinger_common.refusals import Entry

EXPIRE_AT_ONCE: Final = 500
_SHOWN: Final = 64


class Explanations:
    """Tells the caller of a refused request its own facts, the thing's owner also the rule.

    Blocking; any thread may call. ``keep`` is how long refusals are kept, in seconds.
    """

    def __init__(self, store: RefusalStore, managers: Managers, clock: Clock, keep: int) -> None:
        self._store: Final = store
        self._managers: Final = managers
        self._clock: Final = clock
        self._keep: Final = keep

    def explain(self, caller: Caller, request_id: str, language: Language) -> Explanation:
        """Return why the request was refused, as far as ``caller`` may know.

        Raises:
            ExplanationUnknown: no such request is remembered, or it is neither the caller's own,
                in the account that it acts in, nor about a thing that this account owns and the
                caller manages.
        """
        refused = self._find(request_id)
        owned = refused.owner != "" and refused.owner == caller.account
        owning = owned and self._managers.is_manager(caller)
        own = refused.subject == caller.iam_id and refused.account in {"", caller.account}
        if not owning and not own:
            raise _unknown(request_id)
        return self._told(refused, language, with_rule=owning)

    def operator_explain(self, request_id: str, language: Language) -> Explanation:
        """Return all that is known of the request; for commands on the service's own machine.

        Raises:
            ExplanationUnknown: no such request is remembered.
        """
        return self._told(self._find(request_id), language, with_rule=True)

    def expire(self) -> bool:
        """Forget some of what is older than is kept; return whether there may be more."""
        before = int(self._clock()) - self._keep
        return self._store.expire(before, EXPIRE_AT_ONCE) >= EXPIRE_AT_ONCE

    def _find(self, request_id: str) -> Refused:
        refused = self._store.find(request_id)
        if refused is None or refused.at < self._clock() - self._keep:
            raise _unknown(request_id)
        if refused.code not in self._entries:  # written by a version that had more
            raise _unknown(request_id)
        return refused

    def _told(self, refused: Refused, language: Language, *, with_rule: bool) -> Explanation:
        entry = self._entries[refused.code]
        return Explanation.of(refused, entry, language, with_rule=with_rule)

    @cached_property
    def _entries(self) -> Mapping[str, Entry]:
        return load().entries


def _unknown(request_id: str) -> ExplanationUnknown:
    return ExplanationUnknown(request=request_id[:_SHOWN])
