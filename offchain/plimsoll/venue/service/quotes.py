"""Requests for quote, quotes of several legs, and intents: passed on, checked by signature, settled by the chain."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any, cast

from plimsoll.chain.revert import RevertError
from plimsoll.client.schema.account import Draft, DraftLeg
from plimsoll.client.schema.problem import RefusalError
from plimsoll.client.schema.rfq import (
    AskQuotes,
    CallView,
    CloseIntent,
    DeltaIntent,
    GiveClose,
    GiveDelta,
    GiveQuote,
    IntentAccepted,
    IntentPage,
    Quote,
    QuoteLeg,
    QuoteView,
    RequestView,
    TakeQuote,
    WantedLeg,
)
from plimsoll.client.schema.stream import Quotes, Requests
from plimsoll.constants import WAD
from plimsoll.deployment.record import Deployment
from plimsoll.errors import PlimsollError, UnavailableError
from plimsoll.keeper.calls import Question, call_data
from plimsoll.venue.book import events as ev
from plimsoll.venue.book.state import QuoteState, RequestState, State
from plimsoll.venue.chain.digests import Typed
from plimsoll.venue.chain.follower import Follower
from plimsoll.venue.chain.world import World
from plimsoll.venue.gate.authority import Authority
from plimsoll.venue.gate.margin import excess_wad
from plimsoll.venue.gate.terms import (
    Steps,
    check_band,
    check_instrument,
    check_life,
    check_nonce,
    check_price,
    check_quantity,
    message_of,
)
from plimsoll.venue.journal.desk import Desk
from plimsoll.venue.service.margins import changes_of
from plimsoll.venue.service.orders import OrderService, now_ms

#: Fee that the transaction of a quote accepts when the taker says nothing: as the contracts' own intents, any.
ANY_FEE = 2**256 - 1
#: Open requests of one account, and quotes of one request.
MOST_REQUESTS, MOST_QUOTES = 20, 100
#: Open intents in all.
MOST_INTENTS = 10_000


class QuoteService:
    """Passes requests and quotes on.

    Parameters
    ----------
    desk : Desk
        Log and state.
    world : World
        Rules and rounds.
    follower : Follower
        Nonces of the chain.
    authority : Authority
        Signatures and grants.
    orders : OrderService
        Who owns what.
    deployment : Deployment
        Addresses.
    steps : Steps
        Of prices and quantities.
    settler : str
        Address that takes quotes for whoever granted it that.
    """

    def __init__(
        self,
        desk: Desk,
        world: World,
        follower: Follower,
        authority: Authority,
        orders: OrderService,
        deployment: Deployment,
        steps: Steps,
        settler: str,
    ) -> None:
        self._desk, self._world, self._follower = desk, world, follower
        self._authority, self._orders, self._deployment = authority, orders, deployment
        self._steps, self._settler = steps, settler
        self._quote = Typed(deployment, "Exchange", "fillQuote")
        self._intents = {
            "delta": Typed(deployment, "Intents", "fillDelta"),
            "close": Typed(deployment, "Intents", "fillClose"),
        }

    async def ask(self, caller: str, wanted: AskQuotes) -> RequestView:
        """Open a request."""
        await self._orders.require_owner(caller, wanted.takerId)
        for place, leg in enumerate(wanted.legs):
            check_instrument(leg.instrument, self._world, f"legs.{place}.instrument")
            check_quantity(leg.quantityWad, self._steps, f"legs.{place}.quantityWad")
        _check_different([leg.instrument for leg in wanted.legs], "legs")
        now = now_ms()
        mine = [r for r in self._desk.state.requests.values() if r.taker_id == wanted.takerId and r.expiry_ms > now]
        if len(mine) >= MOST_REQUESTS:
            text = f"account {wanted.takerId} has {len(mine)} open requests, limit {MOST_REQUESTS}"
            raise RefusalError("tooManyOrders", text, field="takerId", value=len(mine), limit=MOST_REQUESTS)
        legs = [[leg.instrument, leg.isBuy, leg.quantityWad] for leg in wanted.legs]
        event = ev.Requested(wanted.takerId, caller, legs, now, now + wanted.lifeSec * 1_000)
        number = await self._desk.run(lambda engine: engine.note(event))
        return self._view(self._desk.state.requests[number], caller)

    async def requests(self, caller: str | None) -> list[RequestView]:
        """Return open requests."""
        now = now_ms()
        return [self._view(one, caller) for one in self._desk.state.requests.values() if one.expiry_ms > now]

    async def request(self, caller: str | None, request_id: int) -> RequestView:
        """Return one request."""
        return self._view(self._known(request_id), caller)

    async def give(self, request_id: int, wanted: GiveQuote) -> QuoteView:
        """Take a maker's quote in: it answers the request leg by leg, is signed, and both sides could bear it now."""
        request, quote = self._known(request_id), wanted.quote
        if request.expiry_ms <= now_ms():
            text = f"requestId: request {request_id} ended at {request.expiry_ms}"
            raise RefusalError("expired", text, field="requestId", value=request_id, limit=request.expiry_ms)
        if len(request.quotes) >= MOST_QUOTES:
            text = f"request {request_id} has {MOST_QUOTES} quotes, which is the limit"
            raise RefusalError("tooManyOrders", text, field="requestId", limit=MOST_QUOTES)
        self._check_quote(quote, request)
        message = _plain(quote)
        digest = self._quote.digest(message)
        quote_hash = "0x" + digest.hex()
        if quote_hash in self._desk.state.quotes:
            raise RefusalError(
                "duplicate", f"quote {quote_hash} was given before", field="quote.nonce", value=quote.nonce
            )
        await self._follower.ledger.know([], [(quote.signer, quote.nonce)])
        check_nonce(quote.signer, quote.nonce, self._follower.ledger, "quote.nonce")
        await self._check_maker(quote, digest, wanted.signature)
        await self._desk.run(lambda engine: engine.note(ev.Quoted(request_id, quote_hash, message, wanted.signature)))
        return self.quote_view(self._desk.state.quotes[quote_hash])

    async def take(self, caller: str, wanted: TakeQuote) -> QuoteView:
        """Take a quote by the venue's own key, for a taker who has let it trade."""
        quote = self._desk.state.quotes.get(wanted.quoteHash)
        request = None if quote is None else self._desk.state.requests[quote.request_id]
        if quote is None or request is None:
            text = f"quoteHash: there is no quote {wanted.quoteHash}"
            raise RefusalError("unknownRequest", text, field="quoteHash", value=wanted.quoteHash)
        await self._orders.require_owner(caller, request.taker_id)
        if quote.state != "open":
            text = f"quoteHash: the quote is {quote.state}"
            raise RefusalError("duplicate", text, field="quoteHash", value=quote.state)
        for leg in quote.message["legs"]:
            count = await self._world.reads.one("Accounts", "transferCountOf", request.taker_id)
            (refusal,) = await self._authority.check_accounts(
                [(request.taker_id, self._settler, leg["instrument"], count)]
            )
            if refusal is not None:
                text = (
                    f"the venue's key {self._settler} may not trade for account {request.taker_id}; send the quote's "
                    "transaction from the owner's wallet, or grant the key that"
                )
                raise RefusalError("notAuthorised", text, field="quoteHash", value=wanted.quoteHash)
        moved = ev.QuoteMoved(quote.quote_hash, "taken", str(wanted.maxFeeWad), None, None)
        await self._desk.run(lambda engine: engine.note(moved))
        return self.quote_view(quote)

    async def intend(self, wanted: GiveDelta | GiveClose) -> IntentAccepted:
        """Keep a signed intent for solvers."""
        intent: DeltaIntent | CloseIntent = wanted.intent
        message = message_of(intent)
        digest = self._intents[wanted.kind].digest(message)
        text = "0x" + digest.hex()
        if len(self._desk.state.intents) >= MOST_INTENTS:
            raise RefusalError("tooManyOrders", f"{MOST_INTENTS} intents are open, which is the limit")
        if text in self._desk.state.intents:
            return IntentAccepted(digest=text)
        check_life(intent.expiryTs, self._world, self._steps, "intent.expiryTs")
        await self._follower.ledger.know([], [(intent.signer, intent.nonce)])
        check_nonce(intent.signer, intent.nonce, self._follower.ledger, "intent.nonce")
        (signed,) = await self._authority.check_signatures(
            [(intent.signer, digest, bytes.fromhex(wanted.signature[2:]))]
        )
        if signed is not None:
            raise signed
        if await self._world.reads.one("Intents", "isFilled", digest):
            raise RefusalError("overfilled", f"intent {text} is filled on chain already", field="intent", value=text)
        await self._orders.require_owner(intent.signer, intent.accountId)
        event = ev.Intended(text, wanted.kind, message, wanted.signature)
        await self._desk.run(lambda engine: engine.note(event))
        return IntentAccepted(digest=text)

    async def intents(self) -> IntentPage:
        """Return open intents as the document that the keeper's solver reads."""
        shown: list[GiveDelta | GiveClose] = []
        for one in self._desk.state.intents.values():
            if one.kind == "delta":
                delta = DeltaIntent.model_construct(**one.message)
                shown.append(GiveDelta.model_construct(kind="delta", intent=delta, signature=one.signature))
            else:
                close = CloseIntent.model_construct(**one.message)
                shown.append(GiveClose.model_construct(kind="close", intent=close, signature=one.signature))
        return IntentPage.model_validate({"schema": "plimsoll.intents/1", "intents": shown})

    # Views.

    def quote_view(self, quote: QuoteState) -> QuoteView:
        """Return a quote with the transaction that takes it."""
        request = self._desk.state.requests[quote.request_id]
        values = (quote.message, bytes.fromhex(quote.signature[2:]), request.taker_id, ANY_FEE)
        data = "0x" + call_data("Exchange", "fillQuote", *values).hex()
        return QuoteView(
            quoteHash=quote.quote_hash,
            quote=_quote_of(quote),
            signature=quote.signature,
            state=cast("Any", quote.state),
            netWad=_net_wad(quote.message["legs"]),
            transaction=CallView(to=self._deployment.contracts["Exchange"], data=data),
            txHash=quote.tx_hash,
            blockNumber=quote.block_number,
            reason="" if quote.state == "taken" else quote.reason,
        )

    def published_requests(self, state: State, ids: Iterable[int]) -> Requests:
        """Return requests for the stream, without their quotes."""
        return Requests(requests=[self._view(state.requests[number], None) for number in ids])

    def published_quotes(self, state: State, hashes: Iterable[str]) -> list[tuple[int, str]]:
        """Return quotes for the stream, to their maker and their taker."""
        groups: defaultdict[int, list[QuoteView]] = defaultdict(list)
        for quote_hash in hashes:
            quote = state.quotes[quote_hash]
            view = self.quote_view(quote)
            for account_id in (state.requests[quote.request_id].taker_id, quote.message["accountId"]):
                groups[account_id].append(view)
        return [(account_id, Quotes(quotes=views).model_dump_json()) for account_id, views in groups.items()]

    def _view(self, request: RequestState, caller: str | None) -> RequestView:
        quotes: list[QuoteView] = []
        if caller == request.caller:
            quotes = [self.quote_view(self._desk.state.quotes[one]) for one in request.quotes]
            quotes.sort(key=lambda quote: quote.netWad)
        legs = [WantedLeg.model_construct(instrument=i, isBuy=b, quantityWad=q) for i, b, q in request.legs]
        return RequestView(
            requestId=request.request_id,
            takerId=request.taker_id,
            legs=legs,
            askedMs=request.asked_ms,
            expiryMs=request.expiry_ms,
            isOpen=request.expiry_ms > now_ms(),
            quotes=quotes,
            seq=request.seq,
        )

    def _known(self, request_id: int) -> RequestState:
        found = self._desk.state.requests.get(request_id)
        if found is None:
            text = f"requestId: there is no request {request_id}"
            raise RefusalError("unknownRequest", text, field="requestId", value=request_id)
        return found

    # Checks.

    def _check_quote(self, quote: Quote, request: RequestState) -> None:
        """Refuse a quote that is no answer to its request, or cannot be settled."""
        if quote.takerId not in (0, request.taker_id):
            text = f"quote.takerId: is {quote.takerId}, the request is of account {request.taker_id}"
            raise RefusalError("badField", text, field="quote.takerId", value=quote.takerId, limit=request.taker_id)
        if quote.accountId == request.taker_id:
            text = f"quote.accountId: account {quote.accountId} cannot trade with itself"
            raise RefusalError("selfTrade", text, field="quote.accountId", value=quote.accountId)
        offered = [[leg.instrument, not leg.isBuy, leg.quantityWad] for leg in quote.legs]
        if offered != request.legs:
            text = "quote.legs: instruments, sides (the other way round) and quantities must be those of the request"
            raise RefusalError("badField", text, field="quote.legs")
        for place, leg in enumerate(quote.legs):
            is_option = check_instrument(leg.instrument, self._world, f"quote.legs.{place}.instrument")
            check_price(leg.priceWad, is_option, self._steps, f"quote.legs.{place}.priceWad")
            if is_option:
                check_band(leg.instrument, self._world, f"quote.legs.{place}.instrument")
        check_life(quote.expiryTs, self._world, self._steps, "quote.expiryTs")

    async def _check_maker(self, quote: Quote, digest: bytes, signature: str) -> None:
        """Refuse a quote that is not signed by who may, or that its maker could not bear now."""
        try:
            (signed,) = await self._authority.check_signatures([(quote.signer, digest, bytes.fromhex(signature[2:]))])
            asked = [(quote.accountId, quote.signer, leg.instrument, quote.transferCount) for leg in quote.legs]
            allowed = await self._authority.check_accounts(asked)
            for refusal in (signed, *allowed):
                if refusal is not None:
                    raise refusal
            await self._check_margin(quote.accountId, quote.legs)
        except UnavailableError as problem:
            raise RefusalError("chainDown", f"quotes cannot be checked now: {problem}", retry_after_sec=1.0) from None

    async def _check_margin(self, account_id: int, legs: Sequence[QuoteLeg]) -> None:
        drafted = tuple(
            DraftLeg.model_construct(
                instrument=leg.instrument,
                quantityWad=leg.quantityWad if leg.isBuy else -leg.quantityWad,
                priceWad=leg.priceWad,
            )
            for leg in legs
        )
        draft = Draft.model_construct(mode=None, cashWad=0, tokens=(), legs=drafted)
        question = Question("MarginEngine", "preview", (account_id, changes_of(draft)))
        (answer,) = await self._world.reads.ask([question])
        if isinstance(answer, RevertError):
            raise RefusalError("margin", f"the margin of account {account_id} cannot be computed: it {answer.message}")
        if isinstance(answer, PlimsollError):
            raise answer
        before, after = answer[0], answer[1]
        if excess_wad(after) < min(0, excess_wad(before)):
            text = (
                f"account {account_id} would have equity {after.equityWad / WAD:,.2f} against initial margin "
                f"{after.initialWad / WAD:,.2f} after this quote"
            )
            raise RefusalError("margin", text, field="quote.legs", value=after.equityWad, limit=after.initialWad)


def _check_different(instruments: Sequence[int], field: str) -> None:
    """Refuse one instrument twice, as the exchange does."""
    if len(set(instruments)) < len(instruments):
        raise RefusalError("badField", f"{field}: each instrument may be named once", field=field)


def _plain(quote: Quote) -> dict[str, Any]:
    """Return a quote as plain numbers and texts."""
    return {**message_of(quote), "legs": [message_of(leg) for leg in quote.legs]}


def _quote_of(quote: QuoteState) -> Quote:
    legs = [QuoteLeg.model_construct(**leg) for leg in quote.message["legs"]]
    return Quote.model_construct(**{**quote.message, "legs": legs})


def _net_wad(legs: Iterable[Any]) -> int:
    """Return what the taker pays in premiums; linear instruments change hands for nothing."""
    total_wad = 0
    for leg in legs:
        if (leg["instrument"] >> 240) & 0xFF < 2:
            value_wad = leg["quantityWad"] * leg["priceWad"] // WAD
            total_wad += -value_wad if leg["isBuy"] else value_wad
    return total_wad
