"""Passwords, tokens and keys that the configuration names by file or variable; each is told to the redactor at once."""

from __future__ import annotations

import os
from pathlib import Path

from eth_account.signers.local import LocalAccount
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from plimsoll.errors import InputError
from plimsoll.keeper.config.sections import DatabaseSection, KeySection
from plimsoll.keeper.keys import decrypt_key
from plimsoll.keeper.redaction import Redactor


def read_secret(file: Path | None, variable: str | None, source: str, redactor: Redactor) -> str:
    """Read a secret from its file or environment variable.

    Parameters
    ----------
    file : Path or None
        File that holds nothing else; line ends behind it do not count.
    variable : str or None
        Environment variable, read when there is no file.
    source : str
        Dotted path of the option, for messages.
    redactor : Redactor
        Learns the secret.

    Returns
    -------
    str

    Raises
    ------
    InputError
        When it cannot be read or is empty.
    """
    if file is not None:
        try:
            secret = file.read_text(encoding="utf-8").rstrip("\r\n")
        except OSError as reason:
            raise InputError(source, f"{file} cannot be read ({reason.strerror})") from None
        except UnicodeDecodeError:
            raise InputError(source, f"{file} is not UTF-8 text") from None
    else:
        secret = os.environ.get(variable or "", "")
    if not secret:
        raise InputError(source, f"{file or variable} is empty or not set")
    redactor.add(secret)
    return secret


def open_key(section: KeySection, source: str, redactor: Redactor) -> LocalAccount:
    """Decrypt one key of the configuration.

    Parameters
    ----------
    section : KeySection
        Keystore, and where its password is.
    source : str
        Dotted path of the section, such as ``signers.prices``.
    redactor : Redactor
        Learns password and key.

    Returns
    -------
    LocalAccount
        Ready to sign.

    Raises
    ------
    InputError
        When a file is missing or the password is wrong.
    """
    password = read_secret(section.pass_file, section.pass_env, source, redactor)
    account = decrypt_key(section.keystore, password, source)
    redactor.add(bytes(account.key).hex())
    return account


def database_url(section: DatabaseSection, redactor: Redactor, statement_sec: float) -> str:
    """Return the address of the database with its password and its time limits.

    Parameters
    ----------
    section : DatabaseSection
        Address, and where the password is.
    redactor : Redactor
        Learns the password.
    statement_sec : float
        Longest wait for one statement on these connections.

    Returns
    -------
    str
        For ``open_database``. A server that is gone without a word is given up after ``timeout_sec``.

    Raises
    ------
    InputError
        When the address cannot be read or the password is missing.
    """
    try:
        url = make_url(section.url)
    except (ArgumentError, ValueError):
        raise InputError("database.url", "is no address of a database") from None
    if url.get_backend_name() != "postgresql":
        return section.url
    if section.password_file is not None or section.password_env is not None:
        url = url.set(password=read_secret(section.password_file, section.password_env, "database", redactor))
    limit_ms = int(statement_sec * 1_000)
    # A statement is ended by the server; a server that is gone without a word is noticed by the kernel.
    limits = {
        "tcp_user_timeout": str(int(section.timeout_sec * 1_000)),
        "options": f"-c statement_timeout={limit_ms} -c lock_timeout={limit_ms}",
    }
    return url.update_query_dict({**limits, **url.query}).render_as_string(hide_password=False)
