"""The sender against a node that can lose, delay and refuse transactions."""

from itertools import pairwise

import pytest

from plimsoll.chain.anvil import wallet
from plimsoll.chain.client import Receipt, RpcError, UnavailableError
from plimsoll.chain.revert import RevertError
from plimsoll.transact import Journal, Policy, Status, Transaction, Transactor
from plimsoll.transact.journal import FAILURE_WINDOW_SEC

NOW = 1_770_000_000
KEEPER = wallet("keeper test")
TARGET = "0x" + "11" * 20
POST = Transaction("round:ETH:1", TARGET, b"\x01\x02\x03\x04", frozenset({"Oracle__AlreadyPosted"}))


class FakeNode:
    """A node with one mempool; ``mines`` says after how many sends a transaction is mined."""

    def __init__(self, mines: int = 1) -> None:
        self.mines = mines
        self.sent: list[tuple[int, int, str]] = []
        self.mined: dict[str, Receipt] = {}
        self.revert: RevertError | None = None
        self.fail_send: Exception | None = None
        self.head_ts = NOW
        self.height = 10
        self.status = 1

    def rpc(self, method, *params):
        if method == "eth_call":
            if self.revert is not None:
                raise self.revert
            return "0x"
        if method == "eth_estimateGas":
            return hex(50_000)
        if method == "eth_getTransactionCount":
            return hex(len(self.mined))
        if method == "eth_sendRawTransaction":
            if self.fail_send is not None:
                raise self.fail_send
            nonce, fee, tx_hash = params[0]
            self.sent.append((nonce, fee, tx_hash))
            if len(self.sent) >= self.mines:
                self.mined[tx_hash] = Receipt(tx_hash, self.status, self.height, 40_000, None, ())
            return tx_hash
        raise AssertionError(method)

    def sign(self, account, to, data, nonce, gas, fees):
        tx_hash = f"0x{nonce}-{fees[0]}"
        return (nonce, fees[0], tx_hash), tx_hash

    def fees(self):
        return 1_000, 10

    def find_receipt(self, tx_hash):
        return self.mined.get(tx_hash)

    def block_number(self):
        return self.height

    def block_ts(self):
        return self.head_ts


def transactor(node, journal, **policy):
    return Transactor(node, KEEPER, journal, Policy(polls_per_bump=2, **policy), lambda: NOW, lambda _: None)


def test_execute__mined__is_confirmed_and_never_sent_again():
    node, journal = FakeNode(), Journal(None)
    sender = transactor(node, journal)
    assert sender.execute(POST).done
    assert sender.execute(POST).done
    assert len(node.sent) == 1
    assert journal.find(POST.key).status is Status.CONFIRMED


def test_execute__crash_while_sending__resumes_with_the_same_nonce(tmp_path):
    path = tmp_path / "journal.sqlite"
    node = FakeNode()
    node.fail_send = UnavailableError("node", "gone")
    with pytest.raises(UnavailableError):
        transactor(node, Journal(path)).execute(POST)
    written = Journal(path).find(POST.key)
    assert (written.status, written.nonce, len(written.hashes)) == (Status.SENT, 0, 1)
    node.fail_send = None
    outcomes = transactor(node, Journal(path)).resume()
    assert [outcome.done for outcome in outcomes] == [True]
    assert {nonce for nonce, _, _ in node.sent} == {0}


def test_execute__restart_after_it_was_mined__sends_nothing(tmp_path):
    path = tmp_path / "journal.sqlite"
    node = FakeNode(mines=99)
    node.find_receipt = lambda _: (_ for _ in ()).throw(UnavailableError("node", "gone"))
    with pytest.raises(UnavailableError):
        transactor(node, Journal(path)).execute(POST)
    del node.find_receipt
    tx_hash = node.sent[0][2]
    node.mined[tx_hash] = Receipt(tx_hash, 1, 10, 40_000, None, ())
    assert transactor(node, Journal(path)).execute(POST).done
    assert len(node.sent) == 1


def test_execute__stuck__is_replaced_with_the_same_nonce_above_the_minimum_bump():
    node = FakeNode(mines=3)
    assert transactor(node, Journal(None)).execute(POST).done
    nonces, fees = zip(*((nonce, fee) for nonce, fee, _ in node.sent), strict=True)
    assert set(nonces) == {0}
    assert all(after >= before * 1.1 for before, after in pairwise(fees))


def test_execute__stuck_at_the_fee_cap__gives_up_and_stays_open():
    node, journal = FakeNode(mines=99), Journal(None)
    outcome = transactor(node, journal, max_fee_wei=1_200).execute(POST)
    assert not outcome.done
    assert "1200" in outcome.reason
    assert max(fee for _, fee, _ in node.sent) <= 1_200
    assert journal.find(POST.key).status is Status.SENT


def test_execute__already_done_by_another__is_success_without_sending():
    node = FakeNode()
    node.revert = RevertError("call", "Oracle__AlreadyPosted")
    assert transactor(node, Journal(None)).execute(POST).done
    assert node.sent == []


def test_execute__other_revert__sends_nothing_and_spends_the_budget():
    node, journal = FakeNode(), Journal(None)
    node.revert = RevertError("call", "Oracle__Stale", (1, 2))
    sender = transactor(node, journal, failure_budget=2)
    assert "Oracle__Stale" in sender.execute(POST).reason
    assert not sender.execute(POST).done
    node.revert = None
    assert "2 failures, limit 2" in sender.execute(POST).reason
    assert node.sent == []
    node.head_ts = NOW + FAILURE_WINDOW_SEC
    later = Transactor(node, KEEPER, journal, Policy(failure_budget=2), lambda: node.head_ts, lambda _: None)
    assert later.execute(POST).done


def test_execute__old_head__refuses():
    node = FakeNode()
    node.head_ts = NOW - 121
    outcome = transactor(node, Journal(None)).execute(POST)
    assert not outcome.done
    assert "121 s old" in outcome.reason
    assert node.sent == []


def test_execute__not_deep_enough__waits_for_confirmations():
    node, journal = FakeNode(), Journal(None)
    outcome = transactor(node, journal, confirmations=3, max_fee_wei=1_000).execute(POST)
    assert not outcome.done
    node.height += 2
    assert transactor(node, journal, confirmations=3).execute(POST).done


def test_execute__reverted_when_mined__may_be_planned_again():
    node, journal = FakeNode(), Journal(None)
    node.status = 0
    sender = transactor(node, journal)
    assert not sender.execute(POST).done
    node.status = 1
    assert sender.execute(POST).done
    assert [nonce for nonce, _, _ in node.sent] == [0, 1]


def test_execute__nonce_taken_elsewhere__is_given_up_and_planned_again():
    node, journal = FakeNode(mines=99), Journal(None)
    sender = transactor(node, journal, max_fee_wei=1_000)
    assert not sender.execute(POST).done
    node.mined["0xforeign"] = Receipt("0xforeign", 1, 10, 21_000, None, ())
    node.fail_send = RpcError("node", "nonce too low")
    outcome = sender.execute(POST)
    assert "nonce 0" in outcome.reason
    node.fail_send, node.mines = None, 1
    assert sender.execute(POST).done
    assert node.sent[-1][0] == 1


def test_simulate__dry__leaves_the_journal_empty():
    node, journal = FakeNode(), Journal(None)
    assert transactor(node, journal).simulate(POST).gas_estimate == 50_000
    assert journal.find(POST.key) is None
    assert node.sent == []
