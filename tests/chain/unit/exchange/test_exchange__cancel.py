"""Exchange.cancel, cancelMany and cancelBelow: nonces of the caller, and of nobody else."""

from tests.chain.helpers.errors import reverts_with


def test_cancel__one_nonce__leaves_its_neighbours(exchange, trader, maker):
    tx = exchange.cancel(257, {"from": trader})
    assert tx.events["NoncesCancelled"] == {"signer": trader, "wordPos": 1, "mask": 2}
    assert [exchange.isCancelled(trader, nonce) for nonce in (1, 256, 257, 258)] == [False, False, True, False]
    assert not exchange.isCancelled(maker, 257)


def test_cancel_many__mask__adds_up(exchange, trader):
    exchange.cancelMany(0, 0b101, {"from": trader})
    exchange.cancelMany(0, 0b010, {"from": trader})
    assert [exchange.isCancelled(trader, nonce) for nonce in range(4)] == [True, True, True, False]


def test_cancel_below__nonce__covers_every_lower_one_of_the_caller(exchange, trader, maker):
    tx = exchange.cancelBelow(300, {"from": trader})
    assert tx.events["NoncesCancelledBelow"] == {"signer": trader, "nonce": 300}
    assert [exchange.isCancelled(trader, nonce) for nonce in (0, 299, 300)] == [True, True, False]
    assert not exchange.isCancelled(maker, 0)
    exchange.cancel(300, {"from": trader})
    assert exchange.isCancelled(trader, 300)


def test_cancel_below__not_above_the_last__reverts_NonceNotRaised(exchange, trader):
    with reverts_with("Exchange__NonceNotRaised", 0, 0):
        exchange.cancelBelow(0, {"from": trader})
    exchange.cancelBelow(5, {"from": trader})
    with reverts_with("Exchange__NonceNotRaised", 5, 5):
        exchange.cancelBelow(5, {"from": trader})
    exchange.cancelBelow(6, {"from": trader})
    assert exchange.minNonceOf(trader) == 6
