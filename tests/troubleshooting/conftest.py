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

__all__ = ["Offer", "house_wheels", "ibmcloud", "offer", "offered_house", "signed_in", "targeted"]
