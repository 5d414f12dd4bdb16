"""What do the contracts say about an account, and does the Python mirror agree? On a local chain made for it."""

import tempfile
from pathlib import Path

import plimsoll as pm
from plimsoll.chain import anvil
from plimsoll.chain.client import Client
from plimsoll.demo.result import GasBook
from plimsoll.demo.world import build_world
from plimsoll.deployment.spec import spec_for_market
from plimsoll.protocol.margin_engine import own_prices
from plimsoll.protocol.rounds import RoundPoster

market = pm.load_market(Path(__file__).parent / "market.json")

with anvil.running(market.ts) as node, tempfile.TemporaryDirectory() as folder:
    # Deploy, post the market, and open an account with cash and collateral.
    world = build_world(Client(node.url), spec_for_market(market, pm.Params(), ()), GasBook())
    poster, relayer = RoundPoster(world.client, world.deployment, world.signers), world.funded_wallet("relayer")
    for one in market.rounds.values():
        poster.send(relayer, poster.round_call(one))
    poster.send(relayer, poster.tokens_call(market.ts, own_prices(market)))
    owner = world.open("owner", pm.Mode.CROSS, 20_000.0, by_permit=False)
    world.deposit(owner, "WETH", 4.0)
    world.deployment.save(Path(folder) / "local.json")

    # From here on everything is read, as from any other chain.
    chain = pm.connect(Path(folder) / "local.json", node.url)
    print(chain.deployment.network, "accounts", chain.account_ids())
    theirs = chain.margin(owner.account_id)
    ours = pm.margin(chain.market(), chain.portfolio(owner.account_id), chain.params())
print(theirs)
print(f"\nlargest gap to the mirror {max(abs(theirs.equity - ours.equity), abs(theirs.initial - ours.initial)):.2e}")
