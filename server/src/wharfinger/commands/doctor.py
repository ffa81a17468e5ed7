"""``wharfd doctor``: is everything in order on the server's side?"""

import json
import sys

import click

from wharfinger import __version__
from wharfinger.commands.telling import OUTPUT, language
from wharfinger.settings import SettingInvalid, Settings
from wharfinger_common.findings import Finding, Severity, worst
from wharfinger_common.languages import Text, rendered


@click.command()
@OUTPUT
@click.pass_obj
def doctor(settings: Settings | SettingInvalid, output: str) -> None:
    """Check settings, certificates, clock, disk, files, database, store, keys, jobs and network.

    Changes nothing; may run beside the service, as the user that runs it. Exit code 1 where
    something keeps the service from working, 0 otherwise, also with warnings.
    """
    from wharfinger.doctor.examination import examine, invalid_settings
    from wharfinger.doctor.site import Site

    if isinstance(settings, SettingInvalid):
        findings = invalid_settings(settings)
    else:
        findings = examine(Site(settings))
    (_print_json if output == "json" else _print_text)(findings)
    if worst(findings) is Severity.ERROR:
        sys.exit(1)


def _print_json(findings: list[Finding]) -> None:
    told = {
        "version": __version__,
        "worst": worst(findings).value,
        "findings": [finding.told(language()) for finding in findings],
    }
    click.echo(json.dumps(told, ensure_ascii=False, indent=2))


_WORDS = {
    Severity.OK: Text("ok"),
    Severity.WARNING: Text("warning"),
    Severity.ERROR: Text("error"),
}


def _print_text(findings: list[Finding]) -> None:
    for finding in findings:
        wording = finding.wording(language())
        severity = rendered(_WORDS[finding.severity], language())
        code = "" if finding.severity is Severity.OK else f" ({finding.entry.code})"
        click.echo(f"{severity}: {finding.check}: {wording.message}{code}")
        if finding.severity is not Severity.OK:
            click.echo(f"    {wording.remedy}")
