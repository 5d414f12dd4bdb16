"""Everything on one machine: chain, deployment, keeper, venue, makers; started in order, stopped by one signal."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog
from eth_account import Account
from eth_account.signers.local import LocalAccount

from plimsoll.chain import anvil
from plimsoll.chain.anvil import wallet
from plimsoll.chain.client import Client
from plimsoll.client import Trader, connect_venue
from plimsoll.demo.result import GasBook
from plimsoll.demo.town.makers import Maker, Taker, quoted_part
from plimsoll.demo.town.market import MovingMarket
from plimsoll.demo.world import World, build_world
from plimsoll.deployment.spec import load_spec
from plimsoll.errors import PlimsollError, UnavailableError
from plimsoll.market.replay.replay import load_replay
from plimsoll.model import Mode
from plimsoll.params import Params
from plimsoll.units import float_to_raw

log = structlog.get_logger()

#: Throw-away keys of a local chain, in files that end with it.
PASSWORD: Final = "local"  # noqa: S105 (it guards nothing: the keys are of this chain and end with it)
MAKERS: Final = (("maker one", 1.0, 40_000.0), ("maker two", 1.8, 120_000.0))
MAKER_CASH, TAKER_CASH, LIQUIDATOR_CASH, FUND_CASH = 20_000_000.0, 5_000_000.0, 5_000_000.0, 1_000_000.0
#: What a visitor finds in the first of anvil's well-known wallets.
VISITOR_CASH, VISITOR_WETH = 100_000.0, 20.0
#: Anvil's public test mnemonic and its first address: wallets that were used with a local chain know its key.
MNEMONIC: Final = "test test test test test test test test test test test junk"
VISITOR: Final = "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
#: Pauses of the market and of the makers, by the clock on the wall.
ROUND_SEC: Final = 2.0
QUOTE_SEC: Final = 1.0
START_SEC: Final = 120.0
STOP_SEC: Final = 20.0


@dataclass(frozen=True, slots=True)
class Town:
    """What runs, for who wants to visit it.

    Parameters
    ----------
    url : str
        Venue and page.
    rpc_url : str
        Node.
    chain_id : int
        Chain.
    visitor : str
        Address with tokens and gas; its key is the first of anvil's public test mnemonic.
    has_page : bool
        Whether the wallet page is served.
    data_source : str
        ``real`` or ``synthetic``: where the prices come from.
    """

    url: str
    rpc_url: str
    chain_id: int
    visitor: str
    has_page: bool
    data_source: str


def run_town(
    speed: float,
    page: Path | None,
    bind: str,
    tell: Callable[[str], None],
    opened: Callable[[Town], None],
    *,
    node_port: int = 0,
    is_asked: threading.Event | None = None,
    data_dir: Path | None = None,
) -> None:
    """Run everything until SIGINT or SIGTERM.

    Parameters
    ----------
    speed : float
        Seconds of the market in one second.
    page : Path or None
        Folder of the built page; left out when it is not there.
    bind : str
        ``HOST:PORT`` of the venue.
    tell : Callable[[str], None]
        Told what is being done.
    opened : Callable[[Town], None]
        Told when everything runs.
    node_port : int
        Port of the chain's node; 0 takes any free one.
    is_asked : threading.Event, optional
        Set by whoever wants it to end; signals set it too.
    data_dir : Path, optional
        Folder of the market data.

    Raises
    ------
    UnavailableError
        When anvil is missing, its port is taken, or a part does not start.
    """
    stop = is_asked or threading.Event()
    replay = load_replay(data_dir)
    with (
        _signals(stop),
        anvil.running(int(time.time()) - 60, port=node_port) as chain,
        tempfile.TemporaryDirectory() as name,
    ):
        folder = Path(name)
        tell("deploying the contracts")
        world = build_world(Client(chain.url), load_spec("local", Params()), GasBook())
        market = MovingMarket(world, replay, speed)
        tell(f"posting the first rounds ({replay.data_source} prices)")
        market.step()
        _people(world)
        _files(folder, world, chain.url, page, bind)
        tell("starting venue and keeper")
        with _process(folder, "venue") as venue, _process(folder, "keeper"):
            url = _address_of(venue)
            traders = _traders(world, url)
            has_page = page is not None and (page / "index.html").is_file()
            town = Town(url, chain.url, world.deployment.chain_id, VISITOR, has_page, replay.data_source)
            moving = threading.Thread(target=_move, args=(market, stop), daemon=True)
            moving.start()
            opened(town)
            _live(traders, stop, venue)
            moving.join(timeout=STOP_SEC)


def _people(world: World) -> None:
    """Open the accounts of makers, taker and liquidator, and give the visitor tokens."""
    for name, _, _ in MAKERS:
        world.open(name, Mode.CROSS, MAKER_CASH, by_permit=False)
    world.open("crowd", Mode.SINGLE, TAKER_CASH, by_permit=False)
    world.open("liquidator", Mode.SINGLE, LIQUIDATOR_CASH, by_permit=False)
    world.seed_fund(FUND_CASH)
    world.client.rpc("anvil_setBalance", VISITOR, hex(10**21))
    giver = world.funded_wallet("town relayer")
    for symbol, amount in (("USDC", VISITOR_CASH), ("WETH", VISITOR_WETH)):
        token = world.deployment.token_contract(world.client, symbol)
        token.send(giver, "mint", VISITOR, float_to_raw(amount, world.deployment.tokens[symbol].decimals))
    for name in ("town settler", "town keeper"):
        world.funded_wallet(name)


def _files(folder: Path, world: World, rpc_url: str, page: Path | None, bind: str) -> None:
    """Write deployment, keys and the two files of options."""
    world.deployment.save(folder / "deployment.json")
    (folder / "password").write_text(PASSWORD, encoding="utf-8")
    for name, account in (("settler", wallet("town settler")), ("keeper", wallet("town keeper"))):
        _keystore(folder / f"{name}.json", account)
    shown = f'page = "{page.resolve()}"' if page is not None and (page / "index.html").is_file() else ""
    nodes = f'endpoints = ["{rpc_url}"]'
    key = 'keystore = "{}.json"\npass_file = "password"'
    transact = "[transact]\nconfirmations = 2\nbump_after_blocks = 20\n"
    (folder / "venue.toml").write_text(
        f'[venue]\ndeployment = "deployment.json"\npublic_rpc = "{rpc_url}"\n{shown}\n[chain]\n{nodes}\n'
        f'[settler.key]\n{key.format("settler")}\n[database]\nurl = "sqlite:///venue.sqlite"\n[web]\nbind = "{bind}"\n'
        'origins = ["http://localhost:5173", "http://127.0.0.1:5173"]\n'
        "[limits]\norders_per_sec = 2000.0\nburst_orders = 5000\nrequests_per_sec = 500.0\nburst_requests = 2000\n"
        f'{transact}[logging]\nlevel = "warning"\n',
        encoding="utf-8",
    )
    bidder = world.holders["liquidator"].account_id
    (folder / "keeper.toml").write_text(
        f'[keeper]\ndeployment = "deployment.json"\n[chain]\n{nodes}\n[database]\nurl = "sqlite:///keeper.sqlite"\n'
        f"[signers.liquidations]\n{key.format('keeper')}\n[liquidation]\nbidder = {bidder}\nmin_profit = 1.0\n"
        f'{transact}[web]\nbind = "127.0.0.1:0"\n[logging]\nlevel = "error"\n',
        encoding="utf-8",
    )
    # The liquidator's account lets the keeper's key bid for it.
    _let_bid(world, wallet("town keeper").address)


def _let_bid(world: World, keeper: str) -> None:
    """Hand the liquidator's account to the keeper's wallet."""
    holder = world.holders["liquidator"]
    world.contract("Accounts").send(holder.wallet, "transferFrom", holder.wallet.address, keeper, holder.account_id)


def _keystore(path: Path, account: LocalAccount) -> None:
    """Write a throw-away key as a wallet would, cheaply."""
    path.write_text(json.dumps(Account.encrypt(account.key, PASSWORD, kdf="pbkdf2", iterations=1)), encoding="utf-8")


@contextmanager
def _process(folder: Path, name: str) -> Iterator[subprocess.Popen[str]]:
    """Keep one of our own commands running."""
    command = [sys.executable, "-m", "plimsoll", name, "run", "--config", str(folder / f"{name}.toml")]
    with (folder / f"{name}.log").open("w", encoding="utf-8") as errors:
        # A group of its own: a signal of the terminal reaches it through us, in order.
        process = subprocess.Popen(  # noqa: S603 (our own command)
            command,
            stdout=subprocess.PIPE if name == "venue" else subprocess.DEVNULL,
            stderr=errors,
            text=True,
            start_new_session=True,
            env=os.environ,
        )
        try:
            yield process
        except UnavailableError as problem:
            tail = (folder / f"{name}.log").read_text(encoding="utf-8").strip().splitlines()[-1:]
            raise UnavailableError(problem.source, f"{problem.message}; {name}: {' '.join(tail)}") from None
        finally:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(timeout=STOP_SEC)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def _address_of(venue: subprocess.Popen[str]) -> str:
    """Return where the venue takes requests."""
    line = "" if venue.stdout is None else venue.stdout.readline().strip()
    if not line:
        raise UnavailableError("venue", "did not start")
    return line


def _traders(world: World, url: str) -> dict[str, Trader]:
    """Log everybody in."""
    found: dict[str, Trader] = {}
    deadline = time.monotonic() + START_SEC
    for name in (*(maker[0] for maker in MAKERS), "crowd"):
        holder, client = world.holders[name], connect_venue(url)
        while holder.account_id not in client.accounts_of(str(holder.wallet.address)):
            if time.monotonic() > deadline:
                raise UnavailableError("venue", f"does not know account {holder.account_id}")
            time.sleep(0.1)
        found[name] = client.trade_as(holder.wallet, holder.account_id)
    return found


def _move(market: MovingMarket, stop: threading.Event) -> None:
    """Move the market until told to stop."""
    while not stop.wait(ROUND_SEC):
        try:
            market.step()
        except PlimsollError as problem:
            log.warning("the market stands still", reason=str(problem))


def _live(traders: dict[str, Trader], stop: threading.Event, venue: subprocess.Popen[str]) -> None:
    """Let makers quote and the crowd trade until told to stop."""
    makers = [Maker(traders[name], width, size) for name, width, size in MAKERS]
    crowd = Taker(traders["crowd"], random.Random(7))  # noqa: S311 (a crowd, no secret)
    relogin = time.monotonic()
    while not stop.wait(QUOTE_SEC):
        if venue.poll() is not None:
            raise UnavailableError("venue", f"ended with code {venue.returncode}")
        try:
            if time.monotonic() - relogin > 1_800:
                for trader in traders.values():
                    trader.venue.login(trader.wallet)
                relogin = time.monotonic()
            shown = makers[0].trader.venue.instruments()
            part, marks = quoted_part(shown), {one.instrument: one for one in shown}
            requests = makers[0].requests()
            for maker in makers:
                maker.step(part)
                maker.answer(requests, marks)
            crowd.step(part)
        except PlimsollError as problem:
            log.warning("the makers rest", reason=str(problem))


@contextmanager
def _signals(stop: threading.Event) -> Iterator[None]:
    """Let SIGINT and SIGTERM ask for the end; only the main thread may."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {number: signal.signal(number, lambda *_: stop.set()) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for number, handler in before.items():
            with suppress(ValueError):
                signal.signal(number, handler)
