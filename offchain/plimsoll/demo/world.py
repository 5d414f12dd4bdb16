"""The local chain of the demo: deployment, wallets, deposits and trades through signed orders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from eth_account.signers.local import LocalAccount

from plimsoll.chain.anvil import wallet
from plimsoll.chain.client import Client, Receipt
from plimsoll.chain.contracts import Contract
from plimsoll.chain.signing import domain_of, sign, sign_permit, struct_types
from plimsoll.chain.words import to_instrument
from plimsoll.constants import DAY_SEC, FUND_ID
from plimsoll.demo.plan import PlannedTrade
from plimsoll.demo.result import GasBook
from plimsoll.deployment.deploy import deploy
from plimsoll.deployment.record import Deployment
from plimsoll.deployment.spec import Spec
from plimsoll.mirror.order_preview import OpenOrder
from plimsoll.model import Mode, Position
from plimsoll.protocol.orders import OrderTerms, signed_order
from plimsoll.units import float_to_raw, float_to_wad

ORDER_LIFE_SEC = DAY_SEC
# The highest fee that every order and quote of the demo accepts; rates above it would be refused.
MAX_FEE = 0.01
GAS_MONEY_WEI = hex(10**24)
SIGNER_COUNT = 3


@dataclass(slots=True)
class Holder:
    """A wallet and the account it owns."""

    name: str
    wallet: LocalAccount
    mode: Mode
    account_id: int = -1
    nonce: int = 0


@dataclass(slots=True)
class World:
    """A deployed installation with its holders.

    Parameters
    ----------
    client : Client
        Endpoint of the local chain.
    deployment : Deployment
        What was deployed.
    signers : tuple[LocalAccount, ...]
        Oracle keys.
    gas : GasBook
        Gas used by step.
    governor : LocalAccount
        Who set everything up and may change parameters.
    """

    client: Client
    deployment: Deployment
    signers: tuple[LocalAccount, ...]
    gas: GasBook
    governor: LocalAccount
    holders: dict[str, Holder] = field(default_factory=dict)

    def contract(self, name: str) -> Contract:
        """Return a contract of the deployment.

        Parameters
        ----------
        name : str
            Contract name.

        Returns
        -------
        Contract
            Ready to call.
        """
        return self.deployment.contract(self.client, name)

    def funded_wallet(self, seed: str) -> LocalAccount:
        """Return a throw-away wallet with money for gas.

        Parameters
        ----------
        seed : str
            Same seed, same wallet.

        Returns
        -------
        LocalAccount
            Funded.
        """
        account = wallet(seed)
        self.client.rpc("anvil_setBalance", account.address, GAS_MONEY_WEI)
        return account

    def set_time(self, ts: int) -> None:
        """Mine an empty block at ``ts``; transactions after it follow second by second."""
        self.client.rpc("evm_setNextBlockTimestamp", ts)
        self.client.rpc("evm_mine")

    def mint(self, holder: Holder, symbol: str, amount: float) -> tuple[Contract, int]:
        """Give a holder tokens.

        Parameters
        ----------
        holder : Holder
            Receiver.
        symbol : str
            Token.
        amount : float
            How many.

        Returns
        -------
        tuple[Contract, int]
            The token and the raw amount.
        """
        token = self.deployment.token_contract(self.client, symbol)
        amount_raw = float_to_raw(amount, self.deployment.tokens[symbol].decimals)
        token.send(holder.wallet, "mint", holder.wallet.address, amount_raw)
        return token, amount_raw

    def open(
        self,
        name: str,
        mode: Mode,
        amount: float,
        *,
        by_permit: bool,
        owner: LocalAccount | None = None,
        symbol: str = "USDC",
    ) -> Holder:
        """Open an account with a first deposit, in one transaction of the wallet where a permit is used.

        Parameters
        ----------
        name : str
            Shown in the report.
        mode : Mode
            Margin mode.
        amount : float
            Deposit, in tokens.
        by_permit : bool
            Sign an EIP-2612 permit instead of sending an approval.
        owner : LocalAccount, optional
            Wallet; a new one by default.
        symbol : str
            Token that is deposited.

        Returns
        -------
        Holder
            With its account id.
        """
        holder = Holder(name, owner or self.funded_wallet(name), mode)
        holder.account_id = self.contract("Accounts").call("nextAccountId")
        token, amount_raw = self.mint(holder, symbol, amount)
        vault = self.contract("Vault")
        if by_permit:
            deadline_ts = self.client.block_ts() + ORDER_LIFE_SEC
            signed = sign_permit(holder.wallet, token, vault.address, amount_raw, deadline_ts)
            values = (int(mode), token.address, amount_raw, deadline_ts, signed.v, signed.r, signed.s)
            receipt = vault.send(holder.wallet, "openAndDepositWithPermit", *values)
            self.gas.note("openAndDepositWithPermit", receipt.gas_used)
        else:
            token.send(holder.wallet, "approve", vault.address, amount_raw)
            receipt = vault.send(holder.wallet, "openAndDeposit", int(mode), token.address, amount_raw)
            self.gas.note("openAndDeposit", receipt.gas_used)
        self.holders[name] = holder
        return holder

    def deposit(self, holder: Holder, symbol: str, amount: float, account_id: int | None = None) -> None:
        """Deposit collateral by approval.

        Parameters
        ----------
        holder : Holder
            Payer.
        symbol : str
            Token.
        amount : float
            How many.
        account_id : int, optional
            Account that is credited; the holder's own by default.
        """
        token, amount_raw = self.mint(holder, symbol, amount)
        vault = self.contract("Vault")
        token.send(holder.wallet, "approve", vault.address, amount_raw)
        target = holder.account_id if account_id is None else account_id
        receipt = vault.send(holder.wallet, "deposit", target, token.address, amount_raw)
        self.gas.note("deposit", receipt.gas_used)

    def seed_fund(self, cash: float) -> None:
        """Let governance fill the insurance fund.

        Parameters
        ----------
        cash : float
            In cash units.
        """
        self.deposit(Holder("governor", self.governor, Mode.SINGLE), "USDC", cash, FUND_ID)

    def withdraw(self, holder: Holder, cash: float) -> None:
        """Take back cash that the finished book does not need.

        Parameters
        ----------
        holder : Holder
            Owner.
        cash : float
            In cash units.
        """
        record = self.deployment.tokens["USDC"]
        amount_raw = float_to_raw(cash, record.decimals)
        receipt = self.contract("Vault").send(
            holder.wallet, "withdraw", holder.account_id, record.address, amount_raw, holder.wallet.address
        )
        self.gas.note("withdraw", receipt.gas_used)

    def set_taker_fees(self, linear: float, option: float) -> None:
        """Let governance set what takers pay; makers pay nothing.

        Parameters
        ----------
        linear, option : float
            Share of quantity times price; of an option: of the premium.
        """
        exchange = self.contract("Exchange")
        linear_wad, option_wad = float_to_wad(linear), float_to_wad(option)
        exchange.send(self.governor, "setFeeCaps", (float_to_wad(MAX_FEE), float_to_wad(MAX_FEE)))
        exchange.send(self.governor, "setFees", (0, linear_wad, 0, option_wad))

    def borrow(self, holder: Holder, cash: float) -> Receipt:
        """Take out cash that the account does not have, against its collateral.

        Parameters
        ----------
        holder : Holder
            Borrower.
        cash : float
            In cash units.

        Returns
        -------
        Receipt
            Of the payment.
        """
        amount_raw = float_to_raw(cash, self.deployment.tokens["USDC"].decimals)
        values = (holder.account_id, amount_raw, holder.wallet.address)
        receipt = self.contract("Vault").send(holder.wallet, "borrow", *values)
        self.gas.note("borrow", receipt.gas_used)
        return receipt

    def accrue(self, sender: LocalAccount, account_ids: Sequence[int]) -> None:
        """Book pending interest and funding of some accounts; anybody may.

        Parameters
        ----------
        sender : LocalAccount
            Who pays the gas.
        account_ids : Sequence[int]
            Accounts.
        """
        receipt = self.contract("Accounts").send(sender, "accrue", list(account_ids))
        self.gas.note("accrue", receipt.gas_used)

    def _transfer_count(self, holder: Holder) -> int:
        """How often the holder's account has changed hands, which everything signed for it names."""
        return int(self.contract("Accounts").call("transferCountOf", holder.account_id))

    def _signed_order(self, holder: Holder, order: OpenOrder) -> tuple[dict[str, Any], bytes]:
        """Sign one order."""
        holder.nonce += 1
        terms = OrderTerms(
            account_id=holder.account_id,
            signer=holder.wallet.address,
            first_nonce=holder.nonce,
            expiry_ts=self.client.block_ts() + ORDER_LIFE_SEC,
            max_fee=MAX_FEE,
            transfer_count=self._transfer_count(holder),
        )
        return signed_order(self.contract("Exchange"), holder.wallet, order, self.deployment.underlyings, terms)

    def trade(self, taker: Holder, maker: Holder, trade: PlannedTrade) -> Receipt:
        """Match a taker and the market maker through the exchange.

        Parameters
        ----------
        taker : Holder
            Whose book the trade builds; buys when the quantity is positive.
        maker : Holder
            The other side.
        trade : PlannedTrade
            Position and price.

        Returns
        -------
        Receipt
            Of the settlement of both orders.
        """
        other = replace(trade.position, quantity=-trade.position.quantity)
        made, maker_signature = self._signed_order(maker, OpenOrder(other, trade.price))
        taken, taker_signature = self._signed_order(taker, OpenOrder(trade.position, trade.price))
        values = (made, maker_signature, taken, taker_signature, made["quantityWad"])
        receipt = self.contract("Exchange").send(maker.wallet, "settle", *values)
        self.gas.note("trade", receipt.gas_used)
        return receipt

    def fill_quote(self, taker: Holder, maker: Holder, trades: Sequence[PlannedTrade]) -> Receipt:
        """Let a taker fill one signed quote of several legs: all of them or none.

        Parameters
        ----------
        taker : Holder
            Asked for the quote; its book gets the legs.
        maker : Holder
            Signs the quote.
        trades : Sequence[PlannedTrade]
            One for each leg, as the taker sees it.

        Returns
        -------
        Receipt
            Of the fill.
        """
        exchange = self.contract("Exchange")
        maker.nonce += 1
        legs = [
            {
                "instrument": to_instrument(trade.position, self.deployment.underlyings[trade.position.underlying]),
                "isBuy": trade.position.quantity < 0,
                "quantityWad": abs(float_to_wad(trade.position.quantity)),
                "priceWad": float_to_wad(trade.price),
            }
            for trade in trades
        ]
        quote: dict[str, object] = {
            "accountId": maker.account_id,
            "takerId": taker.account_id,
            "legs": legs,
            "nonce": maker.nonce,
            "expiryTs": self.client.block_ts() + ORDER_LIFE_SEC,
            "signer": maker.wallet.address,
            "maxFeeWad": float_to_wad(MAX_FEE),
            "transferCount": self._transfer_count(maker),
        }
        primary, types = struct_types(exchange, "fillQuote")
        signature = sign(maker.wallet, domain_of(exchange), primary, types, quote)
        values = (quote, signature, taker.account_id, float_to_wad(MAX_FEE))
        receipt = exchange.send(taker.wallet, "fillQuote", *values)
        self.gas.note("fillQuote", receipt.gas_used)
        return receipt

    def isolate(self, holder: Holder, name: str, position: Position, cash: float) -> Holder:
        """Move one position and some cash into a sub-account.

        Parameters
        ----------
        holder : Holder
            Owner of the account that has it.
        name : str
            Name of the sub-account in the report.
        position : Position
            What moves.
        cash : float
            Goes along, in cash units.

        Returns
        -------
        Holder
            The sub-account, with the same wallet.
        """
        accounts = self.contract("Accounts")
        sub = Holder(name, holder.wallet, holder.mode, accounts.call("nextAccountId"))
        instrument = to_instrument(position, self.deployment.underlyings[position.underlying])
        receipt = accounts.send(holder.wallet, "isolate", holder.account_id, instrument, 0, 0, float_to_wad(cash))
        self.gas.note("isolate", receipt.gas_used)
        self.holders[name] = sub
        return sub


def build_world(client: Client, spec: Spec, gas: GasBook) -> World:
    """Deploy everything on a fresh local chain.

    Parameters
    ----------
    client : Client
        Endpoint.
    spec : Spec
        What to deploy; its signers are replaced by throw-away keys.
    gas : GasBook
        Collects gas used.

    Returns
    -------
    World
        Without holders.
    """
    signers = tuple(wallet(f"oracle signer {number}") for number in range(SIGNER_COUNT))
    deployer = wallet("deployer")
    client.rpc("anvil_setBalance", deployer.address, GAS_MONEY_WEI)
    client.rpc("anvil_setBlockTimestampInterval", 1)
    deployment = deploy(client, deployer, spec.with_signers(tuple(s.address for s in signers)))
    return World(client, deployment, signers[: spec.oracle.signer_threshold], gas, deployer)
