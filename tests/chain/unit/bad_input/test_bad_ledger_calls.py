"""Bad calls of modules, each refused by its one named error, all storage as it was."""

from __future__ import annotations

from tests.chain.helpers.bad_input import MAX_WAD, Case, cases, check, trade
from tests.chain.helpers.ledger import WAD, perp

LEDGER = (
    Case("zero trade", "Accounts__ZeroAmount", lambda w: trade(w, quantity=0), lambda _: (0, 1)),
    Case(
        "zero credit",
        "Accounts__ZeroAmount",
        lambda w: w.ledger.creditToken(w.buyer, 0, 0, {"from": w.module}),
        lambda _: (0, 1),
    ),
    Case(
        "zero debit",
        "Accounts__ZeroAmount",
        lambda w: w.ledger.debitToken(w.buyer, 0, 0, {"from": w.module}),
        lambda _: (0, 1),
    ),
    Case(
        "zero slice",
        "Accounts__ZeroAmount",
        lambda w: w.ledger.transferSlice(w.buyer, w.seller, 0, 0, {"from": w.module}),
        lambda _: (0, 1),
    ),
    Case("self", "Accounts__SelfTrade", lambda w: trade(w, seller=w.buyer), lambda w: (w.buyer,)),
    Case(
        "slice to itself",
        "Accounts__SelfTrade",
        lambda w: w.ledger.transferSlice(w.buyer, w.buyer, WAD, 0, {"from": w.module}),
        lambda w: (w.buyer,),
    ),
    Case(
        "slice above the whole",
        "Accounts__BadFraction",
        lambda w: w.ledger.transferSlice(w.buyer, w.seller, WAD + 1, 0, {"from": w.module}),
        lambda _: (WAD + 1, WAD),
    ),
    Case(
        "quantity beyond a position",
        "Accounts__Overflow",
        lambda w: trade(w, quantity=MAX_WAD + 1),
        lambda _: (MAX_WAD + 1, MAX_WAD),
    ),
    Case(
        "collateral beyond a word",
        "Accounts__Overflow",
        lambda w: w.ledger.creditToken(w.buyer, 1, 2**256 - 1, {"from": w.module}),
        lambda _: (2**256 - 1, MAX_WAD),
    ),
    Case(
        "collateral beyond it together",
        "Accounts__Overflow",
        lambda w: w.ledger.creditToken(w.buyer, 1, 1, {"from": w.module}),
        lambda _: (MAX_WAD + 1, MAX_WAD),
        lambda w: w.ledger.creditToken(w.buyer, 1, MAX_WAD, {"from": w.module}),
    ),
    Case(
        "isolated cash beyond a word",
        "Accounts__Overflow",
        lambda w: w.ledger.isolate(w.buyer, perp(), 1, 0, 2**256 - 1, {"from": w.trader}),
        lambda _: (2**256 - 1, MAX_WAD),
        trade,
    ),
    Case(
        "isolated collateral beyond a word",
        "Accounts__Overflow",
        lambda w: w.ledger.isolate(w.buyer, perp(), 1, 2**256 - 1, 0, {"from": w.trader}),
        lambda _: (2**256 - 1, MAX_WAD),
        trade,
    ),
)


@cases(*LEDGER)
def test_ledger__bad__reverts_by_name_and_changes_nothing(world, case):
    check(case, world)
