"""Exchange.setFees, setFeeCaps and setFeeAccount: rates within caps, caps within the ceiling."""

import pytest

from tests.chain.helpers.errors import reverts_with

CEILING = 125 * 10**15


@pytest.mark.parametrize("field", range(4))
def test_set_fees__above_its_cap__reverts_FeeAboveCap(exchange, governor, field):
    caps = (10**15, 2 * 10**15)
    exchange.setFeeCaps(caps, {"from": governor})
    cap = caps[field // 2]
    fees = [0, 0, 0, 0]
    fees[field] = cap + 1
    with reverts_with("Exchange__FeeAboveCap", cap + 1, cap):
        exchange.setFees(fees, {"from": governor})
    fees[field] = cap
    tx = exchange.setFees(fees, {"from": governor})
    assert tuple(tx.events["FeesSet"]["fees"]) == tuple(fees)
    assert tuple(exchange.feesOf()[0]) == tuple(fees)


@pytest.mark.parametrize("field", range(2))
def test_set_fee_caps__above_the_ceiling__reverts_FeeAboveCap(exchange, governor, field):
    caps = [CEILING, CEILING]
    caps[field] += 1
    with reverts_with("Exchange__FeeAboveCap", CEILING + 1, CEILING):
        exchange.setFeeCaps(caps, {"from": governor})
    caps[field] = CEILING
    assert tuple(exchange.setFeeCaps(caps, {"from": governor}).events["FeeCapsSet"]["caps"]) == (CEILING, CEILING)


def test_set_fee_caps__below_the_rates_in_force__reverts_FeeAboveCap(exchange, governor):
    exchange.setFeeCaps((9, 9), {"from": governor})
    exchange.setFees((1, 5, 0, 0), {"from": governor})
    with reverts_with("Exchange__FeeAboveCap", 5, 4):
        exchange.setFeeCaps((4, 9), {"from": governor})
    exchange.setFeeCaps((5, 0), {"from": governor})
    assert tuple(exchange.feesOf()[1]) == (5, 0)


def test_set_fee_account__clearing_or_unknown__reverts_BadFeeAccount(ledger, exchange, governor, buyer):
    end = ledger.nextAccountId()
    assert exchange.feeAccountId() == 1
    for bad in (0, end):
        with reverts_with("Exchange__BadFeeAccount", bad, end):
            exchange.setFeeAccount(bad, {"from": governor})
    assert exchange.setFeeAccount(buyer, {"from": governor}).events["FeeAccountSet"] == {"accountId": buyer}
    assert exchange.feeAccountId() == buyer


@pytest.mark.parametrize(("name", "value"), [("setFees", (0, 0, 0, 0)), ("setFeeCaps", (0, 0)), ("setFeeAccount", 1)])
def test_setters__stranger__reverts_AccessManagedUnauthorized(exchange, stranger, name, value):
    with reverts_with("AccessManagedUnauthorized"):
        getattr(exchange, name)(value, {"from": stranger})
