"""Gas of one evaluation, exactly: a change of any figure is a decision, not an accident."""

from __future__ import annotations

from tools.bench.libraries import measure_all

GAS = {
    "gas.math.exp": 208,
    "gas.math.ln": 276,
    "gas.math.sqrt": 162,
    "gas.math.cdf": 259,
    "gas.math.cdf_table": 171,
    "gas.math.black76": 1_184,
    "gas.math.svi": 939,
    "gas.math.rows16": 7_123,
    "gas.math.rows35": 14_556,
}


def test_gas_is_what_the_documents_say():
    assert measure_all() == GAS
