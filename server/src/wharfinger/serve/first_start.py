"""What a start finds or makes before it serves: folder, schema, keys, authority, operator."""

import json
import os

from wharfinger.app import build_rooms
from wharfinger.database import migrate
from wharfinger.serve.certificates import ensure_authority
from wharfinger.serve.files import make_private_folder, write_private
from wharfinger.settings import Settings

OPERATOR_FILE = "operator.json"


def prepare(settings: Settings) -> None:
    """Bring the data folder to where workers can start; safe to repeat after it died half way.

    The operator's file is written last: where it exists, everything else does.

    Raises:
        OSError: the data folder cannot be written.
        SchemaUnknown: a newer version wrote the database.
    """
    make_private_folder(settings.data_path)
    migrate.upgrade(settings.database)
    authority = ensure_authority(settings.data_path / "tls")
    operator = settings.data_path / OPERATOR_FILE
    if not operator.exists():
        content = _operator(settings, str(authority))
        write_private(operator, json.dumps(content, indent=2).encode() + b"\n")


def _operator(settings: Settings, authority: str) -> dict[str, str]:
    rooms = build_rooms(settings)
    try:
        account, _, key = rooms.identity.administration.bootstrap(settings.operator_email)
    finally:
        rooms.close()
    return {
        "registry": f"localhost:{settings.port}",
        "api": f"http://localhost:{settings.port}",
        "trust": f"https://localhost:{settings.trust_port}",
        "ca": authority,
        "account": account,
        "user": settings.operator_email,
        "api_key": key,
    }


def refresh_addresses(settings: Settings) -> None:
    """Let the operator's file name the ports of this start; key and account stay."""
    path = settings.data_path / OPERATOR_FILE
    content = json.loads(path.read_text(encoding="utf-8"))
    addresses = {
        "registry": f"localhost:{settings.port}",
        "api": f"http://localhost:{settings.port}",
        "trust": f"https://localhost:{settings.trust_port}",
    }
    if any(content.get(name) != value for name, value in addresses.items()):
        write_private(path, json.dumps(content | addresses, indent=2).encode() + b"\n")


def welcome(settings: Settings) -> str:
    """Return the few lines that tell a person what to type next."""
    path = settings.data_path / OPERATOR_FILE
    operator = json.loads(path.read_text(encoding="utf-8"))
    registry = operator["registry"]
    return os.linesep.join(
        [
            f"Wharfinger serves {registry}; its data is in {settings.data_path}",
            f"  the operator's API key is in {path} (api_key); to sign in:",
            f"    docker login -u iamapikey {registry}",
            "  a namespace for your images, then a push:",
            f"    wharfd --data {settings.data} namespace add team",
            f"    docker tag IMAGE {registry}/team/IMAGE && docker push {registry}/team/IMAGE",
        ]
    )
