"""An intent from its signature to its fill: signed by a wallet, kept by the venue, found and filled by a keeper."""

from __future__ import annotations

import time

import pytest
from helpers.keeper_runs import Process, keystore, until, write_config

from plimsoll.client.client import sign_typed
from plimsoll.client.schema.rfq import DeltaIntent, GiveDelta, IntentAccepted
from plimsoll.constants import WAD
from plimsoll.keeper.signed_intents import read_intents
from plimsoll.model import Mode

PERP, HELD = "ETH-PERP", 20


@pytest.fixture
def keeper(running, chain, tmp_path):
    """A keeper that reads the venue's intents and fills them from an account of its own."""
    solver = chain.world.open("solver", Mode.SINGLE, 200_000.0, by_permit=False)
    lines = (
        "[solver]",
        f'intents = "{running.url}/api/intents"',
        f"account = {solver.account_id}",
        "[solver.key]",
        'keystore = "solver.json"',
        'pass_file = "password"',
    )
    path = write_config(tmp_path, chain, chain.world.funded_wallet("calm keeper"), *lines)
    keystore(tmp_path, "solver", solver.wallet)
    process = Process(path, tmp_path / "keeper.log")
    yield solver, process
    process.end()


def held_wad(who):
    """Perpetuals that an account has, by the venue."""
    return {one.name: one.quantityWad for one in who.venue.account(who.account_id).positions}.get(PERP, 0)


def open_intents(who, chain):
    """Digests of the intents that the venue keeps."""
    document = who.venue.transport._send("GET", "/intents", None, {}).decode()
    return [one.digest for one in read_intents(document, "venue", chain.deployment)[0]]


def test_intent__signed_and_given_to_the_venue__is_filled_by_a_keeper_and_leaves_the_venue(anna, ben, chain, keeper):
    solver, process = keeper
    anna.place(PERP, HELD, 1_900)
    ben.place(PERP, -HELD, 1_900)
    until(lambda: held_wad(anna) == HELD * WAD, lambda: held_wad(anna))
    chain.world.contract("Accounts").send(anna.wallet, "setApprovalForAll", chain.deployment.contracts["Intents"], True)
    message = {
        "accountId": anna.account_id,
        "underlyingId": chain.deployment.underlyings["ETH"],
        "kinds": 8,
        "minDeltaWad": 4 * WAD,
        "maxDeltaWad": 6 * WAD,
        "maxCostWad": 40 * WAD,
        "minExcessWad": 0,
        "transferCount": 0,
        "nonce": time.time_ns(),
        "expiryTs": anna.venue.account(anna.account_id).blockTs + 3_600,
        "signer": anna.wallet.address,
    }
    body = GiveDelta.model_construct(
        kind="delta",
        intent=DeltaIntent.model_construct(**message),
        signature=sign_typed(anna.wallet, anna.venue.config.deltaIntent, message),
    )
    accepted = anna.venue.transport.post("/intents", body, IntentAccepted)
    assert open_intents(anna, chain) == [accepted.digest]
    until(lambda: not open_intents(anna, chain), lambda: process.log.read_text()[-3_000:], 90.0)
    assert chain.world.contract("Intents").call("isFilled", bytes.fromhex(accepted.digest[2:]))
    until(lambda: held_wad(anna) < HELD * WAD, lambda: held_wad(anna))
    assert 4 * WAD <= held_wad(anna) <= 6 * WAD + WAD // 1_000
    theirs = {one.name: one.quantityWad for one in anna.venue.account(solver.account_id).positions}
    assert theirs[PERP] == HELD * WAD - held_wad(anna)
