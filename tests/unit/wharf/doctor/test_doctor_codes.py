"""Exit codes are promises to scripts: one for each class, and in the guide."""

from __future__ import annotations

import re
from pathlib import Path

from wharf.doctor.checks import CHECKS

GUIDE = Path(__file__).resolve().parents[4] / "docs/guide/command-line.md"


def test_the_guide_tells_every_code_and_no_other() -> None:
    told = {int(code) for code in re.findall(r"\| (\d\d) \|", GUIDE.read_text())}

    assert told == {check.code for check in CHECKS}


def test_the_way_to_the_registry_has_the_codes_of_the_way_to_the_service() -> None:
    codes = {check.name: check.code for check in CHECKS}

    for name in ("proxy", "dns", "tcp", "tls", "http"):
        assert codes[f"registry-{name}"] == codes[name]
    assert len(codes) == len(CHECKS)
