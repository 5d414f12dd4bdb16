"""Morpho Blue beside the installation: one market of ether and dollars, whoever lends in it, and its own oracle."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address
from eth_utils.crypto import keccak

from plimsoll.chain.abi import encode_values, load_artifact, parse_artifact
from plimsoll.chain.client import Client
from plimsoll.chain.contracts import Contract
from plimsoll.deployment.loan_spec import LoanSpec
from tests.chain.helpers.published import morpho_contracts

GAS = 30_000_000
WAD = 10**18
SYMBOL = "LOAN"
LLTV = 0.86
BUFFER, COST = 0.02, 0.01
#: What honest people lend in the market, in dollars or in coins.
LENT = {True: 50_000_000, False: 25_000}
#: Types of what makes a market, for its id.
PARAMS = ("address", "address", "address", "address", "uint256")


@dataclass(frozen=True, slots=True)
class Venue:
    """What stands beside the installation; ``is_long`` when the coins are collateral."""

    morpho: str
    oracle: str
    irm: str
    coin: str
    dollars: str
    is_long: bool

    @property
    def params(self) -> tuple[Any, ...]:
        """What makes the market, as Morpho takes it."""
        sides = (self.dollars, self.coin) if self.is_long else (self.coin, self.dollars)
        return (*sides, self.oracle, self.irm, round(LLTV * WAD))

    @property
    def id(self) -> bytes:
        """Its id."""
        return bytes(keccak(encode_values([{"name": "", "type": kind} for kind in PARAMS], self.params)))

    def price(self, price: float) -> int:
        """What the market's oracle says where a coin costs so many dollars."""
        return round(price * 10**24) if self.is_long else round(10**48 / price)


NO_VENUE = Venue(*[""] * 5, True)


def _create(client: Client, admin: LocalAccount, name: str, *values: Any) -> Contract:
    found = parse_artifact(name, morpho_contracts()[name])
    inputs = next((entry["inputs"] for entry in found.abi if entry["type"] == "constructor"), ())
    receipt = client.send(admin, None, found.bytecode + encode_values(inputs, values), GAS, name)
    return Contract(client, found, to_checksum_address(str(receipt.contract_address)))


def build_venue(
    client: Client, admin: LocalAccount, coin: str, dollars: str, price: float, *, is_long: bool = True
) -> Venue:
    """Create Morpho with one market, in which somebody honest lends; both tokens are local ones that anyone mints."""
    morpho = _create(client, admin, "Morpho", admin.address)
    irm, oracle = _create(client, admin, "IrmMock"), _create(client, admin, "OracleMock")
    made = Venue(morpho.address, oracle.address, irm.address, coin, dollars, is_long)
    morpho.send(admin, "enableIrm", irm.address)
    morpho.send(admin, "enableLltv", round(LLTV * WAD))
    morpho.send(admin, "createMarket", made.params)
    oracle.send(admin, "setPrice", made.price(price))
    lent, decimals = (dollars, 6) if is_long else (coin, 18)
    raw, token = LENT[is_long] * 10**decimals, Contract(client, load_artifact("LocalToken"), lent)
    token.send(admin, "mint", admin.address, raw)
    token.send(admin, "approve", morpho.address, 2**256 - 1)
    morpho.send(admin, "supply", made.params, raw, 0, admin.address, b"")
    return made


def loan_spec(at: Venue, holder: str) -> LoanSpec:
    """A loan in that market, all of it somebody's."""
    return LoanSpec(
        symbol=SYMBOL,
        name="Loan of ether and dollars",
        morpho=at.morpho,
        market_id="0x" + at.id.hex(),
        holder=holder,
        base="WETH",
        is_long=at.is_long,
        buffer=BUFFER,
        cost=COST,
        cap=100_000.0 if at.is_long else 200_000_000.0,
        top_price=40_000.0,
        haircut=0.2,
        linked_haircut=0.02,
    )


def contracts(client: Client, at: Venue) -> dict[str, Contract]:
    """Morpho and the oracle of the market, by name."""
    made = {"Morpho": at.morpho, "OracleMock": at.oracle}
    return {name: Contract(client, parse_artifact(name, morpho_contracts()[name]), a) for name, a in made.items()}
