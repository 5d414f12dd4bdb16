"""Deploy everything, compare it with its configuration, and write the record that the other scripts read.

    brownie run deploy                                   a local chain, with its first rounds and an insurance fund
    brownie run deploy main sepolia ADDR,ADDR --network sepolia      your own signers; Brownie account `deployer`

The record is build/plimsoll/NETWORK.json. Where its contracts are on the chain already, nothing is sent.
"""

from __future__ import annotations

from brownie import network

from plimsoll.deployment.deploy import FUND_ID
from plimsoll.deployment.verify import verify
from plimsoll.errors import AgreementError
from plimsoll.session.custody import deposit
from plimsoll.session.install import configured, install, recorded
from plimsoll.session.rounds import post_round
from plimsoll.session.session import DEPLOYER, Holder

from ._common import client, key_of, record, script, session

FUND_CASH = 200_000.0


@script
def main(config: str = "local", signers: str = "") -> None:
    """Deploy, or look at what is deployed."""
    chain, given = client(), [address for address in signers.split(",") if address]
    deployment = recorded(chain, record())
    is_new = deployment is None
    if deployment is None:
        deployment = install(chain, record(), config, given, key_of, lambda name: print(f"  deploying {name}"))
    there = session()
    if is_new and there.is_local and not given:
        for underlying in deployment.underlyings:
            spot = post_round(there, underlying, None)
            print(f"  first round of {underlying}: spot {spot:,.2f}")
        deposit(there, Holder(there.wallet(DEPLOYER), FUND_ID), FUND_CASH, "USDC")
        print(f"  insurance fund: {FUND_CASH:,.0f} USDC")
    differences = verify(chain, deployment, configured(chain, deployment, given))
    if differences:
        raise AgreementError(str(record()), f"{len(differences)} differ from the configuration, first {differences[0]}")
    done = "deployed" if is_new else "there already, nothing was sent"
    print(f"{len(deployment.contracts)} contracts on chain {chain.chain_id}: {done}; as configured")
    print(f"record: {record()}")
    if network.rpc.is_child():
        print("Brownie started this chain for one script and ends it with it:")
        print("keep `brownie console` open beside, and the scripts share its chain.")
