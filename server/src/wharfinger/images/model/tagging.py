"""What tagging refuses."""

from wharfinger_common.catalogue import images as entries
from wharfinger_common.refusals import Refusal


class ChildMissing(Refusal):
    """Something that an image is made of is missing where it is copied from."""

    entry = entries.CHILD_MISSING
