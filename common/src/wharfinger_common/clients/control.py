"""Client of the control API, ``/api/v1`` (control API, section 2)."""

from typing import Any, Final

from wharfinger_common.clients.transport import Query, Transport, segment


class ControlApi:
    """Control calls as the holder of ``token`` in ``account``; both '' for the public ones."""

    def __init__(self, transport: Transport, token: str = "", account: str = "") -> None:
        self._transport: Final = transport
        self._headers: Final = (
            {"Authorization": f"Bearer {token}", "Account": account} if token else {}
        )

    def call(
        self,
        method: str,
        path: str,
        *,
        query: Query | None = None,
        body: Any = None,
        headers: dict[str, str] | None = None,
    ) -> Any:
        """Call ``/api/v1{path}`` and return the JSON of its success, None where it has none.

        Raises:
            CallFailed: one of the tree in `clients.errors`.
        """
        answer = self._transport.call(
            method,
            f"/api/v1{path}",
            query=query,
            body=body,
            headers={**self._headers, **(headers or {})},
        )
        return answer.json(self._transport.host)

    def info(self) -> dict[str, Any]:
        """Return what the service says of itself: versions, least versions, help, its time."""
        return dict(self.call("GET", "/info"))

    def regions(self) -> dict[str, Any]:
        """Return ``{"current": NAME, "regions": [...]}``."""
        return dict(self.call("GET", "/regions"))

    def explain(self, request_id: str) -> dict[str, Any]:
        """Return why a request was refused, as far as the caller may know."""
        return dict(self.call("GET", f"/explain/{segment(request_id)}"))

    def namespaces(self) -> list[str]:
        """Return the names of the account's namespaces."""
        return list(self.call("GET", "/namespaces"))

    def quotas(self) -> dict[str, Any]:
        """Return ``limit`` and ``usage``, each ``storage_bytes`` and ``traffic_bytes``."""
        return dict(self.call("GET", "/quotas"))
