"""Exchange.settle: two signed orders, any relayer, every refusal by name."""

import pytest
from brownie import WalletStub, chain

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import WAD, option, perp, shown, words
from tests.chain.helpers.orders import sign_order
from tests.chain.unit.conftest import FUNDS_WAD

MAX_PRICE_WAD = (2**71 - 1) * 10**10
SIGNER = 7


class Pair:
    """A buy and a sell order that match; tests change one field each."""

    def __init__(self, exchange, buyer, seller, trader, maker, instrument):
        self.exchange = exchange
        self.keys = [trader, maker]
        end = chain[-1].timestamp + 3600
        self.orders = [
            [buyer, instrument, True, 4 * WAD, 60 * WAD, 1, end, trader.address],
            [seller, instrument, False, 4 * WAD, 50 * WAD, 1, end, maker.address],
        ]

    def settle(self, relayer, quantity_wad=WAD, price_wad=55 * WAD, signatures=None):
        signed = signatures or self.signatures()
        (buy, sell), (buy_signature, sell_signature) = self.orders, signed
        return self.exchange.settle(
            buy, buy_signature, sell, sell_signature, quantity_wad, price_wad, {"from": relayer}
        )

    def signatures(self):
        return [sign_order(self.exchange, k, tuple(o)) for k, o in zip(self.keys, self.orders, strict=True)]

    def buy_signed_by(self, key, signer=None):
        self.keys[0] = key
        self.orders[0][SIGNER] = (signer or key).address

    def both(self, field, value):
        for order in self.orders:
            order[field] = value


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


def test_settle__account_sold__old_signature_is_void(ledger, pair, stranger, trader, buyer):
    ledger.transferFrom(trader, stranger, buyer, {"from": trader})
    with reverts_with("Delegation__NotDelegate", shown(trader), buyer):
        pair.settle(stranger)


def test_settle__contract_wallet__asks_erc1271(ledger, pair, stranger, governor, trader, maker, buyer):
    wallet = governor.deploy(WalletStub, trader)
    ledger.transferFrom(trader, wallet, buyer, {"from": trader})
    pair.buy_signed_by(trader, wallet)
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


@pytest.mark.parametrize(
    ("price_wad", "name", "args"),
    [
        (60 * WAD + 1, "Exchange__PriceAboveLimit", (60 * WAD + 1, 60 * WAD)),
        (50 * WAD - 1, "Exchange__PriceBelowLimit", (50 * WAD - 1, 50 * WAD)),
        (0, "Exchange__PriceOutOfRange", (0, MAX_PRICE_WAD)),
        (MAX_PRICE_WAD + 1, "Exchange__PriceOutOfRange", (MAX_PRICE_WAD + 1, MAX_PRICE_WAD)),
    ],
)
def test_settle__bad_price__reverts(pair, stranger, price_wad, name, args):
    with reverts_with(name, *args):
        pair.settle(stranger, price_wad=price_wad)


def test_settle__limits__are_inclusive(pair, stranger):
    pair.settle(stranger, price_wad=60 * WAD)
    pair.settle(stranger, price_wad=50 * WAD)


def test_settle__linear_between_steps__reverts_PriceStep(pair, stranger):
    pair.both(1, perp())
    pair.settle(stranger)
    with reverts_with("Exchange__PriceStep", 55 * WAD + 1, 10**10):
        pair.settle(stranger, price_wad=55 * WAD + 1)


@pytest.mark.parametrize("side", ["buyer", "seller"])
def test_settle__one_side_too_weak__reverts_BelowInitial(request, margin, pair, stranger, side):
    margin.setInitial(request.getfixturevalue(side), 9, {"from": stranger})
    with reverts_with("MarginEngine__BelowInitial", 0, 9):
        pair.settle(stranger)


def test_settle__paused__reverts_EnforcedPause(exchange, pair, governor, stranger):
    exchange.pause({"from": governor})
    with reverts_with("EnforcedPause"):
        pair.settle(stranger)
    exchange.unpause({"from": governor})
    pair.settle(stranger)


def test_settle__16_positions_each__ledger_stays_cheap(ledger, module, pair, stranger, buyer, seller, expiry):
    for i in range(16):
        ledger.applyTrade((buyer, seller, option(expiry, 2000 + i), WAD, WAD), {"from": module})
    # Without the margin checks, which the stub leaves out.
    assert pair.settle(stranger).gas_used < 340_000
