"""Exchange.cancel and cancelMany: nonces of the caller, and of nobody else."""


def test_cancel__one_nonce__leaves_its_neighbours(exchange, trader, maker):
    tx = exchange.cancel(257, {"from": trader})
    assert tx.events["NoncesCancelled"] == {"signer": trader, "wordPos": 1, "mask": 2}
    assert [exchange.isCancelled(trader, nonce) for nonce in (1, 256, 257, 258)] == [False, False, True, False]
    assert not exchange.isCancelled(maker, 257)


def test_cancel_many__mask__adds_up(exchange, trader):
    exchange.cancelMany(0, 0b101, {"from": trader})
    exchange.cancelMany(0, 0b010, {"from": trader})
    assert [exchange.isCancelled(trader, nonce) for nonce in range(4)] == [True, True, True, False]
