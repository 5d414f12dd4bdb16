"""The strategy vault of the audit: deployed before the first episode, empty, its key named in each."""

from __future__ import annotations

from typing import Any

from plimsoll.chain.anvil import wallet
from plimsoll.chain.client import Client
from plimsoll.chain.contracts import Contract, create
from plimsoll.deployment.deploy import strategy_parts
from plimsoll.deployment.strategy_spec import GreekShareSpec, StrategySpec, greek_terms, mandate_terms
from tests.chain.invariants.world import ADMIN, GAS, Base

KEY, MANAGER = wallet("strategy key"), wallet("strategy manager")
MANDATE = StrategySpec(
    name="Audited",
    symbol="AUDIT",
    mode="SINGLE",
    kinds=15,
    term_sec=86_400,
    half_spread=0.001,
    half_vol=0.01,
    loss_share=0.02,
    stop_share=0.5,
    fee=0.1,
    limits=(GreekShareSpec("ETH", 3.0, 18.0, 3.0),),
    fee_receiver=MANAGER.address,
)


def deploy_strategy(base: Base, client: Client) -> str:
    """Deploy vault and closer, and let every wallet hand in cash; return the vault's address."""
    known = base.deployment.contracts
    closer, _ = create(client, ADMIN, "StrategyCloser", known["Accounts"], known["Exchange"])
    parts = strategy_parts({**known, "StrategyCloser": closer.address})
    limits = greek_terms(MANDATE, base.deployment.underlyings)
    vault, _ = create(
        client, ADMIN, "StrategyVault", MANDATE.name, MANDATE.symbol, parts, mandate_terms(MANDATE), limits
    )
    usdc: Contract = base.deployment.token_contract(client, "USDC")
    for owner in base.owners.values():
        usdc.send(owner, "approve", vault.address, 2**256 - 1, gas=GAS)
    return str(vault.address)


def name_key(vault: Any) -> None:
    """Name the trader key; the vault has to have a round."""
    vault.send(ADMIN, "setTrader", KEY.address, gas=GAS)
