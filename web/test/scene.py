"""A small market on a chain of its own, for the tests of the wallet page.

Starts anvil, deploys everything, posts rounds and lets a few people trade; then one JSON line says where everything is.
After that each line on standard input is one command, and each answer one JSON line: ``{"do": "round", "underlying":
"ETH", "spot": 1500}`` posts a round, ``{"do": "sleep", "seconds": 60}`` moves the clock, ``{"do": "auction", "account":
4}`` starts an auction, and so on. The chain ends with standard input.
"""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

# The package of this very checkout, wherever the script is called from.
sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "offchain"))

from eth_abi.abi import encode
from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address

from plimsoll.chain.anvil import running, wallet
from plimsoll.chain.client import Client
from plimsoll.errors import PlimsollError
from plimsoll.files.market import load_market
from plimsoll.model import Mode
from plimsoll.session.custody import deposit, open_account
from plimsoll.session.install import install
from plimsoll.session.liquidation import bid, start_auction
from plimsoll.session.rounds import expiries_of, post_round
from plimsoll.session.session import Holder, Session, open_session
from plimsoll.session.trades import instrument, mark, trade
from plimsoll.units import float_to_raw

ROOT: Final = Path(__file__).resolve().parents[2]
MARKET: Final = ROOT / "examples" / "market.json"
MOCKS: Final = ROOT / "build" / "mocks"
PERMIT2: Final = "0x000000000022D473030F116dDEE9F6B43aC78BA3"
MAKER_CASH: Final = 3_000_000.0
#: What the wallet that the tests drive finds in its pocket.
POCKET: Final = {"USDC": 60_000.0, "WETH": 20.0, "WBTC": 1.0}
#: The largest number stands for no bound.
ANY: Final = 2**128 - 1
KEY_LIFE_SEC: Final = 86_400


def _no_key(name: str) -> LocalAccount:
    raise AssertionError(f"a local chain needs no key of {name}")


def _day(ts: int) -> str:
    return time.strftime("%d%b%y", time.gmtime(ts)).upper().lstrip("0")


def fill_pocket(session: Session, name: str) -> LocalAccount:
    """Give a wallet tokens and money for gas."""
    by = session.wallet(name)
    for symbol, amount in POCKET.items():
        token = session.deployment.token_contract(session.client, symbol)
        session.send(by, token, "mint", by.address, float_to_raw(amount, session.deployment.tokens[symbol].decimals))
    return by


def _book(session: Session, near: str, far: str) -> tuple[tuple[str, float], ...]:
    return (
        (f"ETH-{far}-1700-P", -20.0),
        (f"ETH-{far}-1500-P", 10.0),
        (f"ETH-{near}-2100-C", -10.0),
        (f"ETH-{near}-1900-C", 2.0),
        ("ETH-PERP", -3.0),
        (f"BTC-{far}", 0.1),
    )


def people(session: Session) -> dict[str, Holder]:
    """Let a maker, a trader of options and a trader with too little margin in, and let them trade."""
    near, far = (_day(ts) for ts in expiries_of(session, "ETH")[:2])
    maker = open_account(session, "maker", MAKER_CASH, "USDC")
    bob = open_account(session, "bob", 12_000.0, "USDC")
    deposit(session, bob, 4.0, "WETH")
    session.send(bob.wallet, session.contract("Accounts"), "setMode", bob.account_id, int(Mode.CROSS))
    carol = open_account(session, "carol", 9_000.0, "USDC")
    for who, trades in ((bob, _book(session, near, far)), (carol, ((f"ETH-{far}-1700-P", -8.0), ("ETH-PERP", 8.0)))):
        for text, units in trades:
            found = instrument(session, text, units)
            trade(session, who, maker, found, mark(session, found))
    return {"maker": maker, "bob": bob, "carol": carol}


def create_mock(session: Session, name: str, *values: str) -> str:
    """Deploy a contract of the tests; ``make build`` compiles them."""
    artefact = json.loads((MOCKS / f"{name}.json").read_text(encoding="utf-8"))
    code = bytes.fromhex(artefact["bytecode"].removeprefix("0x")) + encode(["address"] * len(values), values)
    receipt = session.client.send(session.wallet("deployer"), None, code, None, name)
    return str(to_checksum_address(receipt.contract_address))


def install_permit2(session: Session) -> str:
    """Put a Permit2 where every chain has it: the mock keeps nothing in its code."""
    code = session.client.rpc("eth_getCode", create_mock(session, "MockPermit2"), "latest")
    session.client.rpc("anvil_setCode", PERMIT2, code)
    return PERMIT2


@dataclass(slots=True)
class Stage:
    """What commands act on."""

    session: Session
    record: Path
    holders: dict[str, Holder]
    venue: Any = None


def obey(stage: Stage, command: dict[str, Any]) -> dict[str, Any]:
    """Carry one command out; between two commands the tests may have taken the chain back."""
    session, maker = stage.session, stage.holders["maker"]
    session.client.forget_nonces()
    match command:
        case {"do": "round", "underlying": underlying, "spot": spot}:
            return {"spot": post_round(session, underlying, spot)}
        case {"do": "sleep", "seconds": seconds}:
            session.sleep(seconds)
            return {"ts": session.client.block_ts()}
        case {"do": "auction", "account": account_id}:
            start_auction(session, account_id, "keeper")
            return {"accountId": account_id}
        case {"do": "bid", "account": account_id}:
            return {"taken": str(bid(session, account_id, maker, 1.0, 60))}
        case {"do": "trade", "taker": account_id, "key": key, "instrument": text, "units": units}:
            found = instrument(session, text, units)
            trade(session, Holder(wallet(key), account_id), maker, found, mark(session, found))
            return {"accountId": account_id}
        case _:
            return obey_wallets(stage, command)


def obey_wallets(stage: Stage, command: dict[str, Any]) -> dict[str, Any]:
    """Carry out a command about what wallets have and may, and about the vault's door."""
    session = stage.session
    match command:
        case {"do": "pocket", "key": key}:
            return {"address": fill_pocket(session, key).address}
        case {"do": "outflow", "token": symbol, "share": share}:
            values = (session.deployment.tokens[symbol].token_id, round(share * 10**6), round(share * 10**6))
            session.send(session.wallet("deployer"), session.contract("Vault"), "setOutflow", *values)
            return {}
        case {"do": "key", "account": account_id, "owner": owner, "key": key}:
            limits = [(number, ANY, ANY, ANY) for number in session.deployment.underlyings.values()]
            terms = (session.client.block_ts() + KEY_LIFE_SEC, 15, ANY, limits)
            delegation = session.contract("Delegation")
            session.send(session.wallet(owner), delegation, "grant", account_id, session.wallet(key).address, terms)
            return {}
        case {"do": "permit2"}:
            return {"address": install_permit2(session)}
        case {"do": "contract wallet", "key": key}:
            return {"address": create_mock(session, "WalletStub", session.wallet(key).address)}
        case _:
            return obey_venue(stage, command)


def obey_venue(stage: Stage, command: dict[str, Any]) -> dict[str, Any]:
    """Carry out a command about the order service; its packages are loaded when it is asked for."""
    match command:
        case {"do": "venue"}:
            from venue_scene import start_venue

            stage.venue = start_venue(stage.session, stage.record, stage.holders["maker"].account_id)
            return {"url": stage.venue.url}
        case {"do": "quotes", "underlying": symbol}:
            return {"placed": stage.venue.quote_around_marks(stage.session.deployment.underlyings[symbol])}
        case {"do": "hit", "instrument": instrument_name, "units": units, "price": price}:
            return {"state": stage.venue.maker.place(instrument_name, units, price).order.state}
        case {"do": "stop venue"}:
            stage.venue.stop()
            return {}
        case _:
            return {"error": f"unknown command {command}"}


def main(record: Path) -> None:
    """Build the scene, say where it is, and obey until standard input ends."""
    with running(int(time.time())) as chain:
        client = Client(chain.url)
        install(client, record, "local", (), _no_key, lambda _: None)
        session = open_session(client, record, load_market(MARKET), _no_key)
        for underlying in session.deployment.underlyings:
            post_round(session, underlying, None)
        stage = Stage(session, record, people(session))
        fill_pocket(session, "alice")
        print(json.dumps(_facts(chain.url, stage)), flush=True)
        for line in sys.stdin:
            try:
                answer = obey(stage, json.loads(line))
            except PlimsollError as problem:
                answer = {"error": str(problem)}
            print(json.dumps(answer), flush=True)
        if stage.venue is not None:
            stage.venue.stop()


def _facts(url: str, stage: Stage) -> dict[str, Any]:
    """Where everything is; the keys are throw-away ones of public seeds."""
    near, far = (_day(ts) for ts in expiries_of(stage.session, "ETH")[:2])
    wallets = {name: wallet(name) for name in ("alice", "bob", "carol", "dora")}
    return {
        "rpc": url,
        "deployment": str(stage.record),
        "accounts": {name: holder.account_id for name, holder in stage.holders.items()},
        "addresses": {name: found.address for name, found in wallets.items()},
        "keys": {name: found.key.to_0x_hex() for name, found in wallets.items()},
        "near": near,
        "far": far,
    }


if __name__ == "__main__":
    main(Path(sys.argv[1]))
