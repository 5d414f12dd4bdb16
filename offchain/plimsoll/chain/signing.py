"""EIP-712 signatures: oracle rounds, token prices, settlement samples, orders, permits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import SimpleNamespace
from typing import Any

from eth_account.signers.local import LocalAccount

from plimsoll.chain.abi import Function
from plimsoll.chain.contracts import Contract

Fields = list[dict[str, str]]

DOMAIN_FIELDS: Fields = [
    {"name": "name", "type": "string"},
    {"name": "version", "type": "string"},
    {"name": "chainId", "type": "uint256"},
    {"name": "verifyingContract", "type": "address"},
]
PERMIT_FIELDS: Fields = [
    {"name": "owner", "type": "address"},
    {"name": "spender", "type": "address"},
    {"name": "value", "type": "uint256"},
    {"name": "nonce", "type": "uint256"},
    {"name": "deadline", "type": "uint256"},
]


def domain_of(contract: Contract) -> dict[str, Any]:
    """Read the EIP-712 domain of a contract (ERC-5267).

    Parameters
    ----------
    contract : Contract
        Anything that inherits OpenZeppelin's EIP712.

    Returns
    -------
    dict[str, Any]
        Name, version, chain id and verifying contract.
    """
    _, name, version, chain_id, verifying, _, _ = contract.call("eip712Domain")
    return {"name": name, "version": version, "chainId": chain_id, "verifyingContract": verifying}


def struct_types(contract: Contract, function: str, index: int = 0) -> tuple[str, dict[str, Fields]]:
    """Read the EIP-712 types of a struct argument off the ABI, so that they cannot drift from the contract.

    Parameters
    ----------
    contract : Contract
        Contract with a function that takes the struct.
    function : str
        That function.
    index : int
        Position of the struct among its arguments.

    Returns
    -------
    tuple[str, dict[str, Fields]]
        Name of the struct; types of it and of the structs inside.
    """
    return types_of(contract.artifact.functions[function], index)


def types_of(function: Function, index: int = 0) -> tuple[str, dict[str, Fields]]:
    """Read the EIP-712 types of a struct argument; as ``struct_types``, of a function of an artefact.

    Parameters
    ----------
    function : Function
    index : int
        Position of the struct among its arguments.

    Returns
    -------
    tuple[str, dict[str, Fields]]
        Name of the struct; types of it and of the structs inside.
    """
    types: dict[str, Fields] = {}

    def visit(entry: Mapping[str, Any]) -> str:
        kind = str(entry["type"])
        if not kind.startswith("tuple"):
            return kind
        name = str(entry["internalType"]).removeprefix("struct ").rsplit(".", 1)[-1].split("[", 1)[0]
        types[name] = [{"name": c["name"], "type": visit(c)} for c in entry["components"]]
        return name + kind[5:]

    return visit(function.inputs[index]), types


def sign(
    account: LocalAccount, domain: Mapping[str, Any], primary: str, types: Mapping[str, Fields], message: Any
) -> bytes:
    """Sign one typed message.

    Parameters
    ----------
    account : LocalAccount
        Signer.
    domain : Mapping[str, Any]
        See :func:`domain_of`.
    primary : str
        Name of the struct.
    types : Mapping[str, Fields]
        See :func:`struct_types`.
    message : Any
        Field values.

    Returns
    -------
    bytes
        65-byte signature ``r || s || v``.
    """
    document = {
        "domain": dict(domain),
        "types": {"EIP712Domain": DOMAIN_FIELDS, **types},
        "primaryType": primary,
        "message": message,
    }
    return bytes(account.sign_typed_data(full_message=document).signature)


def sign_by_all(
    signers: Sequence[LocalAccount],
    domain: Mapping[str, Any],
    primary: str,
    types: Mapping[str, Fields],
    message: Any,
) -> list[bytes]:
    """Sign with several keys, in the order the oracle asks for.

    Parameters
    ----------
    signers : Sequence[LocalAccount]
        Oracle signers.
    domain : Mapping[str, Any]
        See :func:`domain_of`.
    primary : str
        Name of the struct.
    types : Mapping[str, Fields]
        See :func:`struct_types`.
    message : Any
        Field values.

    Returns
    -------
    list[bytes]
        Signatures, strictly increasing by signer address.
    """
    ordered = sorted(signers, key=lambda signer: int(signer.address, 16))
    return [sign(signer, domain, primary, types, message) for signer in ordered]


def sign_permit(
    owner: LocalAccount, token: Contract, spender: str, amount_raw: int, deadline_ts: int
) -> SimpleNamespace:
    """Sign an EIP-2612 permit.

    Parameters
    ----------
    owner : LocalAccount
        Holder of the tokens.
    token : Contract
        ERC-20 with permit.
    spender : str
        Who may move them.
    amount_raw : int
        How many, in the token's own decimals.
    deadline_ts : int
        Last second of validity.

    Returns
    -------
    SimpleNamespace
        Fields ``v``, ``r``, ``s``.
    """
    message = {
        "owner": owner.address,
        "spender": spender,
        "value": amount_raw,
        "nonce": token.call("nonces", owner.address),
        "deadline": deadline_ts,
    }
    signature = sign(owner, domain_of(token), "Permit", {"Permit": PERMIT_FIELDS}, message)
    return SimpleNamespace(v=signature[64], r=signature[:32], s=signature[32:64])
