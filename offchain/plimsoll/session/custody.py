"""Open an account, deposit, withdraw; on a local chain tokens are made for the wallet first."""

from __future__ import annotations

from plimsoll.errors import InputError
from plimsoll.model import Mode
from plimsoll.session.arguments import choice
from plimsoll.session.session import Holder, Session
from plimsoll.units import float_to_raw, raw_to_float


def open_account(session: Session, name: str, amount: float, token: str) -> Holder:
    """Open an account with a first deposit.

    Parameters
    ----------
    session : Session
    name : str
        Wallet.
    amount : float
        Tokens.
    token : str
        Symbol.

    Returns
    -------
    Holder
        Wallet and the new account.

    Raises
    ------
    InputError
        When the token is not listed, or the wallet holds too little on a chain where none can be made.
    RevertError
        When the vault refuses; on a local chain nothing is left of it.
    """
    by, address, amount_raw = session.wallet(name), _address(session, token), _raw(session, amount, token)
    with session.all_or_nothing():
        _provide(session, Holder(by, -1), token, amount_raw)
        session.send(by, session.contract("Vault"), "openAndDeposit", int(Mode.SINGLE), address, amount_raw)
    return Holder(by, session.accounts_of(by.address)[-1])


def account_with(session: Session, name: str, amount: float) -> Holder:
    """Return a wallet with its newest account; one that has none gets one with this much cash, on local chains."""
    by = session.wallet(name)
    owned = session.accounts_of(by.address)
    if owned or not session.is_local:
        return session.holder(name)
    return open_account(session, name, amount, "USDC")


def deposit(session: Session, holder: Holder, amount: float, token: str) -> None:
    """Deposit tokens into an account.

    Raises
    ------
    InputError
        When the token is not listed, or the wallet holds too little on a chain where none can be made.
    RevertError
        When the vault refuses; on a local chain nothing is left of it.
    """
    address, amount_raw = _address(session, token), _raw(session, amount, token)
    with session.all_or_nothing():
        _provide(session, holder, token, amount_raw)
        session.send(holder.wallet, session.contract("Vault"), "deposit", holder.account_id, address, amount_raw)


def withdraw(session: Session, holder: Holder, amount: float, token: str) -> None:
    """Withdraw tokens from an account to its wallet.

    Raises
    ------
    InputError
        When the token is not listed, or more than the margin leaves free; names how much may leave now.
    RevertError
        When the vault refuses for another reason.
    """
    address, amount_raw = _address(session, token), _raw(session, amount, token)
    most_raw = session.contract("ActionPreview").call("maxWithdraw", holder.account_id, address)
    if amount_raw > most_raw:
        most = raw_to_float(most_raw, session.deployment.tokens[token].decimals)
        raise InputError(
            "amount", f"{plain(amount)} {token} is more than may leave account {holder.account_id}: {plain(most)}"
        )
    values = (holder.account_id, address, amount_raw, holder.wallet.address)
    session.send(holder.wallet, session.contract("Vault"), "withdraw", *values)


def balance(session: Session, holder: Holder, token: str) -> float:
    """Return how many tokens a wallet holds outside of the protocol."""
    held_raw = session.deployment.token_contract(session.client, token).call("balanceOf", holder.wallet.address)
    return raw_to_float(held_raw, session.deployment.tokens[token].decimals)


def plain(amount: float) -> str:
    """Return an amount of tokens with as many decimals as it needs, six at most."""
    return f"{amount:,.6f}".rstrip("0").rstrip(".")


def _address(session: Session, token: str) -> str:
    return session.deployment.tokens[choice("token", token, session.deployment.tokens)].address


def _raw(session: Session, amount: float, token: str) -> int:
    """Return an amount in the token's own units; what is less than one of them is no amount."""
    decimals = session.deployment.tokens[token].decimals
    amount_raw = float_to_raw(amount, decimals)
    if not amount_raw:
        raise InputError("amount", f"{amount:g} {token} is less than its smallest unit, 1e-{decimals}")
    return amount_raw


def _provide(session: Session, holder: Holder, token: str, amount_raw: int) -> None:
    """See to it that the wallet holds the tokens and the vault may take them."""
    contract = session.deployment.token_contract(session.client, token)
    if session.is_local:
        session.send(holder.wallet, contract, "mint", holder.wallet.address, amount_raw)
    elif (held_raw := contract.call("balanceOf", holder.wallet.address)) < amount_raw:
        raise InputError("amount", f"the wallet holds {held_raw} units of {token}, {amount_raw} are needed")
    session.send(holder.wallet, contract, "approve", session.contract("Vault").address, amount_raw)
