"""Settlements in parts that fit one transaction; bids in slices that the bidder's margin carries."""

from __future__ import annotations

import pytest

from plimsoll.decide import Bid, Settle
from plimsoll.demo.keeper.sizing import TOO_LARGE, carried, in_parts
from plimsoll.keeper.sizing import MAX_BATCH_GAS
from plimsoll.transact import Outcome

PER_ACCOUNT = 1_125_000


class Chain:
    """Accounts of one cost each, some of which revert whatever holds them."""

    def __init__(self, *bad: int, per_account: int = PER_ACCOUNT) -> None:
        self.bad, self.per_account, self.probed = set(bad), per_account, 0

    def probe(self, part: Settle) -> Outcome:
        self.probed += 1
        if self.bad & set(part.account_ids):
            return Outcome(part.key, False, reason="Accounts__Overflow")
        return Outcome(part.key, True, gas_estimate=self.per_account * len(part.account_ids))


def parts(chain: Chain, count: int) -> list[tuple[int, ...]]:
    batch = Settle("ETH", 9, tuple(range(2, 2 + count)))
    return [part.account_ids for part in in_parts(batch, chain.probe)]


def test_in_parts__fits__goes_whole_after_one_probe():
    chain = Chain()
    assert parts(chain, 12) == [tuple(range(2, 14))]
    assert chain.probed == 1


def test_in_parts__twenty_full_accounts__no_part_needs_more_than_a_transaction_may():
    found = parts(Chain(), 20)
    assert [account for part in found for account in part] == list(range(2, 22))
    assert all(len(part) * PER_ACCOUNT <= MAX_BATCH_GAS for part in found)
    assert len(found) == 2


@pytest.mark.parametrize("bad", [(2,), (21,), (7, 8), (5, 14)])
def test_in_parts__bad_accounts__stand_alone_and_stop_no_other(bad):
    found = parts(Chain(*bad, per_account=1), 20)
    assert [account for part in found for account in part] == list(range(2, 22))
    assert {part for part in found if set(part) & set(bad)} == {(account,) for account in bad}


def test_in_parts__one_account__is_not_probed():
    chain = Chain(2)
    assert parts(chain, 1) == [(2,)]
    assert chain.probed == 0


def test_in_parts__later_probes__see_what_earlier_parts_left():
    """A part is sent before the next probe, so a generator and no list."""
    chain, sent = Chain(), 0
    for part in in_parts(Settle("ETH", 9, tuple(range(2, 34))), chain.probe):
        assert chain.probed <= 3 + sent
        sent += len(part.account_ids)
    assert sent == 32


BID = Bid(7, 3, True, 0.8, 400.0, 1, 0)


@pytest.mark.parametrize(
    ("room", "fraction"), [(1.0, 0.8), (0.8, 0.8), (0.79, 0.4), (0.1, 0.1), (0.06, 0.05), (0.04, 0.8)]
)
def test_carried__bidder_of_little_margin__takes_the_first_half_that_it_carries(room, fraction):
    def probe(bid: Bid) -> Outcome:
        fits = bid.fraction <= room
        return Outcome(bid.key, fits, reason="" if fits else f"Auction.bid: {TOO_LARGE}(1, 2)")

    found = carried(BID, probe)
    assert found.fraction == pytest.approx(fraction)
    assert found.limit / found.fraction == pytest.approx(BID.limit / BID.fraction)
    assert found.key == BID.key


@pytest.mark.parametrize("reason", ["Auction__NotOpen()", f"{TOO_LARGE}(1, 2)"])
def test_carried__refused_whatever_its_size__comes_back_as_decided(reason):
    assert carried(BID, lambda bid: Outcome(bid.key, False, reason=reason)) == BID
