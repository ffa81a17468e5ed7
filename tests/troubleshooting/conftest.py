"""The guide's reader: signed in or not, with the service's plug-ins on offer."""

from tests.functional.cli.conftest import (
    Offer,
    house_wheels,
    ibmcloud,
    offer,
    offered_house,
    signed_in,
    targeted,
)
from tests.functional.clients.conftest import docker_engine, image, images

__all__ = [
    "Offer",
    "docker_engine",
    "house_wheels",
    "ibmcloud",
    "image",
    "images",
    "offer",
    "offered_house",
    "signed_in",
    "targeted",
]
