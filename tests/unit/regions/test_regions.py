"""Which region a host calls, and what settings of regions are refused."""

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wharfinger.regions import NetworkGroup, Region, Regions, RegionsInvalid, single
from wharfinger.settings import SettingInvalid, load

US = Region(
    name="us-south", aliases=("ng", "us"), hosts=("us.icr.io", "registry.ng.bluemix.net:8443")
)
UK = Region(name="eu-gb", hosts=("uk.icr.io", "[::1]:5000"), private_networks=("10.0.0.0/8",))
TOML = """
[[regions]]
name = "us-south"
aliases = ["ng"]
hosts = ["us.icr.io"]
display_name = "US South"
[[regions.networks]]
cidrs = ["169.60.72.144/28"]

[[regions]]
name = "global"
hosts = ["icr.io"]
"""


@pytest.mark.parametrize(
    ("host", "region"),
    [
        ("us.icr.io", "us-south"),
        ("US.icr.io", "us-south"),
        ("us.icr.io.", "us-south"),
        ("us.icr.io:5000", "us-south"),
        ("registry.ng.bluemix.net:8443", "us-south"),
        ("registry.ng.bluemix.net", None),
        ("registry.ng.bluemix.net:80", None),
        ("uk.icr.io:443", "eu-gb"),
        ("[::1]:5000", "eu-gb"),
        ("[::1]", None),
        ("evil.us.icr.io", None),
        ("us.icr.io:", None),
        ("us.icr.io:x", None),
        ("", None),
        (":80", None),
    ],
)
def test_the_host_decides(host: str, region: str | None) -> None:
    found = Regions([US, UK]).of_host(host)
    assert (found.name if found else None) == region


@given(st.text(max_size=80))
def test_no_host_breaks_the_look_up(host: str) -> None:
    found = Regions([US, UK]).of_host(host)
    assert found is None or any(
        host.lower().startswith(known.partition(":")[0]) for known in found.hosts
    )
    assert single("local").of_host(host) is not None


def test_names_and_aliases_mean_the_region() -> None:
    regions = Regions([US, UK])
    assert regions.named("us-south") is regions.named("ng") is US
    assert regions.named("nowhere") is None
    assert [one.name for one in regions] == ["us-south", "eu-gb"]
    assert "eu-gb" in regions
    assert "ng" not in regions


def test_private_networks_are_a_regions_own() -> None:
    regions = Regions([US, UK])
    assert regions.is_private("eu-gb", "10.1.2.3")
    assert not regions.is_private("us-south", "10.1.2.3")
    assert not regions.is_private("eu-gb", "192.0.2.1")
    assert not regions.is_private("eu-gb", "not an address")


@pytest.mark.parametrize(
    "regions",
    [
        [US, Region(name="us-south", hosts=("other.io",))],
        [US, Region(name="ng", hosts=("other.io",))],
        [US, Region(name="eu-gb", hosts=("us.icr.io",))],
        [US, Region(name="eu-gb")],
        [Region(name="a", private_networks=("10.0.0.0/99",))],
        [Region(name="a", networks=(NetworkGroup(cidrs=("everywhere",)),))],
        [],
    ],
)
def test_contradictions_are_refused(regions: list[Region]) -> None:
    with pytest.raises(RegionsInvalid):
        Regions(regions)


def test_settings_carry_regions_as_tables(tmp_path: Path) -> None:
    file = tmp_path / "wharfinger.toml"
    file.write_text(TOML)
    settings = load({}, str(file))
    first, public = settings.served
    assert (first.name, first.display_name, first.hosts) == ("us-south", "US South", ("us.icr.io",))
    assert first.networks[0].ports == (443, 4443)
    assert public.name == "global"
    assert settings.certificate_names == ("us.icr.io", "icr.io")


def test_a_variable_carries_regions_as_json() -> None:
    settings = load({"WHARFINGER_REGIONS": json.dumps([{"name": "a", "hosts": ["[::1]:80"]}])})
    assert settings.served.first.name == "a"
    assert settings.certificate_names == ("::1",)


def test_without_tables_there_is_one_region_by_any_host() -> None:
    assert load({}).served.of_host("whatever:1") == Region(name="local")
    assert load({"WHARFINGER_REGION": "home"}).served.first.name == "home"


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ('[{"name": "UP"}]', "name"),
        ('[{"name": "a", "host": "x"}]', "host"),
        ('[{"name": "a", "networks": [{"cidrs": ["10.0.0.0/8"], "ports": [0]}]}]', "ports"),
        ('[{"name": "a"}, {"name": "b"}]', "needs hosts"),
        ("[", "JSON"),
        ("a,b", "not allowed"),
    ],
)
def test_what_is_wrong_with_regions_is_named(value: str, told: str) -> None:
    with pytest.raises(SettingInvalid, match=told):
        load({"WHARFINGER_REGIONS": value})


def test_region_and_regions_exclude_each_other() -> None:
    with pytest.raises(SettingInvalid, match="leave it out"):
        load({"WHARFINGER_REGIONS": '[{"name": "a"}]', "WHARFINGER_REGION": "b"})
