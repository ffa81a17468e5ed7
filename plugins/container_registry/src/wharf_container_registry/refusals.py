"""What the ``cr`` commands refuse; texts and cures are in the catalogue."""

from wharf.plugin_api import Failure
from wharfinger_common.catalogue import container_registry as entries


class ImageNameWrong(Failure):
    """No image name."""

    entry = entries.IMAGE_NAME_WRONG
    tells_cure = True


class RegistryForeign(Failure):
    """A name of another registry."""

    entry = entries.REGISTRY_FOREIGN
    tells_cure = True


class TemplateInvalid(Failure):
    """A --format that cannot be rendered."""

    entry = entries.TEMPLATE_INVALID


class RegionInvalid(Failure):
    """No region of this name."""

    entry = entries.REGION_INVALID
    tells_cure = True


class NotYet(Failure):
    """A command whose part of the service does not exist yet."""

    entry = entries.NOT_YET
    tells_cure = True


class DockerMissing(Failure):
    """Docker (or Podman) is not installed."""

    entry = entries.CLIENT_MISSING
    tells_cure = True


class DaemonStopped(Failure):
    """The Docker daemon does not answer."""

    entry = entries.DAEMON_STOPPED
    tells_cure = True


class ClientLoginFailed(Failure):
    """The container client could not log in."""

    entry = entries.CLIENT_LOGIN_FAILED
    tells_cure = True


class HelperMissing(Failure):
    """The client would not find the credential helper."""

    entry = entries.HELPER_MISSING
    tells_cure = True


class PluginOutdated(Failure):
    """The service wants a newer plug-in."""

    entry = entries.PLUGIN_OUTDATED
    tells_cure = True


class Partly(Failure):
    """Some of several things could not be done."""

    entry = entries.PARTLY
