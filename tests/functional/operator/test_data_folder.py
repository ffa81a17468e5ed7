"""The data folder: made by the first command, private, and backed up as the guide says."""

from __future__ import annotations

import json
import stat
import subprocess
from pathlib import Path

import httpx

from tests.functional.operator.support import COMMAND_SECONDS, Transfer, command
from tests.support.server import Operator, Server

ROOT = Path(__file__).resolve().parents[3]


def test_in_a_folder_that_was_open_to_all_every_file_is_the_owners(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)

    assert command("--data", str(tmp_path), "init").returncode == 0

    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {path.name for path in files} >= {"wharfinger.db", "operator.json", "ca.key"}
    assert [path for path in files if stat.S_IMODE(path.stat().st_mode) != 0o600] == []


def test_init_makes_the_folder_and_the_operator(tmp_path: Path) -> None:
    data = tmp_path / "data"

    done = command("--data", str(data), "init")

    assert done.returncode == 0, done.stderr
    file = data / "operator.json"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(data.stat().st_mode) == 0o700
    record = json.loads(file.read_text())
    assert list(record) == ["registry", "api", "trust", "ca", "account", "user", "api_key"]
    assert record["registry"] == "localhost:5000"
    assert record["api"] == "http://localhost:5000"
    assert record["trust"] == "https://localhost:4443"
    assert Path(record["ca"]).read_text().startswith("-----BEGIN CERTIFICATE-----")


def test_init_again_changes_nothing(tmp_path: Path) -> None:
    data = tmp_path / "data"
    command("--data", str(data), "init")
    before = (data / "operator.json").read_bytes()

    assert command("--data", str(data), "init").returncode == 0
    assert (data / "operator.json").read_bytes() == before


def test_commands_need_a_folder_that_was_made(tmp_path: Path) -> None:
    done = command("--data", str(tmp_path / "nothing"), "account", "list")

    assert done.returncode == 1
    assert "run 'wharfd init' or 'wharfd serve' first" in done.stderr
    assert not (tmp_path / "nothing").exists()


def test_backup_as_the_guide_types_it_can_be_served(own: Server, tmp_path: Path) -> None:
    guide = (ROOT / "docs/guide/operate.md").read_text().split("## Back up")[1]
    typed = guide.split("```sh\n")[1].split("```")[0]
    (tmp_path / "backup").mkdir(mode=0o700)
    assert own.data == tmp_path / "data"
    transfer = Transfer(own, Operator.of(own))
    assert transfer.finish() == 201
    subprocess.run(["bash", "-ec", typed], cwd=tmp_path, timeout=COMMAND_SECONDS, check=True)
    key = own.operator.api_key
    own.stop()

    with Server(tmp_path / "backup") as restored:
        who = Operator.of(restored)
        assert who.api_key == key
        token = who.registry_token(["repository:drain/app:pull"])
        headers = {"Authorization": f"Bearer {token}"}
        kept = httpx.get(f"{restored.api}/v2/drain/app/blobs/{transfer.digest}", headers=headers)
        assert kept.content == transfer.content
        who.close()
