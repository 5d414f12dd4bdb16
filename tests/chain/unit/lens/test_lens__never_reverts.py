"""Views over many accounts answer whatever became of one of them; a closed account alone is refused by name."""

from __future__ import annotations

import pytest
from brownie import Auction, Lens, accounts, chain, web3
from brownie.test import given, strategy
from hypothesis import settings

from tests.chain.helpers.errors import reverts_with
from tests.chain.helpers.ledger import WAD, future, perp
from tests.chain.helpers.signed import numbers

ALL = 2**256 - 1
NOBODY = "0x" + "0" * 40
#: Code that answers any call with the largest number, and none at all.
BOASTS, GONE = "0x5f195f5260205ff3", "0x"
PRICE = 50 * WAD
WEEK_SEC = 7 * 86_400


@pytest.fixture(scope="module")
def lens(governor, authority, ledger, margin, oracle):
    nothing = ledger.address
    auction = governor.deploy(Auction, authority, ledger, margin, nothing, nothing, nothing)
    return governor.deploy(Lens, ledger, oracle, auction)


class Life:
    """Accounts that come, trade, change hands, settle and go, by a list of numbers."""

    def __init__(self, ledger, module, settlement, oracle, owners):
        self.ledger, self.module, self.settlement, self.oracle = ledger, module, settlement, oracle
        self.owners, self.ids, self.closed = owners, [], []
        self.expiry = chain[-1].timestamp + WEEK_SEC

    def step(self, number):
        acts = (self.open, self.fund, self.trade, self.hand_over, self.settle, self.close)
        if len(self.ids) < 2:
            self.open(number)
        else:
            acts[number % len(acts)](number // len(acts))

    def pick(self, number):
        return self.ids[number % len(self.ids)]

    def open(self, number):
        owner = self.owners[number % 2]
        self.ids.append(self.ledger.open(owner, number % 3, {"from": owner}).return_value)

    def fund(self, number):
        self.ledger.creditToken(self.pick(number), number % 3, WAD, {"from": self.module})

    def trade(self, number):
        pair = self.pick(number), self.pick(number + 1)
        word = future(self.expiry) if number % 2 and self.expiry > chain[-1].timestamp + 60 else perp()
        self.ledger.applyTrade((*pair, word, WAD, PRICE), {"from": self.module})

    def hand_over(self, number):
        account = self.pick(number)
        owner = self.ledger.ownerOf(account)
        other = next(o for o in self.owners if o != owner)
        self.ledger.transferFrom(owner, other, account, {"from": owner})

    def settle(self, number):
        if self.expiry > chain[-1].timestamp:
            chain.sleep(max(self.expiry - chain.time(), 1))
            chain.mine()
            self.oracle.setPrice(1, self.expiry, PRICE + number, {"from": self.module})
        self.settlement.settle(1, self.expiry, self.ids, {"from": self.module})

    def close(self, number):
        """Empty an account the way a module can, and close it."""
        account = self.pick(number)
        holder = self.ledger.snapshotOf(account)
        if holder["positions"] or holder["cashWad"] < 0:
            return
        for token, amount in zip(holder["tokenIds"], holder["amountsWad"], strict=True):
            self.ledger.debitToken(account, token, amount, {"from": self.module})
        if holder["cashWad"]:
            self.ledger.debitToken(account, 0, holder["cashWad"], {"from": self.module})
        self.ledger.close(account, {"from": self.ledger.ownerOf(account)})
        self.ids.remove(account)
        self.closed.append(account)


@given(numbers_=strategy("uint8[12]"))
@settings(max_examples=12)
def test_views__after_any_life_of_accounts__answer(
    lens, vault, ledger, module, settlement, oracle, exchange, delegation, operators, trader, maker, numbers_
):
    life = Life(ledger, module, settlement, oracle, (trader, maker))
    # The first two lines of every life are the case that was found: one account opened and closed.
    life.open(0)
    life.close(0)
    for number in numbers_:
        life.step(int(number))
    last = ledger.nextAccountId()
    page = lens.accountsOf(0, ALL)
    assert [entry[0] for entry in page] == list(range(last))
    assert {entry[0] for entry in page if entry[1] == NOBODY} == set(life.closed) != set()
    whole = [numbers(entry) for entry in lens.custodyOf(vault, 0, ALL)]
    assert whole[0][1] == lens.storedCashWad(0, ALL) == lens.conservation(vault)[0]
    for token in (1, 2):
        held = sum(sum(a for t, a in zip(e[2][2], e[2][3], strict=True) if t == token) for e in page)
        assert whole[token][1] == held
    for account in range(last):
        # What concerns one account answers for every id that ever was.
        ledger.storedCashOf(account)
        ledger.transferCountOf(account)
        numbers(delegation.grantOf(account, trader))
        numbers(operators.grantOf(account, trader))
        operators.allowanceOf(account, trader, 0)
        assert not ledger.isAuthorised(account, accounts[9])
    for account in life.closed:
        with reverts_with("Accounts__UnknownAccount", account, last):
            ledger.snapshotOf(account)


def test_custody__pages__add_up_to_the_whole(lens, vault, ledger, module, trader, buyer, seller):
    ledger.creditToken(buyer, 2, 3 * WAD, {"from": module})
    ledger.creditToken(seller, 2, 4 * WAD, {"from": module})
    whole = [numbers(entry) for entry in lens.custodyOf(vault, 0, ALL)]
    parts = [[numbers(entry) for entry in lens.custodyOf(vault, account, 1)] for account in range(seller + 1)]
    for token in range(len(whole)):
        assert sum(part[token][1] for part in parts) == whole[token][1]
    assert whole[2][1] == 7 * WAD
    end = ledger.nextAccountId()
    with reverts_with("Lens__BadPage", end, end):
        lens.custodyOf(vault, end, 1)


@pytest.mark.parametrize(("code", "balance"), [(BOASTS, ALL), (GONE, 0)])
def test_custody__token_that_went_bad__leaves_the_others_readable(
    lens, vault, usdc, weth, ledger, module, trader, buyer, code, balance
):
    weth.mint(vault, 5, {"from": trader})
    web3.provider.make_request("anvil_setCode", [usdc.address, code])
    whole = [numbers(entry) for entry in lens.custodyOf(vault, 0, ALL)]
    assert whole[0][3] == balance
    assert whole[2][3] == 5
    assert lens.conservation(vault)[4] == balance
