"""The plug-in API: all that a plug-in may import, besides ``wharfinger_common``.

A plug-in is a pure-Python wheel. It holds one package, depends on nothing but ``wharfinger-cli``
(whose least version it names), and its entry point in the group ``wharf.plugins`` leads to a
`Plugin`::

    [project]
    name = "acme-tools"
    dependencies = ["wharfinger-cli>=0.9.0"]
    [project.entry-points."wharf.plugins"]
    tools = "acme_tools.plugin:PLUGIN"

The entry point's name is the plug-in's name. The declaration is read when the plug-in is
installed and kept; a command's module is imported when that command is used. Keep the module of
the declaration free of other imports, and those of commands of what few of them need.

A command is a function of a `Context`. It writes through ``context.screen`` (or ``context.say``),
asks through ``context.prompts``, and calls the service through ``context.control()`` and
``context.identity()``, whose tokens are always fresh. What it cannot do it raises as a `Failure`
with an `Entry`; the host prints FAILED, the message and, with ``tells_cure``, what to do.

Every text for people is a literal in ``Text("...")``; ``{command}`` and ``{product}`` in it are
filled by the host. A plug-in's own translations are gettext catalogues of the domain ``plugin``
below the folder that `Plugin.locale` names.
"""

from wharf.context import Context, Store
from wharf.declaration import API_VERSION, SESSION_FORMAT, Command, Flag, Namespace, Plugin
from wharf.parsing import Call, UsageWrong
from wharf.prompts import Prompts
from wharf.refusals import Failure, PluginNotLoggedIn, ValueWrong
from wharf.screen import Screen
from wharf.session import Session
from wharf.text import Text
from wharf.words import Words
from wharfinger_common.refusals import Entry, Refusal

__all__ = [
    "API_VERSION",
    "SESSION_FORMAT",
    "Call",
    "Command",
    "Context",
    "Entry",
    "Failure",
    "Flag",
    "Namespace",
    "Plugin",
    "PluginNotLoggedIn",
    "Prompts",
    "Refusal",
    "Screen",
    "Session",
    "Store",
    "Text",
    "UsageWrong",
    "ValueWrong",
    "Words",
]
