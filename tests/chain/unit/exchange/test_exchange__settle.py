"""Exchange.settle: two signed orders at the maker's price, any relayer, every refusal by name."""

import pytest
from brownie import WalletStub, chain

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import WAD, option, perp, shown, stored_total, words
from tests.chain.helpers.orders import FILL_OR_KILL, LIMIT, PLAIN, POST_ONLY, sign_order
from tests.chain.unit.conftest import FUNDS_WAD

MAX_PRICE_WAD = (2**71 - 1) * 10**10
MAX_WAD = 2**127 - 1
SIDE, QUANTITY, LIMIT_PRICE, SIGNER, KIND, REDUCE_ONLY, MAX_FEE, TRANSFERS = 2, 3, 4, 7, 8, 9, 10, 11


class Pair:
    """A buy order that makes at 55 and a sell order that takes down to 50; tests change one field each."""

    def __init__(self, exchange, buyer, seller, trader, maker, instrument):
        self.exchange = exchange
        self.keys = [trader, maker]
        end = chain[-1].timestamp + 3600
        self.orders = [
            [buyer, instrument, True, 4 * WAD, 55 * WAD, 1, end, trader.address, *PLAIN],
            [seller, instrument, False, 4 * WAD, 50 * WAD, 1, end, maker.address, *PLAIN],
        ]

    def settle(self, relayer, quantity_wad=WAD, signatures=None, maker=0):
        signed = signatures or self.signatures()
        sides = (self.orders[maker], signed[maker], self.orders[1 - maker], signed[1 - maker])
        return self.exchange.settle(*sides, quantity_wad, {"from": relayer})

    def signatures(self):
        return [sign_order(self.exchange, k, tuple(o)) for k, o in zip(self.keys, self.orders, strict=True)]

    def buy_signed_by(self, key, signer=None):
        self.keys[0] = key
        self.orders[0][SIGNER] = (signer or key).address

    def both(self, field, value):
        for order in self.orders:
            order[field] = value


def set_fees(exchange, governor, maker, taker):
    """Fees of options."""
    exchange.setFeeCaps((0, 10**17), {"from": governor})
    exchange.setFees((0, 0, maker, taker), {"from": governor})


@pytest.fixture
def pair(exchange, buyer, seller, trader, maker, expiry):
    return Pair(exchange, buyer, seller, trader, maker, option(expiry, 2000))


def test_settle__match__fills_both(ledger, exchange, stranger, pair, buyer, seller, expiry):
    tx = pair.settle(stranger)
    digests = [exchange.hashOf(order) for order in pair.orders]
    assert tx.events["Settled"] == {
        "buyHash": digests[0],
        "sellHash": digests[1],
        "instrument": option(expiry, 2000),
        "buyerId": buyer,
        "sellerId": seller,
        "quantityWad": WAD,
        "priceWad": 55 * WAD,
        "buyerIsMaker": True,
    }
    assert words(ledger, buyer) == [option(expiry, 2000, quantity_wad=WAD)]
    assert words(ledger, seller) == [option(expiry, 2000, quantity_wad=-WAD)]
    assert ledger.cashOf(buyer) == FUNDS_WAD - 55 * WAD
    assert [exchange.filledOf(digest) for digest in digests] == [WAD, WAD]


def test_settle__rest__fills_and_no_more(pair, stranger):
    pair.settle(stranger)
    with reverts_with("Exchange__Overfilled", 3 * WAD + 1, 3 * WAD):
        pair.settle(stranger, 3 * WAD + 1)
    pair.settle(stranger, 3 * WAD)
    with reverts_with("Exchange__Overfilled", 1, 0):
        pair.settle(stranger, 1)


def test_settle__signed_by_operator__fills(ledger, pair, stranger, trader, maker, buyer):
    pair.buy_signed_by(maker)
    with reverts_with("Delegation__NotDelegate", shown(maker), buyer):
        pair.settle(stranger)
    ledger.setApprovalForAll(maker, True, {"from": trader})
    pair.settle(stranger)


@pytest.mark.parametrize("side", [0, 1])
def test_settle__account_sold__old_signature_is_void_and_stays_so_when_it_comes_back(
    ledger, pair, stranger, trader, maker, buyer, seller, side
):
    owner, account = ((trader, buyer), (maker, seller))[side]
    ledger.transferFrom(owner, stranger, account, {"from": owner})
    with reverts_with("Exchange__Transferred", 1, 0):
        pair.settle(stranger)
    ledger.transferFrom(stranger, owner, account, {"from": stranger})
    with reverts_with("Exchange__Transferred", 2, 0):
        pair.settle(stranger)
    pair.orders[side][TRANSFERS] = 2
    pair.settle(stranger)


def test_settle__signed_for_a_transfer_to_come__waits_for_the_right_owner(ledger, pair, stranger, trader, buyer):
    pair.orders[0][TRANSFERS] = 1
    with reverts_with("Exchange__Transferred", 0, 1):
        pair.settle(stranger)
    ledger.transferFrom(trader, stranger, buyer, {"from": trader})
    with reverts_with("Delegation__NotDelegate", shown(trader), buyer):
        pair.settle(stranger)


def test_settle__contract_wallet__asks_erc1271(ledger, pair, stranger, governor, trader, maker, buyer):
    wallet = governor.deploy(WalletStub, trader)
    ledger.transferFrom(trader, wallet, buyer, {"from": trader})
    pair.buy_signed_by(trader, wallet)
    pair.orders[0][TRANSFERS] = 1
    pair.settle(stranger)
    pair.keys[0] = maker
    with reverts_with("Exchange__BadSignature", shown(maker), buyer):
        pair.settle(stranger)


def test_settle__other_chain__reverts_BadSignature(exchange, pair, stranger, trader):
    signatures = [sign_order(exchange, trader, tuple(pair.orders[0]), chain_id=5), pair.signatures()[1]]
    with reverts_with("Exchange__BadSignature"):
        pair.settle(stranger, signatures=signatures)


def test_settle__malleable_signature__reverts_BadSignature(pair, stranger, buyer):
    buy, sell = pair.signatures()
    order_n = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    flipped = buy[:32] + (order_n - int.from_bytes(buy[32:64], "big")).to_bytes(32, "big") + bytes([55 - buy[64]])
    with reverts_with("Exchange__BadSignature", "0x" + "0" * 40, buyer):
        pair.settle(stranger, signatures=[flipped, sell])


def test_settle__signed_by_another_than_named__reverts_BadSignature(pair, stranger, maker, buyer):
    pair.keys[0] = maker
    with reverts_with("Exchange__BadSignature", shown(maker), buyer):
        pair.settle(stranger)


def test_settle__nobody_named__reverts_BadSignature(pair, stranger, trader, buyer):
    pair.orders[0][SIGNER] = "0x" + "0" * 40
    with reverts_with("Exchange__BadSignature", shown(trader), buyer):
        pair.settle(stranger)
    # Nor does a signature that recovers to nobody stand for nobody.
    with reverts_with("Exchange__BadSignature", "0x" + "0" * 40, buyer):
        pair.settle(stranger, signatures=[b"\x01" * 65, pair.signatures()[1]])


def test_settle__tampered__reverts_BadSignature(pair, stranger):
    signatures = pair.signatures()
    pair.orders[0][3] = 5 * WAD
    with reverts_with("Exchange__BadSignature"):
        pair.settle(stranger, signatures=signatures)


def test_settle__cancelled__reverts_Cancelled(exchange, pair, stranger, trader, maker):
    exchange.cancel(1, {"from": maker})
    with reverts_with("Exchange__Cancelled", shown(maker), 1):
        pair.settle(stranger)


def test_settle__sides_swapped__reverts_WrongSide(pair, stranger):
    pair.orders[1][2] = True
    with reverts_with("Exchange__WrongSide", True, True):
        pair.settle(stranger)


def test_settle__different_instruments__reverts_InstrumentMismatch(pair, stranger, expiry):
    pair.orders[1][1] = option(expiry, 2001)
    with reverts_with("Exchange__InstrumentMismatch", option(expiry, 2000), option(expiry, 2001)):
        pair.settle(stranger)


def test_settle__one_account__reverts_SelfTrade(pair, stranger, buyer):
    pair.both(0, buyer)
    with reverts_with("Exchange__SelfTrade", buyer, buyer):
        pair.settle(stranger)


def test_settle__order_out_of_date__reverts_OrderExpired(pair, stranger):
    pair.both(6, chain[-1].timestamp - 1)
    with reverts_with("Exchange__OrderExpired"):
        pair.settle(stranger)


def test_settle__expired_instrument__reverts_InstrumentExpired(pair, stranger):
    pair.both(1, option(chain[-1].timestamp, 2000))
    with reverts_with("Exchange__InstrumentExpired"):
        pair.settle(stranger)


def test_settle__no_quantity__reverts_ZeroQuantity(pair, stranger):
    with reverts_with("Exchange__ZeroQuantity", 0, 1):
        pair.settle(stranger, 0)


def test_settle__sell_makes__buyer_gets_the_better_price(ledger, pair, stranger, buyer, seller):
    event = pair.settle(stranger, maker=1).events["Settled"]
    assert (event["buyerId"], event["priceWad"], event["buyerIsMaker"]) == (buyer, 50 * WAD, False)
    assert ledger.cashOf(buyer) == FUNDS_WAD - 50 * WAD
    assert ledger.cashOf(seller) == FUNDS_WAD + 50 * WAD


@pytest.mark.parametrize("price_wad", [0, MAX_PRICE_WAD + 1])
def test_settle__bad_price__reverts_PriceOutOfRange(pair, stranger, price_wad):
    pair.both(LIMIT_PRICE, price_wad)
    with reverts_with("Exchange__PriceOutOfRange", price_wad, MAX_PRICE_WAD):
        pair.settle(stranger)


def test_settle__not_crossing__reverts_by_side(pair, stranger):
    pair.both(LIMIT_PRICE, 55 * WAD)
    pair.settle(stranger)
    pair.settle(stranger, maker=1)
    pair.orders[1][LIMIT_PRICE] += 1
    with reverts_with("Exchange__PriceBelowLimit", 55 * WAD, 55 * WAD + 1):
        pair.settle(stranger)
    with reverts_with("Exchange__PriceAboveLimit", 55 * WAD + 1, 55 * WAD):
        pair.settle(stranger, maker=1)


def test_settle__linear_between_steps__reverts_PriceStep(pair, stranger):
    pair.both(1, perp())
    pair.settle(stranger)
    pair.orders[0][LIMIT_PRICE] += 1
    with reverts_with("Exchange__PriceStep", 55 * WAD + 1, 10**10):
        pair.settle(stranger)


def test_settle__post_only__makes_and_never_takes(pair, stranger):
    pair.orders[0][KIND] = POST_ONLY
    pair.settle(stranger)
    with reverts_with("Exchange__NotTaker", POST_ONLY, FILL_OR_KILL):
        pair.settle(stranger, maker=1)


def test_settle__fill_or_kill__takes_whole_and_never_makes(pair, stranger):
    pair.orders[1][KIND] = FILL_OR_KILL
    with reverts_with("Exchange__NotMaker", FILL_OR_KILL, POST_ONLY):
        pair.settle(stranger, maker=1)
    with reverts_with("Exchange__NotWhole", 4 * WAD - 1, 4 * WAD):
        pair.settle(stranger, 4 * WAD - 1)
    pair.settle(stranger, 4 * WAD)
    with reverts_with("Exchange__Overfilled", 4 * WAD, 0):
        pair.settle(stranger, 4 * WAD)


@pytest.mark.parametrize("side", [0, 1])
def test_settle__unknown_kind__reverts(pair, stranger, side):
    pair.orders[side][KIND] = 3
    with reverts_with(*(("Exchange__NotMaker", 3, POST_ONLY), ("Exchange__NotTaker", 3, FILL_OR_KILL))[side]):
        pair.settle(stranger)
    pair.orders[side][KIND] = LIMIT
    pair.settle(stranger)


@pytest.mark.parametrize("side", [0, 1])
def test_settle__reduce_only__closes_and_goes_no_further(ledger, module, pair, stranger, buyer, seller, expiry, side):
    pair.orders[side][REDUCE_ONLY] = True
    with reverts_with("Exchange__NotReducing", WAD, 0):
        pair.settle(stranger)
    # More of the same side is no reduction.
    ledger.applyTrade((buyer, seller, option(expiry, 2000), 2 * WAD, WAD), {"from": module})
    with reverts_with("Exchange__NotReducing", WAD, 0):
        pair.settle(stranger)
    ledger.applyTrade((seller, buyer, option(expiry, 2000), 4 * WAD, WAD), {"from": module})
    with reverts_with("Exchange__NotReducing", 2 * WAD + 1, 2 * WAD):
        pair.settle(stranger, 2 * WAD + 1)
    pair.settle(stranger, 2 * WAD)
    assert words(ledger, buyer) == []


def test_settle__reduce_only__entry_of_a_linear_position_is_no_part_of_the_instrument(
    ledger, module, pair, stranger, buyer, seller
):
    pair.both(1, perp())
    pair.orders[0][REDUCE_ONLY] = True
    ledger.applyTrade((seller, buyer, perp(), WAD, 70 * WAD), {"from": module})
    pair.settle(stranger)
    with reverts_with("Exchange__NotReducing", WAD, 0):
        pair.settle(stranger)


def test_settle__dust__only_as_the_rest_of_both(pair, stranger):
    with reverts_with("Exchange__Dust", 10**12 - 1, 10**12):
        pair.settle(stranger, 10**12 - 1)
    pair.settle(stranger, 10**12)
    pair.orders[0][QUANTITY] = 5
    with reverts_with("Exchange__Dust", 5, 10**12):
        pair.settle(stranger, 5)
    pair.orders[1][QUANTITY] = 5
    pair.settle(stranger, 5)


def test_settle__quantity_beyond_a_position__reverts_QuantityTooLarge(pair, stranger):
    pair.both(QUANTITY, 2**256 - 1)
    with reverts_with("Exchange__QuantityTooLarge", MAX_WAD + 1, MAX_WAD):
        pair.settle(stranger, MAX_WAD + 1)
    # The largest one is refused by the ledger: its premium is no amount of cash.
    with reverts_with("Accounts__Overflow"):
        pair.settle(stranger, MAX_WAD)


def test_settle__malformed_instrument__reverts_BadInstrument(pair, stranger, expiry):
    pair.both(1, option(expiry, 2000, quantity_wad=1))
    with reverts_with("Accounts__BadInstrument", option(expiry, 2000, quantity_wad=1)):
        pair.settle(stranger)


def test_settle__account_at_the_position_limit__reverts_TooManyPositions(
    ledger, module, pair, stranger, governor, buyer, seller, expiry
):
    for i in range(128):
        ledger.applyTrade((buyer, 1, option(expiry, 2001 + i), WAD, 1), {"from": module})
    with reverts_with("Accounts__TooManyPositions", 129, 128):
        pair.settle(stranger)
    pair.both(1, option(expiry, 2001))
    pair.settle(stranger)
    assert len(words(ledger, buyer)) == 128


def test_settle__fees__both_pay_the_fund_and_cash_is_conserved(
    ledger, exchange, governor, pair, stranger, buyer, seller
):
    set_fees(exchange, governor, maker=10**15, taker=3 * 10**15)
    before, held = stored_total(ledger), ledger.cashOf(1)
    pair.orders[0][MAX_FEE], pair.orders[1][MAX_FEE] = 10**15, 3 * 10**15
    quantity = WAD + 10**12 + 1
    tx = pair.settle(stranger, quantity)
    premium = -(-quantity * 55 * WAD // WAD)
    fees = [-(-premium * rate // WAD) for rate in (10**15, 3 * 10**15)]
    digests = [exchange.hashOf(order) for order in pair.orders]
    assert [dict(e) for e in tx.events["FeePaid"]] == [
        {"digest": digests[i], "accountId": (buyer, seller)[i], "toId": 1, "feeWad": fees[i]} for i in (0, 1)
    ]
    assert ledger.cashOf(buyer) == FUNDS_WAD - premium - fees[0]
    assert ledger.cashOf(1) == held + sum(fees)
    assert stored_total(ledger) == before


@pytest.mark.parametrize(("side", "rate"), [(0, 10**15), (1, 3 * 10**15)])
def test_settle__fee_above_what_the_signer_accepts__reverts_FeeAboveLimit(
    exchange, governor, pair, stranger, side, rate
):
    set_fees(exchange, governor, maker=10**15, taker=3 * 10**15)
    pair.both(MAX_FEE, 3 * 10**15)
    pair.orders[side][MAX_FEE] = rate - 1
    with reverts_with("Exchange__FeeAboveLimit", rate, rate - 1):
        pair.settle(stranger)
    pair.orders[side][MAX_FEE] = rate
    pair.settle(stranger)


def test_settle__fees_of_linear_instruments__are_their_own(ledger, exchange, governor, pair, stranger, buyer, seller):
    exchange.setFeeCaps((10**16, 0), {"from": governor})
    exchange.setFees((10**14, 2 * 10**14, 0, 0), {"from": governor})
    exchange.setFeeAccount(seller, {"from": governor})
    # Options are free.
    pair.settle(stranger)
    pair.both(1, perp())
    pair.both(MAX_FEE, 2 * 10**14)
    held = ledger.cashOf(buyer)
    pair.settle(stranger)
    assert held - ledger.cashOf(buyer) == 55 * 10**14


def test_settle__signed_before_a_bulk_cancel__reverts_Cancelled(exchange, pair, stranger, maker):
    exchange.cancelBelow(1, {"from": maker})
    pair.settle(stranger)
    exchange.cancelBelow(2, {"from": maker})
    with reverts_with("Exchange__Cancelled", shown(maker), 1):
        pair.settle(stranger)


@pytest.mark.parametrize("side", ["buyer", "seller"])
def test_settle__one_side_too_weak__reverts_BelowInitial(request, margin, pair, stranger, side):
    margin.setInitial(request.getfixturevalue(side), 9, {"from": stranger})
    with reverts_with("MarginEngine__BelowInitial", 0, 9):
        pair.settle(stranger)


def test_settle__paused__reverts_ExpiringPause__Paused(exchange, pair, governor, stranger):
    exchange.pause({"from": governor})
    with reverts_with("ExpiringPause__Paused"):
        pair.settle(stranger)
    exchange.unpause({"from": governor})
    pair.settle(stranger)


def test_settle__16_positions_each__ledger_stays_cheap(ledger, module, pair, stranger, buyer, seller, expiry):
    for i in range(16):
        ledger.applyTrade((buyer, seller, option(expiry, 2000 + i), WAD, WAD), {"from": module})
    # Without the margin checks, which the stub leaves out.
    assert pair.settle(stranger).gas_used < 360_000
