"""Open interest per series and its cap."""

import pytest

from plimsoll.model import Kind
from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import ETH, WAD, future, option, perp

PERP = int(Kind.PERP)
KINDS = (Kind.CALL, Kind.PUT, Kind.FUTURE, Kind.PERP)


def instrument(kind, expiry):
    return {Kind.FUTURE: future(expiry), Kind.PERP: perp()}.get(kind, option(expiry, 2_000, kind))


@pytest.mark.parametrize("kind", KINDS)
def test_open_interest__trades__is_the_sum_of_longs(ledger, module, buyer, seller, expiry, kind):
    word = instrument(kind, expiry)

    def trade(a, b, quantity):
        ledger.applyTrade((a, b, word, quantity * WAD, 100 * WAD), {"from": module})
        return ledger.openInterestOf(word)[0] // WAD

    assert trade(buyer, seller, 5) == 5
    assert trade(seller, buyer, 2) == 3
    assert trade(seller, buyer, 7) == 4
    # A third account takes over the short side: nothing opens.
    assert trade(buyer, 1, 4) == 4
    assert trade(1, seller, 4) == 0


def test_open_interest__strikes_of_one_expiry__count_together(ledger, module, buyer, seller, expiry):
    for strike in (2_000, 2_100):
        ledger.applyTrade((buyer, seller, option(expiry, strike), WAD, WAD), {"from": module})
    ledger.applyTrade((buyer, seller, option(expiry + 1, 2_000), WAD, WAD), {"from": module})
    ledger.applyTrade((buyer, seller, option(expiry, 2_000, Kind.PUT), WAD, WAD), {"from": module})
    assert ledger.openInterestOf(option(expiry, 9_999))[0] == 2 * WAD


def test_open_interest__slice_to_the_other_side__closes(ledger, module, buyer, seller):
    ledger.applyTrade((buyer, seller, perp(), 4 * WAD, 100 * WAD), {"from": module})
    ledger.transferSlice(buyer, 1, WAD // 2, 0, {"from": module})
    assert ledger.openInterestOf(perp())[0] == 4 * WAD
    ledger.transferSlice(seller, 1, WAD // 4, 0, {"from": module})
    assert ledger.openInterestOf(perp())[0] == 3 * WAD
    ledger.transferSlice(buyer, seller, WAD, 0, {"from": module})
    assert ledger.openInterestOf(perp())[0] == WAD


@pytest.mark.parametrize("kind", [Kind.CALL, Kind.PUT, Kind.FUTURE])
def test_open_interest__settled__is_gone(ledger, module, buyer, seller, expiry, kind):
    """It never fell by a settlement, so a series that is listed again would have found its cap used up."""
    word = instrument(kind, expiry)
    ledger.applyTrade((buyer, seller, word, 5 * WAD, 100 * WAD), {"from": module})
    ledger.settlePositions(seller, ETH, expiry, 100 * WAD, {"from": module})
    assert ledger.openInterestOf(word)[0] == 5 * WAD
    ledger.settlePositions(buyer, ETH, expiry, 100 * WAD, {"from": module})
    assert ledger.openInterestOf(word)[0] == 0


def test_set_open_interest_cap__reached__refuses_growth_only(ledger, governor, module, buyer, seller):
    tx = ledger.setOpenInterestCap(ETH, PERP, 5 * WAD, {"from": governor})
    assert tx.events["OpenInterestCapSet"] == {"underlyingId": ETH, "kind": PERP, "capWad": 5 * WAD}
    ledger.applyTrade((buyer, seller, perp(), 5 * WAD, 100 * WAD), {"from": module})
    with reverts_with("Accounts__OpenInterestAboveCap", 5 * WAD + 1, 5 * WAD):
        ledger.applyTrade((buyer, seller, perp(), 1, 100 * WAD), {"from": module})
    ledger.setOpenInterestCap(ETH, PERP, WAD, {"from": governor})
    assert tuple(ledger.openInterestOf(perp())) == (5 * WAD, WAD)
    # Above the cap: a change of hands and a reduction pass.
    ledger.applyTrade((1, buyer, perp(), WAD, 100 * WAD), {"from": module})
    ledger.transferSlice(buyer, 1, WAD, 0, {"from": module})
    ledger.applyTrade((seller, 1, perp(), WAD, 100 * WAD), {"from": module})
    ledger.setOpenInterestCap(ETH, PERP, 0, {"from": governor})
    ledger.applyTrade((buyer, seller, perp(), 100 * WAD, 100 * WAD), {"from": module})


def test_set_open_interest_cap__other_kind_or_underlying__is_free(ledger, governor, module, buyer, seller, expiry):
    ledger.setOpenInterestCap(ETH, PERP, 1, {"from": governor})
    ledger.setOpenInterestCap(2, int(Kind.CALL), 1, {"from": governor})
    ledger.applyTrade((buyer, seller, option(expiry, 2_000), WAD, WAD), {"from": module})
    ledger.applyTrade((buyer, seller, future(expiry), WAD, WAD), {"from": module})


@pytest.mark.parametrize(("underlying_id", "kind"), [(0, 0), (1, 4)])
def test_set_open_interest_cap__no_such_kind__reverts_BadKind(ledger, governor, underlying_id, kind):
    with reverts_with("Accounts__BadKind", underlying_id, kind):
        ledger.setOpenInterestCap(underlying_id, kind, 1, {"from": governor})


def test_set_open_interest_cap__stranger__reverts(ledger, stranger):
    with reverts_with("AccessManagedUnauthorized"):
        ledger.setOpenInterestCap(1, 0, 1, {"from": stranger})
