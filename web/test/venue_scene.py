"""An order service on the chain of the scene, and a maker who quotes there; for the tests that trade."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from eth_account.signers.local import LocalAccount

from plimsoll.chain.anvil import wallet
from plimsoll.client import Trader, VenueError, connect_venue
from plimsoll.client.client import Terms, sign_typed
from plimsoll.client.schema.rfq import GiveQuote, Quote, QuoteLeg, QuoteView, RequestPage
from plimsoll.session.session import Session
from plimsoll.units import float_to_wad

PAGE: Final = Path(__file__).resolve().parents[1] / "dist"
OFFCHAIN: Final = Path(__file__).resolve().parents[2] / "offchain"
#: Of a throw-away key in a folder that ends with the tests.
PASSWORD: Final = "local"  # noqa: S105
SPREAD: Final = 0.02
SIZE: Final = 25.0
LIFE_SEC: Final = 3_600
START_SEC: Final = 60.0
POLL_SEC: Final = 0.2


@dataclass(slots=True)
class VenueScene:
    """A running order service with a maker."""

    url: str
    process: subprocess.Popen[str]
    maker: Trader
    stopping: threading.Event = field(default_factory=threading.Event)

    def quote_around_marks(self, underlying_id: int) -> int:
        """Place a bid and an ask around the mark of every instrument that has one; return how many."""
        orders = []
        for entry in self.maker.venue.instruments(underlying_id):
            mark = 0.0 if entry.markWad is None else entry.markWad / 1e18
            if mark < 1.0:
                continue
            half = max(SPREAD * mark, 0.05) if entry.kind in ("call", "put") else 0.5
            for side, price in ((1, mark - half), (-1, mark + half)):
                orders.append(self.maker.signed(entry.instrument, side * SIZE, round(price, 2), Terms(kind="postOnly")))
        placed = 0
        for start in range(0, len(orders), 100):
            results = self.maker.place_many(orders[start : start + 100])
            placed += sum(result.problem is None for result in results)
        return placed

    def answer_requests(self) -> None:
        """Answer every open request once, at the marks, until the scene ends."""
        seen: set[int] = set()
        while not self.stopping.is_set():
            with contextlib.suppress(VenueError):
                for request in self.maker.venue.transport.get("/requests", RequestPage).requests:
                    if request.requestId not in seen:
                        seen.add(request.requestId)
                        self._give(request)
            time.sleep(POLL_SEC)

    def _give(self, request: Any) -> None:
        venue, maker = self.maker.venue, self.maker
        marks = {entry.instrument: entry.markWad for entry in venue.instruments()}
        account = venue.account(maker.account_id)
        legs = [
            {
                "instrument": leg.instrument,
                "isBuy": not leg.isBuy,
                "quantityWad": leg.quantityWad,
                "priceWad": marks[leg.instrument] // 10**16 * 10**16,
            }
            for leg in request.legs
        ]
        message: dict[str, Any] = {
            "accountId": maker.account_id,
            "takerId": request.takerId,
            "legs": legs,
            "nonce": time.time_ns(),
            "expiryTs": account.blockTs + 600,
            "signer": str(maker.wallet.address),
            "maxFeeWad": float_to_wad(0.01),
            "transferCount": account.transferCount,
        }
        signature = sign_typed(maker.wallet, venue.config.quote, message)
        quote = Quote.model_construct(**message | {"legs": [QuoteLeg.model_construct(**leg) for leg in legs]})
        body = GiveQuote.model_construct(quote=quote, signature=signature)
        venue.transport.post(f"/requests/{request.requestId}/quotes", body, QuoteView)

    def stop(self) -> None:
        """End the service."""
        self.stopping.set()
        if self.process.poll() is not None:
            return
        self.process.send_signal(signal.SIGINT)
        self.process.wait(timeout=30)


def _keystore(folder: Path, key: LocalAccount) -> None:
    encrypted = key.encrypt(PASSWORD, kdf="pbkdf2", iterations=1)
    (folder / "settler.json").write_text(json.dumps(encrypted), encoding="utf-8")
    (folder / "password").write_text(PASSWORD, encoding="utf-8")


def start_venue(session: Session, record: Path, maker_id: int) -> VenueScene:
    """Start the service beside the deployment's record and let the maker log in."""
    folder = record.parent
    _keystore(folder, session.wallet("venue settler"))
    config = folder / "venue.toml"
    lines = (
        "[venue]",
        f'deployment = "{record.name}"',
        f'page = "{PAGE}"',
        f'public_rpc = "{session.client.url}"',
        "[chain]",
        f'endpoints = ["{session.client.url}"]',
        "[settler.key]",
        'keystore = "settler.json"',
        'pass_file = "password"',
        "[web]",
        'bind = "127.0.0.1:0"',
    )
    config.write_text("\n".join(lines), encoding="utf-8")
    command = [sys.executable, "-m", "plimsoll", "venue", "run", "--config", str(config)]
    with (folder / "venue.log").open("w", encoding="utf-8") as errors:
        # The package of this very checkout, as for the scene itself.
        environment = os.environ | {"PYTHONPATH": str(OFFCHAIN)}
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True, env=environment)
    url = process.stdout.readline().strip() if process.stdout else ""
    if not url:
        raise AssertionError((folder / "venue.log").read_text(encoding="utf-8")[-3_000:])
    scene = VenueScene(url, process, _maker(url, maker_id))
    threading.Thread(target=scene.answer_requests, daemon=True).start()
    return scene


def _maker(url: str, account_id: int) -> Trader:
    """Log the maker in as soon as the service knows its account."""
    client, until = connect_venue(url), time.monotonic() + START_SEC
    while account_id not in client.accounts_of(wallet("maker").address):
        if time.monotonic() > until:
            raise AssertionError(f"the venue does not know account {account_id}")
        time.sleep(POLL_SEC)
    return client.trade_as(wallet("maker"), account_id)
