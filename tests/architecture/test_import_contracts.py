"""The import contracts of pyproject.toml hold, and what is heavy stays out of the cold start."""

import functools
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAVY = (
    "botocore",
    "fastapi",
    "pydantic",
    "alembic",
    "argon2",
    "authlib",
    "httpx",
    "httpx2",
    "psycopg",
    "asyncpg",
    "prometheus_client",
    "html",
    "tomllib",
    "wharfinger.background",
    "wharfinger.clusters",
    "wharfinger.commands.quotas",
    "wharfinger.identity.http_pages",
    "wharfinger.metrics.upkeep",
    "wharfinger.plugin_index",
    "wharfinger.web.help_pages",
)
BEFORE_PREPARING = ("starlette", "uvicorn", "wharfinger.app")


def test_every_contract_is_kept() -> None:
    command = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stdout + done.stderr


def test_every_room_is_under_the_contracts() -> None:
    rooms = {path.parent.name for path in (ROOT / "server/src/wharfinger").glob("*/tables.py")}
    contracts = (ROOT / "pyproject.toml").read_text()

    assert rooms
    for contract in ('id = "rooms"', 'id = "files"', 'id = "composition"'):
        part = contracts.split(contract)[1].split("[[tool")[0]
        missing = [room for room in rooms if f"wharfinger.{room}" not in part]
        assert not missing, f"{contract} says nothing of {missing}"


@pytest.mark.parametrize("module", HEAVY)
def test_serving_starts_without(module: str) -> None:
    loaded = loaded_by("wharfinger.commands", "wharfinger.serve.run", "wharfinger.serve.processes")

    assert module not in loaded


@pytest.mark.parametrize("module", BEFORE_PREPARING)
def test_preparing_a_data_folder_starts_without(module: str) -> None:
    """These are imported while another process prepares the data folder."""
    assert module not in loaded_by("wharfinger.serve.run", "wharfinger.serve.first_start")


@pytest.mark.parametrize("module", ["sqlalchemy", *BEFORE_PREPARING])
def test_making_an_authority_starts_without(module: str) -> None:
    """These are imported while another process makes the certificate authority."""
    assert module not in loaded_by("wharfinger.commands", "wharfinger.serve.run")


@functools.cache
def loaded_by(*modules: str) -> frozenset[str]:
    script = f"import sys, {', '.join(modules)}; print(*sys.modules)"
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return frozenset(done.stdout.split())


def test_commands_collect_garbage_again_once_they_are_loaded() -> None:
    script = (
        "import gc, sys, wharfinger.__main__ as program\n"
        "sys.argv[1:] = ['version']\n"
        "try: program.main()\n"
        "finally: print(gc.isenabled())"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)

    assert done.stdout.endswith("True\n")


def test_serving_makes_few_dataclasses() -> None:
    """Each costs a quarter of a millisecond of every start (docs/adr/0023)."""
    script = (
        "import gc, wharfinger.serve.processes\n"
        "made = {f'{c.__module__}.{c.__name__}' for c in gc.get_objects() if isinstance(c, type)\n"
        "        and '__dataclass_fields__' in vars(c) and c.__module__[:11] == 'wharfinger.'}\n"
        "print(len(made), *sorted(made))"
    )
    command = [sys.executable, "-c", script]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)

    assert int(done.stdout.split()[0]) <= 2, done.stdout
