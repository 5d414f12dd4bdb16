"""Digests and signatures as the contracts make and check them."""

from eth_account import Account
from helpers.local_chain import local_chain
from hypothesis import given, settings
from hypothesis import strategies as st

from plimsoll.venue.chain.digests import OrderDigest, Typed, signer_of

KEY = Account.from_key("0x" + "11" * 32)
ORDER = st.fixed_dictionaries(
    {
        "accountId": st.integers(0, 2**256 - 1),
        "instrument": st.integers(0, 2**256 - 1),
        "isBuy": st.booleans(),
        "quantityWad": st.integers(0, 2**256 - 1),
        "priceWad": st.integers(0, 2**256 - 1),
        "nonce": st.integers(0, 2**256 - 1),
        "expiryTs": st.integers(0, 2**40 - 1),
        "signer": st.integers(0, 2**160 - 1).map(lambda n: f"0x{n:040x}"),
        "kind": st.integers(0, 255),
        "reduceOnly": st.booleans(),
        "maxFeeWad": st.integers(0, 2**256 - 1),
        "transferCount": st.integers(0, 2**64 - 1),
        "triggerWad": st.integers(0, 2**256 - 1),
        "triggerAbove": st.booleans(),
        "triggerAfterTs": st.integers(0, 2**40 - 1),
        "exclusive": st.booleans(),
    }
)


def test_digests__any_order__are_those_of_the_library_and_of_the_contract():
    with local_chain() as chain:
        order, exchange = OrderDigest(chain.deployment), chain.world.contract("Exchange")

        @given(ORDER)
        @settings(max_examples=40)
        def same(message):
            digest = order.fast(message)
            assert digest == order.digest(message) == exchange.call("hashOf", message)

        same()
        legs = [{"instrument": 2**255 + n, "isBuy": n % 2 == 0, "quantityWad": n, "priceWad": 7} for n in (1, 2, 3)]
        quote = {
            "accountId": 5,
            "takerId": 0,
            "legs": legs,
            "nonce": 2**255,
            "expiryTs": 2**39,
            "signer": KEY.address,
            "maxFeeWad": 1,
            "transferCount": 2,
        }
        typed = Typed(chain.deployment, "Exchange", "fillQuote")
        assert typed.digest(quote) == exchange.call("hashOfQuote", quote)


@given(st.binary(min_size=32, max_size=32))
@settings(max_examples=30)
def test_signer_of__a_signature__is_its_key_and_a_malleable_twin_is_nobodys(digest):
    signature = bytes(KEY.unsafe_sign_hash(digest).signature)
    assert signer_of(digest, signature) == KEY.address
    order = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141
    twin = signature[:32] + (order - int.from_bytes(signature[32:64], "big")).to_bytes(32, "big")
    assert signer_of(digest, twin + bytes([55 - signature[64]])) is None
    for broken in (b"", signature[:64], signature + b"\0", signature[:64] + b"\1", bytes(64) + b"\x1b"):
        assert signer_of(digest, broken) is None
