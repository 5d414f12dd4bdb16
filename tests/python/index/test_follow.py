"""The index follows a real chain into real databases: growth, reorganisations, finality, restarts."""

from __future__ import annotations

import pytest
from helpers.emitter import cash, fake_deployment, position, record
from sqlalchemy import event, func, select

from plimsoll.chain.words import Word, pack
from plimsoll.constants import WAD
from plimsoll.errors import InputError, UnavailableError
from plimsoll.index.columns import columns_of
from plimsoll.index.tables import ACCOUNTS, BLOCKS, EVENTS
from plimsoll.model import Kind

LONG = pack(Word(1, Kind.CALL, 1_800_000_000, 2_000 * 10**8, WAD))
SHORT = pack(Word(1, Kind.CALL, 1_800_000_000, 2_000 * 10**8, -WAD))


def count(engine, table):
    with engine.connect() as connection:
        return connection.scalar(select(func.count()).select_from(table))


def test_sync__new_blocks__fold_into_the_state_and_survive_a_restart(chain, database, follow):
    chain.open(2, 3)
    chain.emit(cash(2, 5 * WAD), position(2, 0, LONG), position(3, 0, SHORT))
    first = follow(chain.client.url, database)
    done = first.sync()
    assert (done.new_events, done.block_number, done.corrected) == (5, 2, 0)
    assert (first.state.accounts[2].cash_wad, first.state.accounts[2].words) == (5 * WAD, [LONG])
    chain.emit(position(2, LONG, 0))
    assert first.sync().new_events == 1
    again = follow(chain.client.url, database)
    assert again.state == first.state
    assert again.sync().new_events == 0
    assert again.state.accounts[3].words == [SHORT]


def test_sync__nothing_new__writes_and_asks_nothing_more(chain, proxy, database, follow):
    chain.open(2)
    follower = follow(proxy.url, database)
    follower.sync()
    asked = sum(proxy.seen.values())
    follower.sync()
    assert sum(proxy.seen.values()) - asked == 1


@pytest.mark.parametrize("depth", [1, 5, 300])
def test_sync__reorganisation__goes_back_to_the_fork_and_replays(chain, database, follow, depth):
    chain.open(2)
    chain.cash(2, [WAD])
    fork, snapshot = chain.client.block_number(), chain.client.rpc("evm_snapshot")
    chain.cash(2, [2 * WAD])
    chain.client.rpc("anvil_mine", hex(depth))
    follower = follow(chain.client.url, database)
    follower.sync()
    chain.client.rpc("evm_revert", snapshot)
    chain.emit(cash(2, 777 * WAD), position(2, 0, LONG))
    chain.client.rpc("anvil_mine", hex(depth + 1))
    done = follower.sync()
    assert done.rolled_back_to == fork
    assert (follower.state.accounts[2].cash_wad, follower.state.accounts[2].words) == (777 * WAD, [LONG])
    fresh = follow(chain.client.url, "sqlite://")
    fresh.sync()
    assert fresh.state == follower.state
    assert follow(chain.client.url, database).state == follower.state


def test_sync__reorganisation_while_away__is_found_at_the_start(chain, database, follow):
    chain.open(2)
    for amount in range(1, 6):
        chain.cash(2, [amount * WAD])
    follow(chain.client.url, database).sync()
    chain.client.rpc("anvil_reorg", 4, [])
    again = follow(chain.client.url, database)
    assert again.sync().rolled_back_to == 2
    assert again.state.accounts[2].cash_wad == WAD


def test_sync__final_blocks__become_the_base_and_leave_no_headers(chain, database, follow):
    chain.open(2, 3)
    for amount in range(1, 21):
        chain.cash(2, [amount * WAD])
    follower = follow(chain.client.url, database, final_depth=5)
    follower.sync()
    assert (follower.index.base.number, follower.index.head.number) == (16, 21)
    assert (count(follower.engine, BLOCKS), count(follower.engine, EVENTS), count(follower.engine, ACCOUNTS)) == (
        5,
        22,
        2,
    )
    chain.cash(2, [99 * WAD])
    follower.sync()
    assert follower.index.base.number == 17
    with follower.engine.connect() as connection:
        stored = connection.scalar(select(ACCOUNTS.c.cash_wad).where(ACCOUNTS.c.account_id == 2))
    assert stored == 16 * WAD
    assert follow(chain.client.url, database, final_depth=5).state == follower.state


def test_sync__settlement_that_is_final__is_in_the_base_without_waiting_for_more_blocks(chain, database, follow):
    """The fault: the base moved every sixteen blocks, and on a chain that stood still holders waited for ever."""
    chain.open(2)
    follower = follow(chain.client.url, database, final_depth=1, final_step=50)
    price = record("Oracle", "SettlementPosted", underlyingId=1, expiryTs=1_800, priceWad=7, source=0)
    chain.emit(price, contract="Oracle")
    follower.sync()
    assert follower.index.ledger.changed_since_final("settled") == {(1, 1_800)}
    chain.cash(2, [5])
    follower.sync()
    assert follower.index.ledger.changed_since_final("settled") == set()
    assert follower.state.settled == {(1, 1_800): 7}
    base = follower.index.base.number
    chain.cash(2, [6])
    follower.sync()
    assert follower.index.base.number == base


def test_sync__fork_below_the_final_block__is_one_clear_error(chain, database, follow):
    chain.open(2)
    for amount in range(1, 11):
        chain.cash(2, [amount * WAD])
    follower = follow(chain.client.url, database, final_depth=2)
    follower.sync()
    chain.client.rpc("anvil_reorg", 8, [])
    chain.cash(2, [WAD])
    with pytest.raises(UnavailableError, match="forked below block 9, which was final"):
        follower.sync()
    assert follower.state.accounts[2].cash_wad == 10 * WAD


def test_sync__long_pause__catches_up_through_the_final_blocks(chain, database, follow):
    chain.open(2)
    for amount in range(1, 5):
        chain.cash(2, [amount * WAD])
    follower = follow(chain.client.url, database, final_depth=10)
    follower.sync()
    assert follower.index.base.number == -1
    for amount in range(5, 60):
        chain.cash(2, [amount * WAD])
    follower.sync()
    assert (follower.index.base.number, follower.state.accounts[2].cash_wad) == (50, 59 * WAD)


def test_index__database_of_another_deployment__is_refused(chain, database, follow):
    from dataclasses import replace

    follow(chain.client.url, database)
    other = replace(fake_deployment(), chain_id=5)
    with pytest.raises(InputError, match="holds the index of chain 31337, not of 5"):
        follow(chain.client.url, database, deployment=other)


def test_index__state_of_another_fold__is_made_anew_from_the_events(chain, database, follow):
    from sqlalchemy import update

    from plimsoll.index.tables import META

    chain.open(2)
    chain.cash(2, [7 * WAD])
    for _ in range(3):
        chain.cash(2, [8 * WAD])
    follower = follow(chain.client.url, database, final_depth=1)
    follower.sync()
    with follower.engine.begin() as connection:
        connection.execute(update(META).where(META.c.key == "fold").values(value="0"))
        connection.execute(update(ACCOUNTS).values(cash_wad=1))
    assert follow(chain.client.url, database, final_depth=1).state == follower.state


def test_sync__event_that_does_not_fit__leaves_its_account_suspect_and_goes_on(chain, database, follow):
    chain.open(2, 3)
    chain.emit(position(2, LONG, SHORT), cash(3, WAD))
    follower = follow(chain.client.url, database)
    follower.sync()
    assert set(follower.index.ledger.suspects) == {2}
    assert follower.state.accounts[3].cash_wad == WAD


def test_sync__new_block_without_events__rewrites_no_account_however_many_there_are(chain, database, follow):
    perp = pack(Word(1, Kind.PERP, 0, 10**8, WAD))
    for first in range(2, 1_202, 300):
        chain.open(*range(first, first + 300))
        chain.emit(*(position(account_id, 0, perp) for account_id in range(first, first + 300)))
    chain.client.rpc("anvil_mine", "0x3")
    follower = follow(chain.client.url, database, final_depth=2)
    follower.sync()
    written = []
    event.listen(follower.engine, "before_cursor_execute", lambda *found: written.append((found[2], found[3])))
    chain.client.rpc("anvil_mine", "0x1")
    follower.sync()
    chain.client.rpc("anvil_mine", "0x4")
    follower.sync()
    assert not [statement for statement, _ in written if "index_accounts" in statement]
    assert sum(len(rows) if isinstance(rows, list) else 1 for _, rows in written) < 40


def test_sync__token_and_underlying_that_the_artefact_does_not_know__are_followed(chain, database, follow):
    listed_later = pack(Word(200, Kind.PERP, 0, 10**8, -WAD))
    chain.open(2)
    held = record("Accounts", "CollateralChanged", accountId=2, tokenId=77, deltaWad=5, amountWad=5 * WAD)
    chain.emit(held, position(2, 0, listed_later))
    chain.emit(record("Oracle", "TokenPricePosted", tokenId=77, priceWad=3 * WAD, ts=5), contract="Oracle")
    follower = follow(chain.client.url, database)
    follower.sync()
    assert follower.state.token_prices[77] == (5, 3 * WAD)
    columns = columns_of(follower.state)
    assert (columns.token.tolist(), columns.amount.tolist(), columns.underlying.tolist()) == ([77], [5.0], [200])
    assert follow(chain.client.url, database).state == follower.state


def test_sync__long_backfill__tells_how_far_it_is(chain, database, follow):
    chain.open(2)
    for amount in range(10):
        chain.cash(2, [amount])
    told = []
    follower = follow(chain.client.url, database, final_depth=4, on_progress=told.append)
    follower.sync()
    assert [item.block_number for item in told] == [7, 11]
    assert (told[0].new_events, told[-1].new_events, told[-1].left_sec) == (7, 11, 0.0)
    assert told[0].events_per_sec > 0
    assert told[0].left_sec > 0
