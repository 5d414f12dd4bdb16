"""The client of commands over real HTTP: whatever a node answers is a value or one named error, never a traceback."""

from dataclasses import replace

import pytest
from eth_account import Account
from helpers import rpc_proxy as faults
from helpers.rpc_proxy import RpcProxy

from plimsoll.chain import anvil
from plimsoll.chain.abi import load_artifact
from plimsoll.chain.client import Client
from plimsoll.chain.contracts import Contract
from plimsoll.errors import PlimsollError, UnavailableError

NOBODY = "0x" + "00" * 19 + "01"
JOBS = {
    "chain id": lambda client: client.chain_id,
    "block number": Client.block_number,
    "block time": Client.block_ts,
    "call": lambda client: client.call(NOBODY, b""),
    "fees": Client.fees,
    "nonce": lambda client: client.next_nonce(NOBODY),
    "receipt": lambda client: client.find_receipt("0x" + "ab" * 32),
    "many calls": lambda client: Contract(client, load_artifact("Accounts"), NOBODY).call_many("ownerOf", [[0], [1]]),
    "send": lambda client: client.send(Account.from_key("0x" + "11" * 32), NOBODY, b""),
}
#: What no sound node gives to any of the questions above; ``null`` alone is an answer to the question for a receipt.
RESULTS = (5, "zz", "0xzz", [], [5], {"timestamp": None}, {"status": "0x1"}, True)
MALFORMED = [
    *(faults.result(value) for value in RESULTS),
    *(faults.no_result(), faults.body(b"null"), faults.body(b"[5]")),
]


@pytest.fixture(scope="module")
def chain():
    with anvil.running(1_770_000_000) as running:
        yield running


@pytest.fixture
def proxy(chain):
    with RpcProxy(chain.url) as running:
        yield running


@pytest.mark.parametrize("job", JOBS.values(), ids=JOBS)
@pytest.mark.parametrize(
    "fault", [*MALFORMED, faults.no_result(), faults.body(b"null"), faults.body(b"[5]")], ids=lambda fault: fault.name
)
def test_client__malformed_answer__is_one_error_that_names_the_node(proxy, job, fault):
    fault = proxy.add(replace(fault))
    with pytest.raises(PlimsollError) as found:
        job(Client(proxy.url))
    assert proxy.url in str(found.value)
    assert fault.struck > 0


@pytest.mark.parametrize("job", [name for name in JOBS if name != "receipt"])
def test_client__null__is_one_error(proxy, job):
    proxy.add(faults.result(None))
    with pytest.raises(UnavailableError):
        JOBS[job](Client(proxy.url))


def test_client__receipt_not_there_yet__is_none(proxy):
    proxy.add(faults.result(None))
    assert JOBS["receipt"](Client(proxy.url)) is None


@pytest.mark.parametrize("fault", [faults.short_batch, faults.duplicated_answers])
def test_client__batch_with_answers_too_few_or_too_many__is_one_error(proxy, fault):
    proxy.add(fault())
    with pytest.raises(UnavailableError, match="batch of 2"):
        Client(proxy.url).batch([("eth_chainId", []), ("eth_blockNumber", [])])
