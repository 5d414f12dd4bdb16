"""Order templates of a suggestion, written beside it."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from plimsoll.analytics.optimise.trades import Suggestion
from plimsoll.constants import DAY_SEC
from plimsoll.errors import InputError
from plimsoll.market.chain_file import replace_file
from plimsoll.model import Market

MAX_VALID_SEC = 30 * DAY_SEC
MAX_NONCE = 2**255
MAX_TRANSFERS = 2**64


@dataclass(frozen=True, slots=True)
class OrderOptions:
    """What the command line says about the orders."""

    out: Path | None
    deployment: Path | None
    account_id: int
    signer: str
    nonce: int
    valid_sec: int
    transfer_count: int = 0

    def __post_init__(self) -> None:
        """Check every option."""
        if not 0 <= self.account_id < 2**256:
            raise InputError("--account", f"{self.account_id} is no account id")
        if not re.fullmatch(r"0x[0-9a-fA-F]{40}", self.signer):
            raise InputError("--signer", f"{self.signer!r} is no address")
        if not 0 <= self.nonce < MAX_NONCE:
            raise InputError("--nonce", f"{self.nonce} is outside [0, 2^255)")
        if not 0 <= self.transfer_count < MAX_TRANSFERS:
            raise InputError("--transfers", f"{self.transfer_count} is outside [0, 2^64)")
        if not 1 <= self.valid_sec <= MAX_VALID_SEC:
            raise InputError("--valid", f"{self.valid_sec} is outside [1, {MAX_VALID_SEC}]")


def write_orders(market: Market, found: Suggestion, options: OrderOptions) -> list[dict[str, Any]]:
    """Build the messages of a suggestion; write them when a file was asked for.

    Without a deployment underlyings are numbered from 1 in alphabetical order, as a local chain lists them.
    """
    # Late: signing and the ABI layer are slow to import, and --help needs neither.
    from plimsoll.deployment.record import load_deployment
    from plimsoll.protocol.orders import OrderTerms, exchange_domain, order_document, order_messages

    ids = {name: number for number, name in enumerate(sorted(market.rounds), 1)}
    domain = None
    if options.deployment is not None:
        deployment = load_deployment(options.deployment)
        ids, domain = dict(deployment.underlyings), exchange_domain(deployment)
    expiry_ts = market.ts + options.valid_sec
    who = (options.account_id, options.signer, options.nonce, expiry_ts)
    terms = OrderTerms(*who, transfer_count=options.transfer_count)
    orders = [trade.order for trade in found.trades]
    messages = order_messages(orders, [trade.candidate.held for trade in found.trades], ids, terms)
    document = order_document(messages, domain)
    if options.out is not None:
        text = json.dumps(document, indent=1) + "\n"
        replace_file(options.out, lambda name: Path(name).write_text(text, encoding="utf-8"))
    return list(document["orders"])
