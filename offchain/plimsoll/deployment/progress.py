"""A deployment that may be interrupted anywhere: one transaction after the other, each written down before it is sent.

The transactions of a deployment are the same every time and take consecutive nonces of one key. So the place of a
transaction says which one it is, and a run that goes on finds out from the chain what became of each.
"""

from __future__ import annotations

import hashlib
import json
import os
import tempfile
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from eth_account.signers.local import LocalAccount

from plimsoll.chain.client import Client, Receipt
from plimsoll.errors import InputError
from plimsoll.files.folder import make_folder

SCHEMA = "plimsoll.deployment.part/1"


def part_path(out: Path) -> Path:
    """Return where the progress of a deployment is kept.

    Parameters
    ----------
    out : Path
        Artefact that the deployment will write.

    Returns
    -------
    Path
        Beside it.
    """
    return out.with_name(out.name + ".part")


def digest_of(*parts: Any) -> str:
    """Return a fingerprint of what is deployed.

    Parameters
    ----------
    *parts : Any
        Anything with a stable ``repr``.

    Returns
    -------
    str
        Hexadecimal.
    """
    return hashlib.sha256(repr(parts).encode()).hexdigest()


def write_whole(path: Path, document: Any) -> None:
    """Write JSON so that a reader sees the old file or the new one, never a part.

    Parameters
    ----------
    path : Path
        Target; its folder is created.
    document : Any
        What JSON can hold.
    """
    make_folder(path.parent, str(path))
    try:
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=path.name, suffix=".tmp")
    except OSError as error:
        raise InputError(str(path), f"cannot be written ({error.strerror})") from None
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as stream:
            json.dump(document, stream, indent=1, sort_keys=True)
            stream.write("\n")
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


@dataclass(slots=True)
class _Written:
    """What the file holds."""

    chain_id: int
    deployer: str
    digest: str
    first_nonce: int
    hashes: list[str] = field(default_factory=list)


class Journal:
    """Transactions of one deployment, in order.

    Parameters
    ----------
    path : Path
        Where progress is kept.
    client : Client
        Endpoint.
    account : LocalAccount
        Deployer; nothing else may use its key meanwhile.
    digest : str
        What is deployed, see :func:`digest_of`.

    Raises
    ------
    InputError
        When the file is damaged, or belongs to another deployment.
    """

    def __init__(self, path: Path, client: Client, account: LocalAccount, digest: str) -> None:
        self._path, self._client, self._account = path, client, account
        self._next = 0
        self._written = self._read() if path.exists() else self._fresh(digest)
        wanted = (client.chain_id, account.address, digest)
        if (self._written.chain_id, self._written.deployer, self._written.digest) != wanted:
            raise InputError(
                str(path), "belongs to another configuration, chain or deployer; remove it to start afresh"
            )

    def _fresh(self, digest: str) -> _Written:
        return _Written(self._client.chain_id, self._account.address, digest, self._count("latest"))

    def _count(self, block: str) -> int:
        return int(self._client.rpc("eth_getTransactionCount", self._account.address, block), 16)

    def _read(self) -> _Written:
        try:
            document = json.loads(self._path.read_text(encoding="utf-8"))
            if document.pop("schema") != SCHEMA:
                raise KeyError
            return _Written(**document)
        except (ValueError, KeyError, TypeError, AttributeError) as reason:
            raise InputError(str(self._path), "is no progress of a deployment") from reason

    def _write(self, place: int, tx_hash: str) -> None:
        self._written.hashes[place:] = [tx_hash]
        write_whole(self._path, {"schema": SCHEMA, **asdict(self._written)})

    def transact(self, to: str | None, data: bytes, gas: int | None, source: str) -> Receipt:
        """Make sure that the next transaction is mined: find it, wait for it, or send it.

        Parameters
        ----------
        to : str or None
            Target; ``None`` creates a contract.
        data : bytes
            Call data or creation code.
        gas : int, optional
            Gas limit; estimated when absent.
        source : str
            Name used in an error message.

        Returns
        -------
        Receipt
            Of the successful transaction.

        Raises
        ------
        InputError
            When the key was used by something else, or the transaction failed when it was sent before.
        """
        place, self._next = self._next, self._next + 1
        nonce = self._written.first_nonce + place
        if place < len(self._written.hashes):
            receipt = self._find(self._written.hashes[place])
            if receipt is not None:
                if receipt.status == 0:
                    raise InputError(
                        str(self._path), f"{source} failed in {receipt.tx_hash}; remove it to start afresh"
                    )
                return receipt
        if self._count("latest") != nonce:
            raise InputError(
                str(self._path), f"nonce {nonce} of the deployer is not free for {source}: its key was used elsewhere"
            )
        return self._client.send(
            self._account, to, data, gas, source, nonce=nonce, record=lambda tx_hash: self._write(place, tx_hash)
        )

    def _find(self, tx_hash: str) -> Receipt | None:
        """Receipt of what was sent before; one that waits in the pool is waited for."""
        if self._client.rpc("eth_getTransactionByHash", tx_hash) is None:
            return None
        return self._client.wait(tx_hash)

    def close(self) -> None:
        """Forget the progress: the artefact is written."""
        self._path.unlink(missing_ok=True)
