"""The index of plug-ins: what lies in the folder, in the form that is asked for."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.testclient import TestClient

from tests.support.plugin_wheels import WheelMaker
from wharfinger.plugin_index.http import JSON, routes
from wharfinger.plugin_index.model import PluginNotOffered, header, parse_filename
from wharfinger.plugin_index.service import PluginIndex
from wharfinger.plugin_index.store import WheelFolder
from wharfinger.settings import Settings
from wharfinger.web.context import Web
from wharfinger.web.threads import Threads
from wharfinger.web.urls import Urls


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "plugins"


@pytest.fixture
def index(folder: Path) -> PluginIndex:
    return PluginIndex(WheelFolder(folder))


@pytest.fixture
def client(index: PluginIndex) -> Iterator[TestClient]:
    threads = Threads(2)
    settings = Settings()
    urls = Urls(settings.public_urls, settings.trusted_proxies, settings.served)
    web = Web(settings, threads, urls, lambda: 0.0, lambda: False)
    with TestClient(Starlette(routes=routes(index, web))) as made:
        yield made
    threads.close()


def test_what_is_in_the_folder_now_is_offered(folder: Path, index: PluginIndex) -> None:
    assert index.projects() == []
    wheel = WheelMaker().write(folder)
    assert index.projects() == ["greeter"]
    assert [one.version for one in index.files("Greeter")] == ["1.0.0"]

    first = index.files("greeter")[0].sha256
    changed = WheelMaker(says="something else and longer").write(folder)
    assert changed == wheel
    assert index.files("greeter")[0].sha256 != first
    wheel.unlink()
    with pytest.raises(PluginNotOffered):
        index.files("greeter")


def test_what_is_no_wheel_is_not_offered(folder: Path, index: PluginIndex, tmp_path: Path) -> None:
    folder.mkdir()
    (folder / "damaged-1.0-py3-none-any.whl").write_bytes(b"PK nothing")
    (folder / "odd name.whl").write_bytes(b"")
    (folder / "empty-1.0-py3-none-any.whl").write_bytes(b"")
    (folder / "notes.txt").write_text("x")
    outside = WheelMaker(name="outside").write(tmp_path / "elsewhere")
    (folder / outside.name).symlink_to(outside)

    assert index.projects() == []
    with pytest.raises(PluginNotOffered):
        index.file("../elsewhere/outside-1.0.0-py3-none-any.whl")


@pytest.mark.parametrize(
    ("accept", "kind"),
    [
        ("", "text/html"),
        ("*/*", "text/html"),
        ("text/html", "text/html"),
        (JSON, JSON),
        (f"{JSON}, text/html;q=0.1", JSON),
        (f"{JSON};q=0.1, text/html", "text/html"),
        ("application/vnd.pypi.simple.latest+json", JSON),
        (f"{JSON};q=x", "text/html"),
    ],
)
def test_the_form_is_the_one_preferred(
    folder: Path, client: TestClient, accept: str, kind: str
) -> None:
    WheelMaker().write(folder)
    for path in ("/plugins/simple/", "/plugins/simple/greeter/"):
        answer = client.get(path, headers={"Accept": accept})
        assert answer.headers["content-type"].partition(";")[0] == kind
        assert answer.headers["vary"] == "Accept"


def test_both_forms_lead_to_the_file_and_its_metadata(folder: Path, client: TestClient) -> None:
    wheel = WheelMaker().write(folder)
    told = client.get("/plugins/simple/greeter/", headers={"Accept": JSON}).json()
    (file,) = told["files"]
    page = client.get("/plugins/simple/greeter/").text

    assert json.dumps(told["meta"]) == '{"api-version": "1.1"}'
    assert f'href="{file["url"]}#sha256={file["hashes"]["sha256"]}"' in page
    place = str(client.base_url.join("/plugins/simple/greeter/").join(file["url"]))
    assert client.get(place).content == wheel.read_bytes()
    metadata = client.get(f"{place}.metadata")
    assert header(metadata.content, "name") == "greeter"


@given(name=st.text(max_size=60))
def test_any_file_name_is_a_wheel_or_none(name: str) -> None:
    found = parse_filename(name)

    if found is not None:
        project, version = found
        assert project == project.lower()
        assert "_" not in project
        assert version in name


@given(content=st.binary(max_size=300))
def test_any_metadata_can_be_looked_into(content: bytes) -> None:
    assert "\n" not in header(content, "Name")
