"""Tells at the end of a run what the fault tests did."""

from __future__ import annotations

import pytest

from tests.faults.report import FOLDER, WRITTEN


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if WRITTEN:
        terminalreporter.section(f"faults (kept in {FOLDER})")
        for told in WRITTEN:
            terminalreporter.write_line(told)
