"""The deployment artefact: addresses, ids and parameters of one installation, as JSON on disk."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from plimsoll.chain.abi import load_artifact
from plimsoll.chain.client import Client
from plimsoll.chain.contracts import Contract
from plimsoll.deployment.progress import write_whole
from plimsoll.errors import InputError, UnavailableError

SCHEMA = "plimsoll.deployment/1"
#: Where the records of a checkout live, by the name of their network; below the folder that a command runs in.
RECORDS = Path("build", "plimsoll")
#: Environment variable with the folder of the records that are called by a name.
FOLDER_VARIABLE = "PLIMSOLL_DEPLOYMENTS"

#: Contracts that are deployed more than once, each time bound to another book.
INSTANCES = {f"{book}{engine}": engine for book in ("Prior", "Draft") for engine in ("RiskEngine", "MarginEngine")}


def artifact_name(name: str) -> str:
    """Return the contract that is deployed under ``name``.

    Parameters
    ----------
    name : str
        Name in a deployment.

    Returns
    -------
    str
        Name of its artefact.
    """
    return INSTANCES.get(name, name)


@dataclass(frozen=True, slots=True)
class TokenRecord:
    """One listed token."""

    token_id: int
    address: str
    decimals: int


@dataclass(frozen=True, slots=True)
class Deployment:
    """Where one installation lives.

    Parameters
    ----------
    network : str
        Name of the configuration it was made from.
    chain_id : int
        Chain it lives on.
    block : int
        First block that can hold one of its events.
    contracts : Mapping[str, str]
        Address by contract name.
    tokens : Mapping[str, TokenRecord]
        Listed tokens by symbol; id 0 is the cash token.
    underlyings : Mapping[str, int]
        Underlying ids by symbol.
    parameters : Mapping[str, Any]
        Risk parameters by the names of risk-model.md.
    """

    network: str
    chain_id: int
    block: int
    contracts: Mapping[str, str]
    tokens: Mapping[str, TokenRecord]
    underlyings: Mapping[str, int]
    parameters: Mapping[str, Any]

    def contract(self, client: Client, name: str) -> Contract:
        """Bind one contract to a client.

        Parameters
        ----------
        client : Client
            Endpoint.
        name : str
            Contract name.

        Returns
        -------
        Contract
            Ready to call.
        """
        return Contract(client, load_artifact(artifact_name(name)), self.contracts[name])

    def token_contract(self, client: Client, symbol: str, artifact: str = "LocalToken") -> Contract:
        """Bind one token to a client.

        Parameters
        ----------
        client : Client
            Endpoint.
        symbol : str
            Token symbol.
        artifact : str
            Artefact whose ABI is used.

        Returns
        -------
        Contract
            Ready to call.
        """
        return Contract(client, load_artifact(artifact), self.tokens[symbol].address)

    def save(self, path: Path) -> None:
        """Write the artefact; a reader sees the old file or the new one, never a part.

        Parameters
        ----------
        path : Path
            Target; its folder is created.
        """
        write_whole(path, {"schema": SCHEMA, **asdict(self)})


def record_path(name_or_file: str) -> Path:
    """Return where the record of a deployment lives.

    Parameters
    ----------
    name_or_file : str
        A path that ends in ``.json``, or the name of a network: ``development`` is ``development.json`` in the folder
        that the environment variable ``PLIMSOLL_DEPLOYMENTS`` names, else in ``build/plimsoll``.

    Returns
    -------
    Path
        It need not exist.

    Raises
    ------
    InputError
        When a name would lead out of the folder of the records.
    """
    if name_or_file.endswith(".json"):
        return Path(name_or_file)
    if Path(name_or_file).name != name_or_file or name_or_file in ("", ".."):
        raise InputError("deployment", f"{name_or_file!r} is neither a .json file nor the name of a network")
    return Path(os.environ.get(FOLDER_VARIABLE, RECORDS)) / f"{name_or_file}.json"


def load_deployment(name_or_file: str | Path) -> Deployment:
    """Read an artefact.

    Parameters
    ----------
    name_or_file : str or Path
        JSON file that :meth:`Deployment.save` wrote, or the name of a network; see :func:`record_path`.

    Returns
    -------
    Deployment
        Checked for schema and fields.

    Raises
    ------
    InputError
        When the file is missing, no JSON, or of another shape.
    """
    path = record_path(str(name_or_file))
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as reason:
        raise InputError(str(path), f"cannot be read ({reason.strerror})") from reason
    except ValueError as reason:
        raise InputError(str(path), "is not JSON") from reason
    if not isinstance(document, dict) or document.pop("schema", None) != SCHEMA:
        raise InputError(str(path), f"schema is not {SCHEMA}")
    try:
        tokens = {symbol: TokenRecord(**record) for symbol, record in document.pop("tokens").items()}
        return Deployment(tokens=tokens, **document)
    except (KeyError, TypeError, AttributeError) as reason:
        raise InputError(str(path), f"not a deployment: {reason}") from reason


def check_chain(deployment: Deployment, client: Client) -> None:
    """Refuse an endpoint of another chain, or one where the contracts are not.

    Parameters
    ----------
    deployment : Deployment
        Artefact.
    client : Client
        Endpoint.

    Raises
    ------
    UnavailableError
        When the chain id differs or no code is at the address of Accounts.
    """
    if client.chain_id != deployment.chain_id:
        raise UnavailableError(client.url, f"chain id is {client.chain_id}, the deployment's is {deployment.chain_id}")
    if client.rpc("eth_getCode", deployment.contracts["Accounts"], "latest") == "0x":
        raise UnavailableError(client.url, "no code at the address of Accounts")
