"""Oracle messages as their signers make them; the types are written out here, apart from the contract."""

from __future__ import annotations

from typing import Any

from eth_account import Account

WAD = 10**18
DAY = 86_400
#: Throw-away keys, by increasing address.
SIGNERS = sorted((Account.from_key(bytes([n] * 32)) for n in (1, 2, 3)), key=lambda s: int(s.address, 16))
STRANGER = Account.from_key(bytes([9] * 32))

SURFACE = (
    "uint40 expiryTs,uint256 forwardWad,int256 rateWad,int256 aWad,uint256 bWad,int256 rhoWad,int256 mWad,uint256 sWad"
)
TYPES = {
    "Round": "uint8 underlyingId,uint40 ts,uint256 spotWad,uint256 perpWad,uint256 confWad,uint256 meanWad,"
    "Surface[] surfaces",
    "TokenPrices": "uint40 ts,uint256[] tokenIds,uint256[] pricesWad",
    "SettlementSamples": "uint8 underlyingId,uint40 expiryTs,uint40[] sampleTs,uint256[] spotsWad",
}
DOMAIN = "string name,string version,uint256 chainId,address verifyingContract"


def _fields(text: str) -> list[dict[str, str]]:
    return [dict(zip(("type", "name"), entry.split(" "), strict=True)) for entry in text.split(",")]


def surface(expiry_ts: int, **changed: int) -> dict[str, int]:
    """One slice of a quiet market."""
    slice_ = {
        "expiryTs": expiry_ts,
        "forwardWad": 1_905 * WAD,
        "rateWad": 4 * 10**16,
        "aWad": 2 * 10**15,
        "bWad": 3 * 10**16,
        "rhoWad": -2 * 10**17,
        "mWad": 10**16,
        "sWad": 10**17,
    }
    return slice_ | changed


def market_round(ts: int, expiries: tuple[int, ...] = (), **changed: Any) -> dict[str, Any]:
    """A round of underlying 1."""
    message = {"underlyingId": 1, "ts": ts, "spotWad": 1_900 * WAD, "perpWad": 1_899 * WAD, "confWad": WAD}
    return message | {"meanWad": 0, "surfaces": [surface(expiry) for expiry in expiries]} | changed


def sign(oracle: Any, primary: str, message: dict[str, Any], signers: Any = SIGNERS[:2], **domain: Any) -> list[bytes]:
    """Signatures in the order of ``signers``; ``domain`` replaces fields of the oracle's domain."""
    _, name, version, chain_id, verifying, _, _ = oracle.eip712Domain()
    own = {"name": name, "version": version, "chainId": chain_id, "verifyingContract": verifying}
    types = {"EIP712Domain": _fields(DOMAIN), primary: _fields(TYPES[primary])}
    if primary == "Round":
        types["Surface"] = _fields(SURFACE)
    document = {"domain": own | domain, "types": types, "primaryType": primary, "message": message}
    return [bytes(s.sign_typed_data(full_message=document).signature) for s in signers]


def plain(value: Any) -> Any:
    """A struct as Brownie takes it: nested tuples."""
    if isinstance(value, dict):
        return tuple(plain(v) for v in value.values())
    return [plain(v) for v in value] if isinstance(value, list | tuple) else value


def post(oracle: Any, function: str, message: dict[str, Any], relayer: Any, **how: Any) -> Any:
    """Sign and relay one message; returns the receipt."""
    primary = {"postRound": "Round", "postTokenPrices": "TokenPrices", "postSettlement": "SettlementSamples"}[function]
    return getattr(oracle, function)(plain(message), sign(oracle, primary, message, **how), {"from": relayer})


def numbers(values: Any) -> list[int]:
    """Plain integers out of what Brownie returns; its own types do not compare with tuples."""
    return [int(value) for value in values]
