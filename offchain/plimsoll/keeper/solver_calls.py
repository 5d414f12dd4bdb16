"""From a fill to the call that settles it: the solver's quote, signed, and the intent that it fills."""

from __future__ import annotations

from typing import Any, Final

from eth_account.signers.local import LocalAccount

from plimsoll.chain.contracts import Contract
from plimsoll.chain.signing import sign, struct_types
from plimsoll.chain.words import to_instrument
from plimsoll.constants import E8, WAD
from plimsoll.decide import FillIntent
from plimsoll.decide.solver import Fill
from plimsoll.deployment.record import Deployment
from plimsoll.keeper.calls import call_data
from plimsoll.keeper.names import id_of
from plimsoll.keeper.signed_intents import FUNCTIONS, SignedIntent
from plimsoll.mirror.order_preview import OpenOrder
from plimsoll.protocol.orders import exchange_domain
from plimsoll.transact.intent import Transaction
from plimsoll.units import float_to_wad

#: Prices of linear instruments come in steps of 1e-8.
STEP_WAD: Final = WAD // E8
#: Highest fee that the solver's quote accepts, as a share of quantity times price.
MAX_FEE_WAD: Final = WAD // 100
#: What another solver's fill, or the owner's change of mind, makes of ours.
DONE_FILL: Final = frozenset({"Intents__Filled", "Intents__Cancelled", "Intents__Transferred", "Intents__Expired"})


def quote_message(
    fill: Fill, signed: SignedIntent, solver_id: int, signer: str, transfer_count: int, deployment: Deployment
) -> dict[str, Any]:
    """Build the quote that fills an intent.

    Parameters
    ----------
    fill : Fill
        Trades as the account that signed sees them.
    signed : SignedIntent
        The intent; the quote is for its account alone, and lasts no longer.
    solver_id : int
        Account on the other side.
    signer : str
        Who signs for it.
    transfer_count : int
        How often the solver's account has changed hands.
    deployment : Deployment
        Ids.

    Returns
    -------
    dict
        Fields of ``IExchange.Quote``. The nonce follows from the intent, so that a quote that is built again is the
        same quote.
    """
    return {
        "accountId": solver_id,
        "takerId": signed.account_id,
        "legs": [_leg(order, deployment) for order in fill.legs],
        "nonce": int(signed.digest[2:18], 16),
        "expiryTs": int(signed.message["expiryTs"]),
        "signer": signer,
        "maxFeeWad": MAX_FEE_WAD,
        "transferCount": transfer_count,
    }


def fill_call(
    signed: SignedIntent, quote: dict[str, Any], wallet: LocalAccount, exchange: Contract, deployment: Deployment
) -> Transaction:
    """Sign the quote and encode the fill.

    Parameters
    ----------
    signed : SignedIntent
        The intent.
    quote : dict
        See :func:`quote_message`.
    wallet : LocalAccount
        Signs for the solver's account.
    exchange : Contract
        Its ABI decides the fields of the struct.
    deployment : Deployment
        Domain and addresses.

    Returns
    -------
    Transaction
        Anybody may send it.
    """
    primary, types = struct_types(exchange, "fillQuote")
    signature = sign(wallet, exchange_domain(deployment), primary, types, quote)
    data = call_data("Intents", FUNCTIONS[signed.kind], signed.message, signed.signature, quote, signature)
    return Transaction(FillIntent(signed.digest).key, deployment.contracts["Intents"], data, DONE_FILL)


def _leg(order: OpenOrder, deployment: Deployment) -> dict[str, Any]:
    """Encode one leg as the solver sees it, its price rounded in favour of the account that signed."""
    position = order.position
    price_wad = float_to_wad(order.limit)
    if not position.kind.is_option:
        is_bought = position.quantity > 0.0
        price_wad = (price_wad if is_bought else price_wad + STEP_WAD - 1) // STEP_WAD * STEP_WAD
    return {
        "instrument": to_instrument(position, id_of(deployment.underlyings, position.underlying)),
        "isBuy": position.quantity < 0.0,
        "quantityWad": abs(float_to_wad(position.quantity)),
        "priceWad": price_wad,
    }
