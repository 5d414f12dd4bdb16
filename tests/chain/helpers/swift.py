"""Brownie without what tests do not need: the same transactions, reads and snapshots in a fraction of the requests.

For one transaction Brownie 1.22 sends ten requests: it asks for the nonce, the chain's id, the transaction, the
receipt and the latest block, and takes a snapshot so that the transaction could be undone. Here a transaction is one
request, answered when it is mined; a read is another. A run that measures coverage keeps Brownie's own transactions,
since coverage is collected on their way.

All that is changed in Brownie is changed here, by ``parse_nothing`` and ``install``.
"""

from __future__ import annotations

import gc
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import brownie
from brownie.exceptions import VirtualMachineError
from brownie.network import account, contract, transaction
from brownie.test.managers import base as managers
from web3._utils.method_formatters import log_entry_formatter
from web3.datastructures import AttributeDict
from web3.exceptions import TransactionNotFound

from tests.chain.helpers.transport import KeptConnection

LOOKUPS, LOOKUP_PAUSE_SEC = 1_000, 0.005


def parse_nothing() -> None:
    """Keep Brownie from parsing every test and all it imports at each start, which ``brownie test --update`` lives on.

    To be called before Brownie is configured.
    """
    managers._get_ast_hash = lambda _: ""


def install(*, coverage: bool) -> None:
    """Change Brownie for the rest of the run; it must be connected.

    Parameters
    ----------
    coverage : bool
        Keep the transactions and reads that coverage is measured on.
    """
    brownie.web3.provider = KeptConnection(brownie.web3.provider.endpoint_uri)
    (project,) = brownie.project.get_loaded_projects()
    type(next(iter(project)))._revert = _forget_what_is_gone
    kind = type(brownie.chain)
    kind.sleep, kind.mine, kind.snapshot, kind.revert = _sleep, _mine, _snapshot, _revert
    if coverage:
        brownie.web3.eth.get_transaction = _asking_again(brownie.web3.eth.get_transaction)
        brownie.web3.eth.get_transaction_receipt = _asking_again(brownie.web3.eth.get_transaction_receipt)
    else:
        # The node signs for its own accounts and takes transactions of all others unsigned, as it is told here.
        rpc("anvil_autoImpersonateAccount", True)
        account._PrivateKeyAccount.transfer, account._PrivateKeyAccount.deploy = _transfer, _deploy
        contract._ContractMethod.call = _call
    # Garbage is looked for at each return to a snapshot. What was loaded before the tests (a gigabyte of syntax trees)
    # lives as long as the run, and is set aside.
    gc.collect()
    gc.freeze()


def rpc(method: str, *params: Any) -> Any:
    """Ask the test chain; an error answer is raised as Brownie raises it."""
    answer = brownie.web3.provider.make_request(method, params)
    if "error" in answer:
        raise VirtualMachineError(ValueError(answer["error"]))
    return answer["result"]


# --- transactions and reads


class MinedReceipt(transaction.TransactionReceipt):
    """A receipt made of what was sent and what the node answered; Brownie's constructor asks for both again."""

    def __init__(self, sender: Any, request: dict[str, Any], answer: dict[str, Any]) -> None:
        self._confirmed = threading.Event()
        self._confirmed.set()
        self._silent, self._call_cost = True, 0
        # Reasons and values are read off a trace when somebody asks for them.
        self._trace_exc = self._trace_origin = self._raw_trace = self._trace = self._events = None
        self._return_value = self._revert_msg = self._dev_revert_msg = self._revert_pc = None
        self._modified_state = self._new_contracts = self._internal_transfers = self._subcalls = None
        self.sender, self.receiver, self.input = sender, request.get("to"), request["data"]
        self.value, self.gas_limit = int(request["value"], 16), int(request["gas"], 16)
        self.gas_price = self.max_fee = self.priority_fee = self.type = 0
        self.txid, self.status = answer["transactionHash"], transaction.Status(int(answer["status"], 16))
        self.block_number, self.txindex = int(answer["blockNumber"], 16), int(answer["transactionIndex"], 16)
        self.gas_used, self.contract_address = int(answer["gasUsed"], 16), answer["contractAddress"]
        self.coverage_hash = self.txid
        self._raw_logs, self._ts = answer["logs"], int(answer["blockTimestamp"])

    @property
    def logs(self) -> list[Any]:
        """Logs as web3 gives them."""
        return [AttributeDict(log_entry_formatter(log)) for log in self._raw_logs]

    @property
    def timestamp(self) -> int:
        """Time of its block, unix seconds."""
        return self._ts


def _send(sender: Any, to: Any, amount: Any, data: Any, gas_limit: int | None) -> MinedReceipt:
    """Send one transaction and wait for its receipt, in one request."""
    limit = gas_limit or brownie._config.CONFIG.active_network["cmd_settings"]["gas_limit"]
    request = {"from": sender.address, "value": hex(amount), "gas": hex(limit), "gasPrice": "0x0", "data": str(data)}
    if to is not None:
        request["to"] = str(to)
    receipt = MinedReceipt(sender, request, rpc("eth_sendTransactionSync", request))
    _set_clock(receipt.timestamp)
    if receipt.status == 0:
        reason = {"error": "revert", "program_counter": None, "reason": receipt.revert_msg}
        raise VirtualMachineError(ValueError({"message": "reverted", "code": -32000, "data": {receipt.txid: reason}}))
    return receipt


def _transfer(self, to=None, amount=0, gas_limit=None, data=None, **others):
    unknown = sorted(name for name, value in others.items() if value not in (None, False, 1))
    if unknown:
        raise TypeError(f"{', '.join(unknown)}: tests/chain/helpers/swift.py sends no transaction with these")
    return _send(self, to, amount, data or "0x", gas_limit)


def _deploy(self, container, *arguments):
    receipt = _send(self, None, 0, container.deploy.encode_input(*arguments), None)
    return container.at(receipt.contract_address, self, receipt)


def _call(self, *arguments, block_identifier=None, override=None):
    if override is not None:
        raise TypeError("override: tests/chain/helpers/swift.py reads the chain as it is")
    arguments, options = contract._get_tx(self._owner, arguments)
    request = {"to": self._address, "data": self.encode_input(*arguments)}
    if options["from"]:
        request["from"] = str(options["from"])
    block = hex(block_identifier) if isinstance(block_identifier, int) else block_identifier or "latest"
    return self.decode_output(rpc("eth_call", request, block))


def _asking_again(find: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Ask again: anvil counts a transaction a moment before it finds it, which Brownie takes for a dropped one."""

    def found(transaction_hash: Any) -> Any:
        for _ in range(LOOKUPS):
            try:
                return find(transaction_hash)
            except TransactionNotFound:
                time.sleep(LOOKUP_PAUSE_SEC)
        return find(transaction_hash)

    return found


# --- time


def _set_clock(ts: int) -> None:
    """Let Brownie's clock follow the chain's."""
    brownie.chain._time_offset = ts - int(time.time())


def _sleep(self, seconds):
    rpc("evm_increaseTime", hex(seconds))
    self._time_offset += seconds


def _mine(self, blocks=1):
    for _ in range(blocks):
        rpc("evm_mine")
    _set_clock(int(rpc("eth_getBlockByNumber", "latest", False)["timestamp"], 16))


# --- isolation


@contextmanager
def undone() -> Iterator[None]:
    """Take the chain, Brownie's clock and its contracts back at the end."""
    snapshot, offset = rpc("evm_snapshot"), brownie.chain._time_offset
    yield
    _return_to(snapshot, offset)


def _snapshot(self):
    self._snapshot_id = rpc("evm_snapshot")
    self._snapshot_time_offsets[self._snapshot_id] = self._time_offset


def _revert(self):
    _return_to(self._snapshot_id, self._snapshot_time_offsets.pop(self._snapshot_id))
    self.snapshot()


def _return_to(snapshot: str, offset: int) -> None:
    _let_the_pool_empty()
    rpc("evm_revert", snapshot)
    brownie.chain._time_offset = offset
    # Brownie waits for a nonce above the last one that it remembers.
    brownie.history.clear()
    height = int(rpc("eth_blockNumber"), 16)
    for container in brownie.project.get_loaded_projects()[0]:
        _forget_what_is_gone(container, height)


def _let_the_pool_empty() -> None:
    """Wait for anvil to drop what it has mined, a moment after it gives the receipt.

    After a return in that moment it would count the next nonce from there, and never mine what carries it.
    """
    for _ in range(LOOKUPS):
        if rpc("txpool_status")["pending"] == "0x0":
            return
        time.sleep(LOOKUP_PAUSE_SEC)
    raise AssertionError("a test has left transactions that are not mined")


def _forget_what_is_gone(container: Any, height: int) -> None:
    """Drop the contracts that a return to ``height`` undid; Brownie asks for the code of every other one too."""
    for known in list(container._contracts):
        born = known.tx.block_number if known.tx else None
        if born > height if born is not None else not brownie.web3.eth.get_code(known.address):
            container.remove(known)
            known._reverted = True
