"""``doctor``: find out why the service cannot be used from this machine."""

from typing import TYPE_CHECKING, Any, Final

from wharf.context import Context
from wharf.declaration import Command, Flag
from wharf.text import Text

if TYPE_CHECKING:
    from wharfinger_common.findings import Finding

COMMANDS: Final = (
    Command(
        "doctor",
        Text("Find out why the service, or an image in it, cannot be used from this machine"),
        "wharf.commands.doctor:doctor",
        arguments="[IMAGE]",
        most=1,
        flags=(Flag("output", Text("Form of the output"), "choice", choices=("text", "json")),),
    ),
)


def doctor(context: Context) -> int:
    """Walk the way to the service; exit with the code of the step that fails, 0 if none does."""
    from wharf.doctor.checks import walk
    from wharf.doctor.patient import Patient
    from wharfinger_common.findings import Severity

    told: list[dict[str, Any]] = []
    code = 0
    for check, finding in walk(Patient(context, next(iter(context.call.arguments), ""))):
        told.append(finding.told(context.words.language))
        _show(context, finding)
        if finding.severity is Severity.ERROR:
            code = check.code
    if context.screen.machine:
        context.screen.json({"findings": told, "exit": code})
    elif not code:
        context.say()
        context.ok()
    return code


def _show(context: Context, finding: "Finding") -> None:
    from wharfinger_common.findings import Severity

    wording = finding.wording(context.words.language)
    mark = {Severity.OK: "ok", Severity.WARNING: "warning", Severity.ERROR: "failed"}
    label = context.screen.paint(f"{finding.severity.value:<8}", mark[finding.severity])
    context.say(f"{label}{finding.check:<15}{wording.message}")
    if finding.severity is Severity.OK:
        return
    margin = " " * 23
    context.say(f"{margin}{wording.meaning}")
    for cause in wording.causes:
        context.say(f"{margin}- {cause}")
    context.say(f"{margin}{context.words(Text('What to do'))}: {wording.remedy}")
