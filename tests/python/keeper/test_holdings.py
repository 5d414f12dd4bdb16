"""Holders that are kept with the changes are those that a fresh count finds, whatever happened in between."""

from __future__ import annotations

import random
from copy import deepcopy

from plimsoll.chain.words import Word, pack, unpack
from plimsoll.constants import WAD
from plimsoll.index.ledger import Ledger
from plimsoll.index.state import AccountState, State
from plimsoll.index.touches import ABSENT
from plimsoll.keeper.holdings import Holdings
from plimsoll.model import Kind

UNDERLYINGS = {"ETH": 1, "BTC": 2}
#: One of an underlying that the deployment does not name.
LATER = 7
NUMBERS = (1, 2, LATER)
EXPIRIES = (100, 200, 2**40 - 1)
TOKENS = (0, 1, 9)
KINDS = (Kind.CALL, Kind.PUT, Kind.FUTURE)


def word(draw):
    """Draw a position of any underlying, some of them perpetual."""
    if draw.random() < 0.3:
        return pack(Word(draw.choice(NUMBERS), Kind.PERP, 0, -5, -WAD))
    return pack(Word(draw.choice(NUMBERS), draw.choice(KINDS), draw.choice(EXPIRIES), 10**8, -WAD))


def account(draw):
    """Draw an account of a few positions and tokens."""
    words = [word(draw) for _ in range(draw.randrange(4))]
    held = {number: WAD for number in draw.sample(TOKENS, draw.randrange(3))}
    return AccountState("0x", 0, WAD, draw.randrange(-5, 5), held, words)


def assert_counted(kept, state):
    """Compare everything that is asked of holdings with a walk over all accounts."""
    held = {number: [unpack(packed) for packed in account.words] for number, account in state.accounts.items()}
    assert kept.account_ids == {number for number, words in held.items() if words}
    for wanted in NUMBERS:
        assert kept.in_underlyings([wanted]) == {
            number for number, words in held.items() if any(w.underlying_id == wanted for w in words)
        }
    for token_id in TOKENS:
        assert kept.with_tokens([token_id]) == {n for n, one in state.accounts.items() if token_id in one.collateral}
    names = {1: "ETH", 2: "BTC", LATER: f"#{LATER}"}
    series = {(names[w.underlying_id], w.expiry_ts) for words in held.values() for w in words if w.expiry_ts}
    expiries = {"ETH": set(), "BTC": set()}
    for name, expiry_ts in series:
        expiries.setdefault(name, set()).add(expiry_ts)
    assert kept.expiries(UNDERLYINGS) == expiries
    for now_ts in (99, 100, 250):
        assert kept.expired(UNDERLYINGS, now_ts) == {
            (name, expiry_ts): tuple(
                sorted(
                    number
                    for number, words in held.items()
                    if any((names[w.underlying_id], w.expiry_ts) == (name, expiry_ts) for w in words)
                )
            )
            for name, expiry_ts in series
            if expiry_ts <= now_ts
        }


def test_holdings__random_changes_and_reorganisations__equal_a_fresh_count():
    draw = random.Random(3)
    ledger, kept = Ledger(State()), Holdings()
    at = {0: deepcopy(ledger.state.accounts)}
    number, closed, rolled = 0, 0, 0
    for _ in range(400):
        if number > 5 and draw.random() < 0.2:
            number -= draw.randrange(1, 5)
            ledger.roll_back(number, 0)
            rolled += 1
            assert ledger.state.accounts == at[number]
        else:
            number += 1
            for _ in range(draw.randrange(1, 4)):
                account_id = draw.randrange(12)
                is_closed = draw.random() < 0.3
                closed += is_closed and account_id in ledger.state.accounts
                ledger.put(number, ("accounts", account_id), ABSENT if is_closed else account(draw))
            at[number] = deepcopy(ledger.state.accounts)
        # Not after every block: changes of several, and their way back, may come at once.
        if draw.random() < 0.5:
            kept.take(ledger.state, ledger.take_changed())
            assert_counted(kept, ledger.state)
    assert rolled > 20
    assert closed > 50
    kept.take(ledger.state, ledger.take_changed())
    assert_counted(Holdings.of(ledger.state), ledger.state)
    assert_counted(kept, ledger.state)


def test_holdings__everybody_closed__nothing_is_left_of_them():
    draw, state = random.Random(1), State()
    state.accounts = {number: account(draw) for number in range(50)}
    kept, ids = Holdings.of(state), list(state.accounts)
    state.accounts = {}
    kept.take(state, ids)
    assert (kept._held, kept._series, kept._tokens) == ({}, {}, {})
