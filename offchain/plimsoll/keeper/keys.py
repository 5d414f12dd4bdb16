"""Keys from an encrypted keystore file; the password comes from a file or the environment, never from an option."""

from __future__ import annotations

import json
import os
from pathlib import Path

from eth_account import Account
from eth_account.signers.local import LocalAccount

from plimsoll.errors import InputError

PASSWORD_VARIABLE = "PLIMSOLL_KEYSTORE_PASSWORD"  # noqa: S105 (a name, not a password)


def _password(pass_file: Path | None) -> str:
    """Read the password from a file, else from the environment."""
    if pass_file is None:
        value = os.environ.get(PASSWORD_VARIABLE)
        if value is None:
            raise InputError("--pass-file", f"missing, and {PASSWORD_VARIABLE} is not set")
        return value
    try:
        return pass_file.read_text(encoding="utf-8").rstrip("\r\n")
    except OSError as reason:
        raise InputError("--pass-file", f"{pass_file} cannot be read ({reason.strerror})") from reason


def load_key(keystore: Path, pass_file: Path | None) -> LocalAccount:
    """Decrypt one keystore file.

    Parameters
    ----------
    keystore : Path
        Ethereum keystore, version 3.
    pass_file : Path or None
        File with the password; ``None`` takes the environment variable.

    Returns
    -------
    LocalAccount
        Ready to sign.

    Raises
    ------
    InputError
        When a file is missing or the password is wrong; the message never holds either.
    """
    return decrypt_key(keystore, _password(pass_file))


def decrypt_key(keystore: Path, password: str, source: str = "--keystore") -> LocalAccount:
    """Decrypt one keystore file with a password that is already read.

    Parameters
    ----------
    keystore : Path
        Ethereum keystore, version 3.
    password : str
        Its password.
    source : str
        Option that named the keystore, for messages.

    Returns
    -------
    LocalAccount
        Ready to sign.

    Raises
    ------
    InputError
        When the file is missing, is no keystore, or the password is wrong; the message never holds either.
    """
    try:
        document = json.loads(keystore.read_text(encoding="utf-8"))
    except OSError as reason:
        raise InputError(source, f"{keystore} cannot be read ({reason.strerror})") from reason
    except ValueError as reason:
        raise InputError(source, f"{keystore} is not JSON") from reason
    try:
        account: LocalAccount = Account.from_key(Account.decrypt(document, password))
    except (ValueError, TypeError, KeyError) as reason:
        raise InputError(source, f"{keystore} does not open with this password") from reason
    return account
