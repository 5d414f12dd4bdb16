"""Exchange.fillQuote: several legs at once, both sides margined on the net result, every refusal by name."""

import pytest
from brownie import WalletStub, chain

from plimsoll.model import Kind
from tests.chain.helpers.delegation import CALL, PERP, terms
from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import WAD, future, option, perp, shown, stored_total, words
from tests.chain.helpers.orders import PLAIN, sign_order, sign_quote
from tests.chain.unit.conftest import FUNDS_WAD

MAX_WAD = 2**127 - 1
ACCOUNT, TAKER, LEGS, NONCE, UNTIL, SIGNER, MAX_FEE, TRANSFERS = range(8)
NO_DIGEST = "0x" + "0" * 64


class Request:
    """A quote of the seller's account, taken by the buyer; tests change one field each."""

    def __init__(self, exchange, taker_id, maker_id, trader, maker, expiry):
        self.exchange, self.taker_id, self.key, self.caller = exchange, taker_id, maker, trader
        legs = [(option(expiry, 2000), False, 2 * WAD, 60 * WAD), (option(expiry, 2100), True, 2 * WAD, 40 * WAD)]
        self.quote = [maker_id, 0, [*legs, (perp(), True, WAD, 1900 * WAD)], 3, chain[-1].timestamp + 60]
        self.quote += [maker.address, 0, 0]

    def leg(self, at, **changed):
        names = ("instrument", "is_buy", "quantity", "price")
        self.quote[LEGS][at] = tuple({**dict(zip(names, self.quote[LEGS][at], strict=True)), **changed}.values())

    def sign(self, chain_id=0):
        return sign_quote(self.exchange, self.key, tuple(self.quote), chain_id)

    def take(self, signature=None, max_fee=0):
        values = (self.quote, signature or self.sign(), self.taker_id, max_fee)
        return self.exchange.fillQuote(*values, {"from": self.caller})


@pytest.fixture
def request_(exchange, buyer, seller, trader, maker, expiry):
    return Request(exchange, buyer, seller, trader, maker, expiry)


def test_fill_quote__three_legs__book_at_once(ledger, exchange, request_, trader, buyer, seller, expiry):
    before = stored_total(ledger)
    tx = request_.take()
    digest = exchange.hashOfQuote(request_.quote)
    assert tx.events["QuoteFilled"] == {"digest": digest, "makerId": seller, "takerId": buyer, "caller": trader}
    legs = [dict(e) for e in tx.events["Settled"]]
    assert [(e["buyerId"], e["priceWad"], e["buyerIsMaker"]) for e in legs] == [
        (buyer, 60 * WAD, False),
        (seller, 40 * WAD, True),
        (seller, 1900 * WAD, True),
    ]
    assert [(str(e["buyHash"]), str(e["sellHash"])) for e in legs] == [
        (NO_DIGEST, str(digest)),
        (str(digest), NO_DIGEST),
        (str(digest), NO_DIGEST),
    ]
    assert words(ledger, buyer) == [
        option(expiry, 2000, quantity_wad=2 * WAD),
        option(expiry, 2100, quantity_wad=-2 * WAD),
        perp(1900, -WAD),
    ]
    assert (ledger.cashOf(buyer), ledger.cashOf(seller)) == (FUNDS_WAD - 40 * WAD, FUNDS_WAD + 40 * WAD)
    assert stored_total(ledger) == before


def test_fill_quote__again__reverts_Overfilled(exchange, request_):
    signature = request_.sign()
    request_.take(signature)
    assert exchange.filledOf(exchange.hashOfQuote(request_.quote)) == 3
    with reverts_with("Exchange__Overfilled", 3, 0):
        request_.take(signature)
    request_.quote[NONCE] = 4
    request_.take()


@pytest.mark.parametrize("count", [1, 8])
def test_fill_quote__one_to_eight_legs__fill(ledger, request_, buyer, expiry, count):
    request_.quote[LEGS] = [(option(expiry, 2000 + i), False, WAD, WAD) for i in range(count)]
    request_.take()
    assert len(words(ledger, buyer)) == count


@pytest.mark.parametrize("count", [0, 9])
def test_fill_quote__no_legs_or_nine__reverts_BadLegCount(request_, expiry, count):
    request_.quote[LEGS] = [(option(expiry, 2000 + i), False, WAD, WAD) for i in range(count)]
    with reverts_with("Exchange__BadLegCount", count, 8):
        request_.take()


def test_fill_quote__one_instrument_twice__reverts_DuplicateLeg(request_, expiry):
    request_.leg(2, instrument=option(expiry, 2000))
    with reverts_with("Exchange__DuplicateLeg", 0, 2):
        request_.take()
    # Neither an entry price nor the other side makes another perpetual.
    request_.leg(2, instrument=perp())
    request_.leg(0, instrument=perp(7))
    with reverts_with("Exchange__DuplicateLeg", 0, 2):
        request_.take()
    request_.leg(0, instrument=option(expiry, 2000, Kind.PUT))
    request_.leg(1, instrument=option(expiry, 2000))
    request_.leg(2, instrument=future(expiry))
    request_.take()


@pytest.mark.parametrize(
    ("changed", "name", "args"),
    [
        ({"quantity": 0}, "Exchange__ZeroQuantity", (0, 1)),
        ({"quantity": MAX_WAD + 1}, "Exchange__QuantityTooLarge", (MAX_WAD + 1, MAX_WAD)),
        ({"quantity": 2**256 - 1}, "Exchange__QuantityTooLarge", (2**256 - 1, MAX_WAD)),
        ({"price": 0}, "Exchange__PriceOutOfRange", (0, (2**71 - 1) * 10**10)),
        ({"price": WAD + 1}, "Exchange__PriceStep", (WAD + 1, 10**10)),
    ],
)
def test_fill_quote__bad_leg__reverts_and_books_nothing(ledger, request_, buyer, changed, name, args):
    good = request_.quote[LEGS][2]
    request_.leg(2, **changed)
    with reverts_with(name, *args):
        request_.take()
    assert words(ledger, buyer) == []
    request_.quote[LEGS][2] = good
    request_.take()


def test_fill_quote__expired_leg__reverts_InstrumentExpired(request_):
    request_.leg(1, instrument=option(chain[-1].timestamp, 2000))
    with reverts_with("Exchange__InstrumentExpired"):
        request_.take()


def test_fill_quote__out_of_date__reverts_OrderExpired(request_):
    request_.quote[UNTIL] = chain[-1].timestamp - 1
    with reverts_with("Exchange__OrderExpired"):
        request_.take()


def test_fill_quote__own_quote__reverts_SelfTrade(ledger, request_, trader, seller):
    request_.taker_id = seller
    with reverts_with("Exchange__SelfTrade", seller, seller):
        request_.take()


def test_fill_quote__for_another_account__reverts_WrongTaker(request_, buyer):
    request_.quote[TAKER] = 9
    with reverts_with("Exchange__WrongTaker", buyer, 9):
        request_.take()
    request_.quote[TAKER] = buyer
    request_.take()


@pytest.mark.parametrize("how", ["key", "chain", "tampered", "malleable", "order"])
def test_fill_quote__not_signed_by_its_signer__reverts_BadSignature(request_, exchange, trader, maker, seller, how):
    signature = request_.sign()
    if how == "key":
        request_.key = trader
        signature = request_.sign()
    if how == "chain":
        signature = request_.sign(chain_id=5)
    if how == "tampered":
        request_.leg(1, price=WAD)
    if how == "malleable":
        order_n = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
        s = order_n - int.from_bytes(signature[32:64], "big")
        signature = signature[:32] + s.to_bytes(32, "big") + bytes([55 - signature[64]])
    if how == "order":
        order = (seller, perp(), True, WAD, WAD, 3, request_.quote[UNTIL], maker.address, *PLAIN)
        signature = sign_order(exchange, maker, order)
    with reverts_with("Exchange__BadSignature"):
        request_.take(signature)


def test_fill_quote__contract_wallet__asks_erc1271(ledger, governor, request_, trader, maker, seller):
    wallet = governor.deploy(WalletStub, maker)
    ledger.transferFrom(maker, wallet, seller, {"from": maker})
    request_.quote[SIGNER], request_.quote[TRANSFERS] = wallet.address, 1
    request_.key = trader
    with reverts_with("Exchange__BadSignature", shown(trader), seller):
        request_.take()
    request_.key = maker
    request_.take()


def test_fill_quote__account_sold__void_and_stays_so_when_it_comes_back(
    ledger, request_, stranger, trader, maker, buyer, seller
):
    signature = request_.sign()
    ledger.transferFrom(maker, stranger, seller, {"from": maker})
    with reverts_with("Exchange__Transferred", 1, 0):
        request_.take(signature)
    ledger.transferFrom(stranger, maker, seller, {"from": stranger})
    with reverts_with("Exchange__Transferred", 2, 0):
        request_.take(signature)
    request_.quote[TRANSFERS] = 2
    with reverts_with("Exchange__BadSignature"):
        request_.take(signature)
    # The taker acts at this moment: how often its account changed hands before is nothing to the quote.
    ledger.transferFrom(trader, stranger, buyer, {"from": trader})
    request_.caller = stranger
    request_.take()


@pytest.mark.parametrize("bulk", [False, True])
def test_fill_quote__cancelled__reverts_Cancelled(exchange, request_, maker, bulk):
    if bulk:
        exchange.cancelBelow(4, {"from": maker})
    else:
        exchange.cancel(3, {"from": maker})
    with reverts_with("Exchange__Cancelled", shown(maker), 3):
        request_.take()
    request_.quote[NONCE] = 4
    request_.take()


def test_fill_quote__caller_may_not_act_for_the_taker__reverts_NotDelegate(ledger, request_, stranger, trader, buyer):
    request_.caller = stranger
    with reverts_with("Delegation__NotDelegate", shown(stranger), buyer):
        request_.take()
    ledger.approve(stranger, buyer, {"from": trader})
    request_.take()


def test_fill_quote__delegate_takes__needs_the_terms_for_every_leg(delegation, request_, stranger, trader, buyer):
    until = chain[-1].timestamp + 600
    delegation.grant(buyer, stranger, terms(until, kinds=CALL), {"from": trader})
    request_.caller = stranger
    with reverts_with("Delegation__KindNotAllowed", 3, CALL):
        request_.take()
    delegation.grant(buyer, stranger, terms(until, kinds=CALL | PERP), {"from": trader})
    assert len(request_.take().events["DelegateTraded"].keys()) == 4  # one event of four fields, whatever the legs


def test_fill_quote__delegate_quotes__needs_the_terms_for_every_leg(delegation, request_, stranger, maker, seller):
    until = chain[-1].timestamp + 600
    key = request_.caller
    request_.key, request_.quote[SIGNER] = key, key.address
    delegation.grant(seller, key, terms(until, kinds=CALL), {"from": maker})
    with reverts_with("Delegation__KindNotAllowed", 3, CALL):
        request_.take()
    delegation.grant(seller, key, terms(until), {"from": maker})
    assert len(request_.take().events["DelegateTraded"].keys()) == 4  # one event of four fields, whatever the legs


@pytest.mark.parametrize("side", ["buyer", "seller"])
def test_fill_quote__one_side_too_weak__reverts_BelowInitial(request, ledger, margin, request_, stranger, buyer, side):
    margin.setInitial(request.getfixturevalue(side), 9, {"from": stranger})
    with reverts_with("MarginEngine__BelowInitial", 0, 9):
        request_.take()
    assert words(ledger, buyer) == []


def test_fill_quote__fees__each_leg_pays_and_cash_is_conserved(ledger, exchange, governor, request_, buyer, seller):
    exchange.setFeeCaps((10**16, 10**17), {"from": governor})
    exchange.setFees((10**14, 2 * 10**14, 10**16, 2 * 10**16), {"from": governor})
    request_.quote[MAX_FEE] = 10**16 - 1
    with reverts_with("Exchange__FeeAboveLimit", 10**16, 10**16 - 1):
        request_.take(max_fee=2 * 10**16)
    request_.quote[MAX_FEE] = 10**16
    with reverts_with("Exchange__FeeAboveLimit", 2 * 10**16, 2 * 10**16 - 1):
        request_.take(max_fee=2 * 10**16 - 1)
    before, held = stored_total(ledger), ledger.cashOf(1)
    assert len(request_.take(max_fee=2 * 10**16).events["FeePaid"]) == 6
    maker_fee = 200 * 10**16 + 1900 * 10**14
    assert ledger.cashOf(seller) == FUNDS_WAD + 40 * WAD - maker_fee
    assert ledger.cashOf(buyer) == FUNDS_WAD - 40 * WAD - 2 * maker_fee
    assert ledger.cashOf(1) == held + 3 * maker_fee
    assert stored_total(ledger) == before


def test_fill_quote__paused__reverts_ExpiringPause__Paused(exchange, request_, governor):
    exchange.pause({"from": governor})
    with reverts_with("ExpiringPause__Paused"):
        request_.take()
    exchange.unpause({"from": governor})
    request_.take()


def test_fill_quote__account_at_the_position_limit__closing_leg_first_makes_room(
    ledger, module, request_, buyer, expiry
):
    for i in range(128):
        ledger.applyTrade((buyer, 1, option(expiry, 3000 + i), WAD, 1), {"from": module})
    opening = (option(expiry, 2000), False, WAD, WAD)
    closing = (option(expiry, 3000), True, WAD, WAD)
    request_.quote[LEGS] = [opening, closing]
    with reverts_with("Accounts__TooManyPositions", 129, 128):
        request_.take()
    request_.quote[LEGS] = [closing, opening]
    request_.take()
    assert len(words(ledger, buyer)) == 128
