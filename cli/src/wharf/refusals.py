"""What the command line refuses, typed; texts and cures are in the catalogue."""

from typing import ClassVar

from wharfinger_common.catalogue import command_line as entries
from wharfinger_common.catalogue import plugins as plugin_entries
from wharfinger_common.refusals import Refusal


class Failure(Refusal):
    """The root: a command ends with FAILED and exit code 1."""

    tells_cure: ClassVar[bool] = False
    """Whether the cure is shown below the message; many messages say it themselves."""


class CommandUnknown(Failure):
    """No such command."""

    entry = entries.COMMAND_UNKNOWN


class NotLoggedIn(Failure):
    """No sign-in, says the host."""

    entry = entries.NOT_LOGGED_IN


class PluginNotLoggedIn(Failure):
    """No sign-in, says a plug-in."""

    entry = entries.PLUGIN_NOT_LOGGED_IN


class SessionEnded(Failure):
    """The sign-in is over."""

    entry = entries.SESSION_ENDED


class NoEndpoint(Failure):
    """Nobody said where the service is."""

    entry = entries.NO_ENDPOINT


class InputEnded(Failure):
    """End of input where an answer was wanted."""

    entry = entries.INPUT_ENDED


class CredentialsRejected(Failure):
    """The service did not accept what was given."""

    entry = entries.CREDENTIALS_REJECTED


class NoAccount(Failure):
    """The sign-in is not bound to an account."""

    entry = entries.NO_ACCOUNT


class FileUnreadable(Failure):
    """A file cannot be read."""

    entry = entries.FILE_UNREADABLE


class FileUnwritable(Failure):
    """A file cannot be written."""

    entry = entries.FILE_UNWRITABLE


class ApiKeyOfOtherAccount(Failure):
    """An API key acts only in its own account."""

    entry = entries.API_KEY_OTHER_ACCOUNT


class ValueWrong(Failure):
    """A value that cannot be."""

    entry = entries.VALUE_WRONG


class RegionUnknown(Failure):
    """No region of this name."""

    entry = entries.REGION_UNKNOWN


class NameAmbiguous(Failure):
    """Several things of one name."""

    entry = entries.NAME_AMBIGUOUS


class NamedNotThere(Failure):
    """Nothing of this name."""

    entry = entries.NAMED_NOT_THERE


class CodeUnknown(Failure):
    """Neither a code nor the id of a request."""

    entry = entries.CODE_UNKNOWN


class Defect(Failure):
    """Nobody foresaw it."""

    entry = entries.DEFECT
    tells_cure = True


class SessionForeign(Failure):
    """The plug-in cannot read today's session."""

    entry = plugin_entries.SESSION_FOREIGN
    tells_cure = True


class HostOutdated(Failure):
    """The plug-in needs a newer host."""

    entry = plugin_entries.HOST_OUTDATED


class PluginNotFound(Failure):
    """The repository has no such plug-in."""

    entry = plugin_entries.PLUGIN_NOT_FOUND


class VersionNotFound(Failure):
    """The repository has the plug-in, but not in this version."""

    entry = plugin_entries.VERSION_NOT_FOUND


class ChecksumWrong(Failure):
    """What arrived is not what the index describes."""

    entry = plugin_entries.CHECKSUM_WRONG


class NoneCompatible(Failure):
    """No version runs here."""

    entry = plugin_entries.NONE_COMPATIBLE


class NotInstalled(Failure):
    """No such plug-in here."""

    entry = plugin_entries.NOT_INSTALLED


class WheelUnsafe(Failure):
    """A file that must not be installed."""

    entry = plugin_entries.WHEEL_UNSAFE


class RepositoryUnknown(Failure):
    """No plug-in repository of this name."""

    entry = plugin_entries.REPOSITORY_UNKNOWN


class RepositoryExists(Failure):
    """A plug-in repository of this name is there already."""

    entry = plugin_entries.REPOSITORY_EXISTS


class CommandsClash(Failure):
    """A plug-in's command is somebody else's."""

    entry = plugin_entries.COMMANDS_CLASH


class PluginBroken(Failure):
    """An installed plug-in cannot be run."""

    entry = plugin_entries.PLUGIN_BROKEN
    tells_cure = True


class PluginTooOld(Failure):
    """The service wants a newer plug-in."""

    entry = plugin_entries.PLUGIN_TOO_OLD
    tells_cure = True
