"""Contracts that one deployer creates and configures, one transaction after the other."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from eth_account.signers.local import LocalAccount
from eth_utils.address import to_checksum_address

from plimsoll.chain.abi import constructor_values, creation_code, load_artifact
from plimsoll.chain.client import Client, Receipt
from plimsoll.chain.contracts import LOCAL_GAS, Contract
from plimsoll.deployment.progress import Journal
from plimsoll.deployment.record import artifact_name
from plimsoll.errors import InputError


@dataclass(slots=True)
class Build:
    """A deployment under way."""

    client: Client
    account: LocalAccount
    is_local: bool
    report: Callable[[str], None]
    contracts: dict[str, Contract] = field(default_factory=dict)
    first_block: int = 0
    journal: Journal | None = None
    roles: dict[str, Any] = field(default_factory=dict)
    constructors: dict[str, str] = field(default_factory=dict)

    @property
    def gas(self) -> int | None:
        """Fixed on a local chain, estimated elsewhere."""
        return LOCAL_GAS if self.is_local else None

    def create(self, name: str, *values: Any) -> str:
        """Deploy one contract and remember it."""
        self.report(name)
        self.constructors[name] = constructor_values(artifact_name(name), *values).hex()
        self.contracts[name] = self.create_alone(artifact_name(name), *values)
        return self.contracts[name].address

    def create_alone(self, artifact: str, *values: Any) -> Contract:
        """Deploy a contract that is no part of the installation."""
        data, source = creation_code(artifact, *values), f"{artifact}.constructor"
        receipt = self.transact(None, data, source)
        self.first_block = self.first_block or receipt.block_number
        if receipt.contract_address is None:
            raise InputError(source, f"transaction {receipt.tx_hash} created no contract")
        return Contract(self.client, load_artifact(artifact), to_checksum_address(receipt.contract_address))

    def send(self, name: str, function: str, *values: Any) -> Receipt:
        """Configure one contract."""
        contract = self.contracts[name]
        return self.transact(contract.address, contract.encode(function, *values), f"{name}.{function}")

    def transact(self, to: str | None, data: bytes, source: str) -> Receipt:
        """Send one transaction; with a journal, only when the chain does not have it yet."""
        if self.journal is not None:
            return self.journal.transact(to, data, self.gas, source)
        return self.client.send(self.account, to, data, self.gas, source)
