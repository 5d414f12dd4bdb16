"""Tokens of one chain as collateral on another: the whole way and back, and every proof that is not one."""

from __future__ import annotations

import pytest

from plimsoll.chain.revert import RevertError
from plimsoll.errors import UnavailableError
from plimsoll.model import Mode
from plimsoll.remote.headers import header_at
from plimsoll.remote.proofs import locked_slot, prove
from plimsoll.remote.relay import as_tuple, carry_header, claim, release
from tests.chain.remote.conftest import CAP, FINAL, GOVERNOR, RELAYER, SIGNERS, WAD, finalise, signed


def opened(bridge, name, cash=10_000.0):
    holder = bridge.world.open(name, Mode.SINGLE, cash, by_permit=False, owner=bridge.wallet(name))
    return holder.wallet, holder.account_id


def proof_of(bridge, token, to, number):
    return as_tuple(prove(bridge.away, bridge.escrow.address, locked_slot(token, to), number))


def test_way_and_back__locked_counts_as_collateral_and_comes_home(bridge):
    owner, account_id = opened(bridge, "trader")
    engine = bridge.world.contract("MarginEngine")
    before = engine.call("marginOf", account_id).equityWad
    bridge.lock(owner, 5 * WAD)
    finalise(bridge.away)
    assert [entry.total_raw for entry in claim(bridge.inward, RELAYER)] == [5 * WAD]
    assert bridge.claim_token.call("balanceOf", owner.address) == 5 * WAD
    bridge.deposit(owner, 5 * WAD, account_id)
    after = engine.call("marginOf", account_id).equityWad
    # 5 at a spot of 1,900 less the linked haircut of 5 %.
    assert (after - before) / WAD == pytest.approx(5 * 1_900 * 0.95)
    vault = bridge.world.contract("Vault")
    held = bridge.token.call("balanceOf", bridge.escrow.address)
    vault.send(owner, "withdraw", account_id, bridge.claim_token.address, 3 * WAD, owner.address)
    receiver = bridge.wallet("receiver").address
    bridge.claims.send(owner, "redeem", bridge.token.address, 3 * WAD, receiver)
    finalise(bridge.home)
    assert [entry.total_raw for entry in release(bridge.outward, RELAYER)] == [3 * WAD]
    assert bridge.token.call("balanceOf", receiver) == 3 * WAD
    assert bridge.token.call("balanceOf", bridge.escrow.address) == held - 3 * WAD


def test_relayer__a_second_pass__sends_nothing(bridge):
    owner = bridge.wallet("trader")
    bridge.lock(owner, 5 * WAD)
    finalise(bridge.away)
    claim(bridge.inward, RELAYER)
    nonce = bridge.home.rpc("eth_getTransactionCount", RELAYER.address, "latest")
    assert claim(bridge.inward, RELAYER) == []
    assert bridge.home.rpc("eth_getTransactionCount", RELAYER.address, "latest") == nonce


def test_relayer__before_finality__claims_nothing(bridge):
    owner = bridge.wallet("trader")
    finalise(bridge.away)
    bridge.lock(owner, 5 * WAD)
    assert claim(bridge.inward, RELAYER) == []


def test_proof__replayed_and_overtaken__shows_nothing_new(bridge):
    owner = bridge.wallet("trader")
    bridge.lock(owner, 2 * WAD)
    finalise(bridge.away)
    first = carry_header(bridge.inward, RELAYER)
    old = proof_of(bridge, bridge.token.address, owner.address, first)
    bridge.lock(owner, 3 * WAD)
    finalise(bridge.away)
    claim(bridge.inward, RELAYER)
    assert bridge.claims.call("claimedRaw", bridge.token.address, owner.address) == 5 * WAD
    with pytest.raises(RevertError, match="RemoteClaims__NothingNew"):
        bridge.claims.send(RELAYER, "claim", bridge.token.address, owner.address, old)


def test_proofs__in_the_wrong_order__add_up_all_the_same(bridge):
    owner = bridge.wallet("trader")
    proofs = []
    for _ in range(3):
        bridge.lock(owner, WAD)
        finalise(bridge.away)
        number = carry_header(bridge.inward, RELAYER)
        proofs.append(proof_of(bridge, bridge.token.address, owner.address, number))
    bridge.claims.send(RELAYER, "claim", bridge.token.address, owner.address, proofs[1])
    bridge.claims.send(RELAYER, "claim", bridge.token.address, owner.address, proofs[2])
    with pytest.raises(RevertError, match="RemoteClaims__NothingNew"):
        bridge.claims.send(RELAYER, "claim", bridge.token.address, owner.address, proofs[0])
    assert bridge.claim_token.call("balanceOf", owner.address) == 3 * WAD


@pytest.mark.parametrize("what", ["receiver", "token", "contract", "block", "node"])
def test_proof__of_something_else__is_refused(bridge, what):
    owner = bridge.wallet("trader")
    bridge.lock(owner, 5 * WAD)
    bridge.lock(owner, 50 * WAD, RELAYER.address)
    finalise(bridge.away)
    number = carry_header(bridge.inward, RELAYER)
    token, address, to, at = bridge.token.address, bridge.escrow.address, owner.address, number
    if what == "receiver":
        to = RELAYER.address
    if what == "contract":
        address = bridge.token.address
    if what == "token":
        token = RELAYER.address
    if what == "block":
        at = number - 1
    found = prove(bridge.away, address, locked_slot(token, to), at)
    nodes = list(found.storage)
    if what == "node":
        nodes[-1] = nodes[-1][:-1] + bytes([nodes[-1][-1] ^ 1])
    with pytest.raises(RevertError):
        bridge.claims.send(RELAYER, "claim", bridge.token.address, owner.address, (number, list(found.account), nodes))
    assert bridge.claim_token.call("balanceOf", owner.address) == 0


def test_header__forged__is_refused_by_signature_and_by_hash(bridge):
    finalise(bridge.away)
    header = header_at(bridge.away, "finalized")
    good = signed(bridge.away, bridge.home_feed, header)
    forged = header.encoded[:-1] + bytes([header.encoded[-1] ^ 1])
    for encoded, block_hash, signatures, error in (
        (forged, header.block_hash, good, "HeaderFeed__BadHeader"),
        (header.encoded, header.block_hash, good[:1], "HeaderFeed__TooFewSignatures"),
        (header.encoded, header.block_hash, [good[0], good[0]], "HeaderFeed__BadSigner"),
        (header.encoded, header.block_hash, good[::-1], "HeaderFeed__BadSigner"),
    ):
        with pytest.raises(RevertError, match=error):
            bridge.home_feed.send(RELAYER, "postHeader", encoded, block_hash, signatures)
    # Signed for the feed of the other direction: another chain, another contract.
    with pytest.raises(UnavailableError, match="the feed wants chain"):
        signed(bridge.away, bridge.away_feed, header)
    bridge.home_feed.send(RELAYER, "postHeader", header.encoded, header.block_hash, good)
    with pytest.raises(RevertError, match="HeaderFeed__Known"):
        bridge.home_feed.send(RELAYER, "postHeader", header.encoded, header.block_hash, good)


def test_signer__block_not_final_or_another__refuses(bridge):
    finalise(bridge.away)
    newest = header_at(bridge.away, "latest")
    with pytest.raises(UnavailableError, match="is not final"):
        signed(bridge.away, bridge.home_feed, newest)
    bridge.away.rpc("anvil_reorg", 3, [])
    bridge.away.rpc("anvil_mine", hex(FINAL), hex(1))
    with pytest.raises(UnavailableError, match="has another hash"):
        signed(bridge.away, bridge.home_feed, newest)


def test_feed__two_hashes_of_one_height__freezes_until_signers_are_set(bridge):
    owner = bridge.wallet("trader")
    bridge.lock(owner, 5 * WAD)
    finalise(bridge.away)
    number = carry_header(bridge.inward, RELAYER)
    kept = proof_of(bridge, bridge.token.address, owner.address, number)
    # What a quorum that breaks its rule can do: the chain changes what was final.
    bridge.away.rpc("anvil_reorg", FINAL + 2, [])
    bridge.away.rpc("anvil_mine", hex(FINAL + 2), hex(1))
    other = header_at(bridge.away, hex(number))
    bridge.home_feed.send(
        RELAYER, "postHeader", other.encoded, other.block_hash, signed(bridge.away, bridge.home_feed, other)
    )
    assert bridge.home_feed.call("isFrozen")
    with pytest.raises(RevertError, match="HeaderFeed__Frozen"):
        bridge.claims.send(RELAYER, "claim", bridge.token.address, owner.address, kept)
    bridge.home_feed.send(GOVERNOR, "setSigners", [s.address for s in SIGNERS], 2)
    with pytest.raises(RevertError, match="HeaderFeed__Unknown"):
        bridge.claims.send(RELAYER, "claim", bridge.token.address, owner.address, kept)


def test_cap__leaves_the_rest_for_later(bridge):
    owner, supply = bridge.wallet("trader"), bridge.claim_token.call("totalSupply")
    bridge.claims.send(GOVERNOR, "setCap", bridge.token.address, supply + 4 * WAD)
    bridge.lock(owner, 5 * WAD)
    finalise(bridge.away)
    number = carry_header(bridge.inward, RELAYER)
    proof = proof_of(bridge, bridge.token.address, owner.address, number)
    bridge.claims.send(RELAYER, "claim", bridge.token.address, owner.address, proof)
    assert bridge.claim_token.call("balanceOf", owner.address) == 4 * WAD
    with pytest.raises(RevertError, match="RemoteClaims__AboveCap"):
        bridge.claims.send(RELAYER, "claim", bridge.token.address, owner.address, proof)
    bridge.claims.send(GOVERNOR, "setCap", bridge.token.address, CAP)
    bridge.claims.send(RELAYER, "claim", bridge.token.address, owner.address, proof)
    assert bridge.claim_token.call("balanceOf", owner.address) == 5 * WAD


def test_redeem__more_than_held_or_to_nobody__is_refused(bridge):
    owner = bridge.wallet("trader")
    with pytest.raises(RevertError, match="ERC20InsufficientBalance"):
        bridge.claims.send(owner, "redeem", bridge.token.address, 1, owner.address)
    for to in ("0x" + "0" * 40, bridge.escrow.address):
        with pytest.raises(RevertError, match="RemoteClaims__BadReceiver"):
            bridge.claims.send(owner, "redeem", bridge.token.address, 1, to)
    with pytest.raises(RevertError, match="RemoteClaims__UnknownToken"):
        bridge.claims.send(owner, "redeem", owner.address, 1, owner.address)


def test_set_home__second_time_or_by_another__is_refused(bridge):
    thief = bridge.wallet("thief")
    with pytest.raises(RevertError, match="RemoteEscrow__HomeFixed"):
        bridge.escrow.send(GOVERNOR, "setHome", thief.address)
