"""Make the keystores of a local chain: accounts that every anvil funds, whose keys everybody knows.

    python deploy/local_keys.py FOLDER

The mnemonic is the public one of test chains, so nothing that these keys hold is worth anything. Files that are there
already stay as they are.
"""

from __future__ import annotations

import json
import os
import secrets
import sys
from pathlib import Path
from typing import Final

from eth_account import Account

MNEMONIC: Final = "test test test test test test test test test test test junk"
#: File name -> number of the account; the first one stays with whoever deploys.
ACCOUNTS: Final = {"prices": 1, "signer-1": 2, "signer-2": 3, "liquidations": 4}
#: Enough for keys that are public anyway; a real keystore is made by a wallet, with its own work factor.
ROUNDS: Final = 4_096


def write_new(path: Path, text: str) -> None:
    """Write a file that only its owner may read, whole or not at all."""
    part = path.with_suffix(".part")
    part.write_text(text, encoding="utf-8")
    part.chmod(0o600)
    os.replace(part, path)


def main(folder: Path) -> None:
    """Write what is missing."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    password = folder / "password"
    if not password.exists():
        write_new(password, secrets.token_hex(24))
    Account.enable_unaudited_hdwallet_features()
    for name, number in ACCOUNTS.items():
        path = folder / f"{name}.json"
        if not path.exists():
            account = Account.from_mnemonic(MNEMONIC, account_path=f"m/44'/60'/0'/0/{number}")
            keystore = Account.encrypt(account.key, password.read_text(encoding="utf-8"), "scrypt", ROUNDS)
            write_new(path, json.dumps(keystore))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
