"""Every fault of ``make audit-proof`` can be planted: the text that it changes stands in the sources, once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.chain.profit.faults import FAULTS, Fault
from tests.chain.profit.proof import sources_without

ROOT = Path(__file__).resolve().parents[3]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: f"row {fault.row}")
def test_fault__can_be_planted_and_its_contracts_exist(fault: Fault) -> None:
    planted = sources_without(fault)
    assert planted or fault.book
    assert all((ROOT / path).read_text(encoding="utf-8") != text for path, text in planted.items())
    assert all((ROOT / path).is_file() for path in fault.units.values())
