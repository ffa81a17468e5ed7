"""The error catalogue is complete: each refusal has its entry, each entry its cause and cure."""

import ast
import importlib
import pkgutil
import re
import string
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import wharf
import wharf_container_registry
import wharf_container_service
import wharfinger
import wharfinger_common
from wharfinger_common import catalogue
from wharfinger_common.refusals import Catalogue, Entry, Refusal

PACKAGES = (
    wharfinger_common,
    wharfinger,
    wharf,
    wharf_container_registry,
    wharf_container_service,
)
# What the command line fills in by itself.
HOST_FACTS = {"command", "product", "cli"}
CODE = re.compile(r"WHF[0-9]{4}")
CONTROL = re.compile(r"CR[A-Z][0-9]{4}[EIT]")
IAM = re.compile(r"BXNIM[0-9]{4}E")
OCI = re.compile(r"[A-Z][A-Z_]*[A-Z]")
ROOT = Path(__file__).resolve().parents[2]
FINDINGS = ("WHF10", "WHF11", "WHF12")
"""Ranges of codes that are told as notices and findings, never raised."""


def modules(package: ModuleType) -> Iterator[ModuleType]:
    """Every module below a package, imported; migration scripts only run inside Alembic."""
    for found in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
        if ".migrations." not in found.name:
            yield importlib.import_module(found.name)


def entry_modules() -> list[ModuleType]:
    return list(modules(catalogue))


def entries() -> list[Entry]:
    return [entry for module in entry_modules() for entry in catalogue.entries_of(module)]


def refusals() -> set[type[Refusal]]:
    """Every class of refusal in the tree."""
    for package in PACKAGES:
        list(modules(package))
    found: set[type[Refusal]] = set()
    waiting: list[type[Refusal]] = [Refusal]
    while waiting:
        for child in waiting.pop().__subclasses__():
            if child not in found:
                found.add(child)
                waiting.append(child)
    return {each for each in found if each.__module__.startswith("wharf")}


def test_no_two_entries_share_a_code() -> None:
    counted = Counter(entry.code for entry in entries())

    assert not [code for code, times in counted.items() if times > 1]


def test_the_catalogue_loads_every_module() -> None:
    assert set(catalogue.load().entries) == {entry.code for entry in entries()}


def test_a_code_used_twice_is_a_defect() -> None:
    entry = entries()[0]

    with pytest.raises(ValueError, match=entry.code):
        Catalogue().add(entry, entry)


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.code)
def test_entry_is_complete(entry: Entry) -> None:
    assert CODE.fullmatch(entry.code)
    assert CONTROL.fullmatch(entry.control), entry.control
    assert IAM.fullmatch(entry.iam), entry.iam
    assert OCI.fullmatch(entry.oci), entry.oci
    # What never answers a request has no status: programs' own refusals, and findings.
    silent = entry.code.startswith(("WHF08", "WHF09", *FINDINGS))
    assert entry.status == 0 if silent else 400 <= entry.status < 600
    assert entry.message.strip()
    assert entry.meaning.strip().endswith(".")
    assert entry.causes
    assert all(cause.strip() for cause in entry.causes)
    assert entry.cure
    assert entry.cure[-1].rstrip().endswith(".")


@pytest.mark.parametrize("entry", entries(), ids=lambda entry: entry.code)
def test_cure_is_filled_with_what_fills_the_message(entry: Entry) -> None:
    told = _placeholders(entry.message)
    asked = {name for step in entry.cure for name in _placeholders(step)}
    # What a refusal carries although its message does not say it.
    carried = {
        "WHF0207": {"offered"},
        "WHF0006": {"setting"},
        "WHF0301": {"maximum"},
        "WHF0302": {"minimum"},
        "WHF1155": {"wanted"},
        "WHF0850": {"plugin", "version"},
    }

    assert asked <= told | carried.get(entry.code, set()) | HOST_FACTS


def test_every_refusal_has_an_entry_of_the_catalogue() -> None:
    known = {id(entry) for entry in entries()}
    abstract = {parent for each in refusals() for parent in each.__bases__}

    lacking = [
        each.__qualname__
        for each in refusals()
        if id(getattr(each, "entry", None)) not in known
        and not (each in abstract and not hasattr(each, "entry"))
    ]

    assert not lacking


def test_every_entry_is_used_by_a_refusal() -> None:
    used = {each.entry.code for each in refusals() if hasattr(each, "entry")}
    # What is answered to an exception that is no refusal.
    used.add("WHF0001")
    raised = {entry.code for entry in entries() if not entry.code.startswith(FINDINGS)}

    assert not raised - used


def test_only_the_rendering_of_refusals_answers_with_an_error_status() -> None:
    """What answers 4xx or 5xx does it through a refusal, and so through the catalogue."""
    # The first writes refusals down, the second tells its entry's code beside the state.
    allowed = {"web/errors.py", "web/health.py"}
    sources = ROOT / "server/src/wharfinger"
    found = [
        f"{path.relative_to(sources)}:{node.lineno}"
        for path in sources.rglob("*.py")
        if path.relative_to(sources).as_posix() not in allowed
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and _answers_error(node)
    ]

    assert not found


def _answers_error(call: ast.Call) -> bool:
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    if not name.endswith(("Response", "answer", "HTTPException")):
        return False
    values = [*call.args, *(word.value for word in call.keywords)]
    numbers = [each.value for each in values if isinstance(each, ast.Constant)]
    return any(isinstance(each, int) and 400 <= each < 600 for each in numbers)


def test_every_entry_of_findings_is_told_by_a_check() -> None:
    sources = "".join(
        path.read_text()
        for top in ("*/src/**/*.py", "plugins/*/src/**/*.py")
        for path in ROOT.glob(top)
        if "catalogue" not in path.relative_to(ROOT).parts
    )
    names = {
        name
        for module in entry_modules()
        for name, value in vars(module).items()
        if isinstance(value, Entry) and value.code.startswith(FINDINGS)
    }

    assert not {name for name in names if not re.search(rf"\.{name}\b", sources)}


def _placeholders(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}
