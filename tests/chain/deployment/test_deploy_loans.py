"""Deployment of a loan at Morpho as collateral: as configured, changed behind us, and refused where no market is."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace

import pytest

from plimsoll.chain.abi import load_artifact
from plimsoll.chain.anvil import running, wallet
from plimsoll.chain.client import Client
from plimsoll.chain.contracts import Contract, create
from plimsoll.chain.revert import RevertError
from plimsoll.deployment.deploy import deploy
from plimsoll.deployment.spec import load_spec
from plimsoll.deployment.verify import verify
from plimsoll.params import Params
from plimsoll.protocol.market import read_market
from plimsoll.protocol.rounds import RoundPoster
from tests.chain.profit.loans import SYMBOL, build_venue, loan_spec
from tests.chain.profit.market import Path

START_TS = 1_700_000_000
DEPLOYER, HOLDER, STRANGER = (wallet(name) for name in ("deployer", "holder", "stranger"))
SIGNERS = [wallet(f"signer {n}") for n in range(2)]
WHOLE = 10**18


@pytest.fixture(scope="module", params=[True, False], ids=["coins against cash", "cash against coins"])
def installed(request):
    with running(START_TS) as chain:
        client = Client(chain.url)
        for account in (DEPLOYER, HOLDER, STRANGER):
            client.rpc("anvil_setBalance", account.address, hex(10**24))
        coin, _ = create(client, DEPLOYER, "LocalToken", "Wrapped Ether", "WETH", 18)
        dollars, _ = create(client, DEPLOYER, "LocalToken", "USD Coin", "USDC", 6)
        venue = build_venue(client, DEPLOYER, coin.address, dollars.address, 2_000.0, is_long=request.param)
        spec = load_spec("local", Params())
        known = {"WETH": coin.address, "USDC": dollars.address}
        tokens = tuple(replace(token, address=known.get(token.symbol, token.address)) for token in spec.tokens)
        spec = replace(spec, tokens=tokens, loans=(loan_spec(venue, HOLDER.address),))
        spec = spec.with_signers(tuple(signer.address for signer in SIGNERS))
        deployment = deploy(client, DEPLOYER, spec)
        address = deployment.tokens[SYMBOL].address
        token = Contract(client, load_artifact("MorphoPosition"), address)
        yield SimpleNamespace(client=client, spec=spec, deployment=deployment, venue=venue, token=token)


def found(installed, spec=None):
    differences = verify(installed.client, installed.deployment, spec or installed.spec)
    return {d.name: (d.on_chain, d.configured) for d in differences}


def test_verify__as_deployed__finds_nothing(installed):
    assert found(installed) == {}
    token, record = installed.token, installed.deployment.tokens[SYMBOL]
    assert (token.call("name"), token.call("symbol")) == ("Loan of ether and dollars", SYMBOL)
    assert token.call("balanceOf", HOLDER.address) == token.call("totalSupply") == WHOLE
    assert installed.deployment.contract(installed.client, "Vault").call("tokenIdOf", record.address) == record.token_id


def test_verify__other_terms__are_named(installed):
    loan = installed.spec.loans[0]
    other = replace(loan, morpho=STRANGER.address, buffer=0.03, cost=0.02, cap=loan.cap / 2, stipend_gas=50_000)
    names = {f"loans.{SYMBOL}.{key}" for key in ("morpho", "bufferWad", "costWad", "capRaw")}
    names |= {f"sources.{SYMBOL}.{key}" for key in ("stipendGas", "ceilingE6")}
    assert set(found(installed, replace(installed.spec, loans=(other,)))) == names


def test_verify__the_other_way_round__is_named(installed):
    """Cash and coins exchanged, which the contract by itself would take for the other kind of loan."""
    loan = installed.spec.loans[0]
    turned = replace(loan, is_long=not loan.is_long)
    seen = set(found(installed, replace(installed.spec, loans=(turned,))))
    assert {f"loans.{SYMBOL}.collateralToken", f"loans.{SYMBOL}.loanToken"} <= seen


def test_verify__source_changed_behind_us__is_named(installed):
    client, record = installed.client, installed.deployment.tokens[SYMBOL]
    state = client.rpc("evm_snapshot")
    sources = installed.deployment.contract(client, "SourceBook")
    terms = {"source": record.address, "stipendGas": 20_000, "ceilingE6": 1}
    sources.send(DEPLOYER, "setSource", record.token_id, terms)
    assert set(found(installed)) == {f"sources.{SYMBOL}.stipendGas", f"sources.{SYMBOL}.ceilingE6"}
    client.rpc("evm_revert", state)
    client.forget_nonces()


def test_deploy__market_that_is_not_there__ends_with_its_reason(installed):
    client = installed.client
    state = client.rpc("evm_snapshot")
    loan = replace(installed.spec.loans[0], market_id="0x" + "11" * 32)
    with pytest.raises(RevertError, match="LendingPosition__UnknownMarket"):
        deploy(client, DEPLOYER, replace(installed.spec, loans=(loan,)))
    client.rpc("evm_revert", state)
    client.forget_nonces()


def test_read_market__leaves_the_loan_out(installed):
    """The mirror does not know what it is worth; everything else is there."""
    client, deployment = installed.client, installed.deployment
    poster, ts = RoundPoster(client, deployment, SIGNERS), client.block_ts()
    for name, spot in (("ETH", 2_000.0), ("BTC", 64_000.0)):
        path = Path(name, deployment.underlyings[name], spot, 0.5, [ts + 86_400])
        poster.send(DEPLOYER, poster.round_call(path.round(ts)))
    poster.send(DEPLOYER, poster.tokens_call(ts, {"USDC": 1.0}))
    market = read_market(client, deployment)
    assert set(market.tokens) == set(deployment.tokens) - {SYMBOL}
