"""The grants that the index rebuilds from events alone equal those of the contract."""

from __future__ import annotations

from brownie import accounts, chain, web3

from plimsoll.chain.client import Client
from plimsoll.index.reader import LogReader
from plimsoll.index.state import State, apply
from tests.chain.helpers.delegation import limits, terms
from tests.chain.helpers.ledger import WAD, perp
from tests.chain.helpers.orders import PLAIN, sign_order
from tests.chain.helpers.signed import numbers


def test_replay__grants_revocations_fills_and_transfers__equal_the_contract(
    ledger, delegation, exchange, module, trader, maker, stranger, buyer, seller
):
    until = chain[-1].timestamp + 999
    key, gone = accounts.add(), accounts.add()
    delegation.grant(buyer, key, terms(until, limits(1, 2, 3, 4)), {"from": trader})
    delegation.grant(buyer, key, terms(until, limits(1), limits(7, 5, 6, 7), kinds=9), {"from": trader})
    delegation.grant(buyer, gone, terms(until), {"from": trader})
    delegation.revoke(buyer, gone, {"from": gone})
    delegation.grant(seller, gone, terms(until), {"from": maker})
    orders = [(buyer, perp(), True, WAD, WAD, 1, until, key.address, *PLAIN)]
    orders.append((seller, perp(), False, WAD, WAD, 1, until, gone.address, *PLAIN))
    signed = [sign_order(exchange, k, order) for k, order in zip((key, gone), orders, strict=True)]
    exchange.settle(orders[0], signed[0], orders[1], signed[1], WAD, {"from": module})
    ledger.transferFrom(maker, stranger, seller, {"from": maker})

    client = Client(web3.provider.endpoint_uri)
    reader = LogReader(client, {"Accounts": ledger.address, "Delegation": delegation.address})
    state = State()
    for event in reader.read(0, len(chain) - 1):
        apply(state, event)
    assert {(account, delegate.lower()) for account, delegate in state.grants} == {(buyer, key.address.lower())}
    ((_, found),) = state.grants.items()
    _, _, until_ts, kinds, max_loss, loss = numbers(delegation.grantOf(buyer, key))
    assert [found.until_ts, found.kinds, found.max_loss_wad, found.loss_wad] == [until_ts, kinds, max_loss, loss]
    for underlying_id, held in found.limits.items():
        assert [underlying_id, *held] == numbers(delegation.limitsOf(buyer, key, underlying_id))
    assert set(found.limits) == {1, 7}
