"""What the ``ks`` commands refuse; texts and cures are in the catalogue."""

from wharf.plugin_api import Failure
from wharfinger_common.catalogue import clusters as entries


class KubectlMissing(Failure):
    """There is no kubectl."""

    entry = entries.KUBECTL_MISSING
    tells_cure = True


class KubectlFailed(Failure):
    """kubectl could not say."""

    entry = entries.KUBECTL_FAILED


class ContextUnknown(Failure):
    """Neither kubectl nor a service knows the cluster."""

    entry = entries.CONTEXT_UNKNOWN
    tells_cure = True
