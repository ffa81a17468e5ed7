"""What the steps of doctor look at, and what earlier steps have learnt."""

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from wharf.context import REGISTRY_PLUGIN, Context
from wharf.doctor.clients.software import Software
from wharf.doctor.place import Place
from wharf.doctor.reference import Reference
from wharfinger_common.catalogue import client_doctor as entries
from wharfinger_common.clients.control import ControlApi
from wharfinger_common.clients.failures import Called
from wharfinger_common.clients.transport import Answer, Query, Transport
from wharfinger_common.findings import Finding, Severity
from wharfinger_common.refusals import Entry, Refusal

CONNECT_SECONDS: Final = 10.0
"""A packet that is not answered by then is taken for lost."""


@dataclass
class Patient:
    """The user's machine, and the image that is to be pulled, '' for none in particular.

    The steps leave here what those behind them need: ``info`` is what the service said of itself,
    ``challenge`` how the registry wants to be signed in to (RFC 6750), ``token`` the registry
    token, ``manifest`` that of the image on this machine's platform, ``software`` the container
    clients.
    """

    context: Context
    image: str = ""
    step: str = ""
    service: Place = field(default_factory=Place)
    registry: Place = field(default_factory=Place)
    info: dict[str, Any] = field(default_factory=dict)
    challenge: dict[str, str] = field(default_factory=dict)
    token: str = ""
    manifest: dict[str, Any] = field(default_factory=dict)
    software: Software = field(default_factory=Software)

    @cached_property
    def reference(self) -> Reference:
        """The image's name in its parts.

        Raises:
            ImageNameWrong: it is none.
        """
        return Reference.read(self.image, self.targeted)

    @cached_property
    def targeted(self) -> str:
        """Registry host of the targeted region, as ``cr region-set`` left it."""
        chosen = self.context.settings_of(REGISTRY_PLUGIN).get("Registry")
        return str(chosen or self.context.registry)

    @property
    def timeout(self) -> float:
        """Seconds that a connection may take."""
        return min(self.context.config.timeout, CONNECT_SECONDS)

    @property
    def control(self) -> ControlApi:
        """The control API in the image's region, as who is signed in."""
        session = self.context.session
        return ControlApi(self.transport(self.registry), session.token(), session.account)

    def transport(self, place: Place) -> Transport:
        """Return what carries requests to a place."""
        return self.context.transport(place.url)

    def called(self, place: Place) -> Called:
        """Return a call of a place as failures of the network tell it."""
        return Called(place.url, str(place), "", self.timeout)

    def ask(
        self, path: str, *, query: Query | None = None, headers: dict[str, str] | None = None
    ) -> Answer:
        """Return what the registry answers, whatever it is."""
        bearer = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        sent = {**bearer, **(headers or {})}
        return self.transport(self.registry).look(path, query=query, headers=sent)

    def works(self, seen: str) -> Finding:
        """Return the finding that the step works; ``seen`` is a `Text`."""
        facts: dict[str, object] = {"seen": self.context.words(seen)}
        return self._finding(Severity.OK, entries.STEP_WORKS, facts)

    def warns(self, entry: Entry, **facts: object) -> Finding:
        """Return the finding of something that will do harm."""
        return self._finding(Severity.WARNING, entry, facts)

    def fails(self, entry: Entry, **facts: object) -> Finding:
        """Return the finding that the step does not work."""
        return self._finding(Severity.ERROR, entry, facts)

    def hinders(self, entry: Entry, **facts: object) -> Finding:
        """Return what keeps a container client from pulling: an error only if it is to pull."""
        return (self.fails if self.image else self.warns)(entry, **facts)

    def refused(self, refusal: Refusal) -> Finding:
        """Return the finding that the step ended with ``refusal``."""
        return self._finding(Severity.ERROR, refusal.entry, dict(refusal.items[0]))

    def _finding(self, severity: Severity, entry: Entry, facts: dict[str, object]) -> Finding:
        brand = self.context.brand
        named = {"command": brand.command, "product": brand.product, "cli": brand.cli}
        words = self.context.words
        told = {
            name: _printable(words(fact) if isinstance(fact, str) else str(fact))
            for name, fact in facts.items()
        }
        return Finding(self.step, severity, entry, {**named, **told})


def _printable(text: str) -> str:
    """Return a text on one line without what would steer a terminal: others may have written it."""
    return "".join(each if each.isprintable() else "?" for each in " ".join(text.split()))
