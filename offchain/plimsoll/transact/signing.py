"""Transactions signed, with either kind of fee fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from eth_account.signers.local import LocalAccount

from plimsoll.transact.fees import Fees

#: Gas of a transfer that carries no data.
TRANSFER_GAS: Final = 21_000


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed transaction: its bytes and its hash with prefix ``0x``."""

    raw: bytes
    tx_hash: str


def sign_call(
    account: LocalAccount, chain_id: int, nonce: int, target: str, data: bytes, gas: int, fees: Fees
) -> Signed:
    """Sign a call without value.

    Parameters
    ----------
    account : LocalAccount
        Signer.
    chain_id : int
        Chain that it is good for.
    nonce : int
        Nonce of the signer.
    target : str
        Contract address, of any spelling.
    data : bytes
        Call data.
    gas : int
        Gas limit.
    fees : Fees
        Fee fields; they decide the kind of the transaction.

    Returns
    -------
    Signed
        The same for the same arguments.
    """
    fields: dict[str, Any] = {
        "chainId": chain_id,
        "nonce": nonce,
        "gas": gas,
        "to": bytes.fromhex(target.removeprefix("0x")),
        "value": 0,
        "data": data,
    }
    if fees.is_legacy:
        fields["gasPrice"] = fees.max_wei
    else:
        fields |= {"type": 2, "maxFeePerGas": fees.max_wei, "maxPriorityFeePerGas": fees.tip_wei}
    signed = account.sign_transaction(fields)
    return Signed(bytes(signed.raw_transaction), "0x" + bytes(signed.hash).hex())
