"""Requests for quote from the taker's question to the chain, by its own wallet and by the venue's key; intents."""

import time

from helpers.keeper_runs import until
from helpers.venue_runs import SETTLER, refusal

from plimsoll.client import VenueError
from plimsoll.client.client import sign_typed
from plimsoll.client.schema.rfq import (
    AskQuotes,
    GiveDelta,
    GiveQuote,
    IntentAccepted,
    Quote,
    QuoteLeg,
    QuoteView,
    RequestView,
    TakeQuote,
    WantedLeg,
)
from plimsoll.constants import WAD
from plimsoll.keeper.signed_intents import read_intents


def legs_of(who, count=2):
    """A spread of options near the money and a perpetual."""
    shown = [one for one in who.venue.instruments() if one.symbol == "ETH" and one.greeks]
    calls = [one for one in shown if one.kind == "call" and 0.2 < one.greeks.deltaWad / WAD < 0.8][:count]
    return [*calls, next(one for one in shown if one.kind == "perp")]


def ask(who, instruments):
    legs = [
        WantedLeg.model_construct(instrument=one.instrument, isBuy=place % 2 == 0, quantityWad=WAD)
        for place, one in enumerate(instruments)
    ]
    body = AskQuotes.model_construct(takerId=who.account_id, legs=legs, lifeSec=60)
    return who.venue.transport.post("/requests", body, RequestView)


def quote(who, request, instruments, *, wallet=None, **changes):
    legs = [
        {
            "instrument": leg.instrument,
            "isBuy": not leg.isBuy,
            "quantityWad": leg.quantityWad,
            "priceWad": one.markWad // 10**16 * 10**16,
        }
        for leg, one in zip(request.legs, instruments, strict=True)
    ]
    message = {
        "accountId": who.account_id,
        "takerId": request.takerId,
        "legs": legs,
        "nonce": time.time_ns(),
        "expiryTs": who.venue.account(who.account_id).blockTs + 600,
        "signer": who.wallet.address,
        "maxFeeWad": WAD // 50,
        "transferCount": 0,
        **changes,
    }
    signature = sign_typed(wallet or who.wallet, who.venue.config.quote, message)
    made = Quote.model_construct(**{**message, "legs": [QuoteLeg.model_construct(**leg) for leg in message["legs"]]})
    return GiveQuote.model_construct(quote=made, signature=signature)


def give(who, request, body):
    return who.venue.transport.post(f"/requests/{request.requestId}/quotes", body, QuoteView)


def test_request__quoted_and_taken_by_the_takers_wallet__settles_whole(anna, ben, chain):
    instruments = legs_of(anna)
    with ben.stream("requests") as told:
        request = ask(anna, instruments)
        heard = [m for m in told.messages(wait_sec=2.0) if m.type == "requests" and m.data.requests]
    assert request.requestId in {one.requestId for m in heard for one in m.data.requests}
    given = give(ben, request, quote(ben, request, instruments))
    seen = anna.venue.transport.get(f"/requests/{request.requestId}", RequestView)
    assert [one.quoteHash for one in seen.quotes] == [given.quoteHash]
    assert ben.venue.transport.get(f"/requests/{request.requestId}", RequestView).quotes == []
    before = {p.name: p.quantityWad for p in anna.venue.account(anna.account_id).positions}
    chain.client.send(anna.wallet, given.transaction.to, bytes.fromhex(given.transaction.data[2:]), 6_000_000)

    def state():
        return anna.venue.transport.get(f"/requests/{request.requestId}", RequestView).quotes[0]

    until(lambda: state().state in ("settled", "final"), state)
    after = {p.name: p.quantityWad for p in anna.venue.account(anna.account_id).positions}
    for place, one in enumerate(instruments):
        change = after.get(one.name, 0) - before.get(one.name, 0)
        assert change == (WAD if place % 2 == 0 else -WAD)


def test_take__by_the_venues_key__needs_a_grant_and_then_settles(anna, ben, chain):
    instruments = legs_of(anna, 1)
    request = ask(anna, instruments)
    given = give(ben, request, quote(ben, request, instruments))
    body = TakeQuote.model_construct(quoteHash=given.quoteHash, maxFeeWad=WAD // 50)
    problem = refusal(lambda: anna.venue.transport.post("/quotes/take", body, QuoteView))
    assert problem.code == "notAuthorised"
    assert SETTLER.address in str(problem)
    assert refusal(lambda: ben.venue.transport.post("/quotes/take", body, QuoteView)).code == "notYours"
    number = chain.deployment.underlyings["ETH"]
    limits = [(number, 10**30, 10**30, 10**30)]
    terms = (2**39, 15, 10**30, limits)
    chain.world.contract("Delegation").send(anna.wallet, "grant", anna.account_id, SETTLER.address, terms)
    until(lambda: taken(anna, body), lambda: "not granted")

    def state():
        return anna.venue.transport.get(f"/requests/{request.requestId}", RequestView).quotes[0]

    until(lambda: state().state in ("settled", "final"), state)
    chain.world.contract("Delegation").send(anna.wallet, "revoke", anna.account_id, SETTLER.address)


def taken(who, body):
    """Take as soon as the venue has seen the block of the grant."""
    try:
        return who.venue.transport.post("/quotes/take", body, QuoteView).state == "taken"
    except VenueError as problem:
        if problem.code != "notAuthorised":
            raise
        return False


def test_give__what_is_no_answer__is_refused(anna, ben):
    instruments = legs_of(anna)
    request = ask(anna, instruments)
    good = quote(ben, request, instruments)
    flipped = [{**vars(leg), "isBuy": not leg.isBuy} for leg in good.quote.legs]
    cases = (
        (quote(ben, request, instruments, takerId=ben.account_id), "badField"),
        (quote(ben, request, instruments, legs=flipped), "badField"),
        (quote(ben, request, instruments, expiryTs=5), "expired"),
        (quote(ben, request, instruments, wallet=anna.wallet), "badSignature"),
        (quote(ben, request, instruments, transferCount=4), "transferred"),
    )
    for body, code in cases:
        assert refusal(lambda body=body: give(ben, request, body)).code == code
    give(ben, request, good)
    assert refusal(lambda: give(ben, request, good)).code == "duplicate"


def test_ask__one_instrument_twice_or_of_another__is_refused(anna, ben):
    perp = legs_of(anna)[-1]
    assert refusal(lambda: ask(anna, [perp, perp])).code == "badField"
    other = AskQuotes.model_construct(
        takerId=ben.account_id,
        legs=[WantedLeg.model_construct(instrument=perp.instrument, isBuy=True, quantityWad=WAD)],
        lifeSec=60,
    )
    assert refusal(lambda: anna.venue.transport.post("/requests", other, RequestView)).code == "notYours"


def test_intents__signed__are_kept_for_solvers_in_the_form_that_the_keeper_reads(running, anna, chain):
    message = {
        "accountId": anna.account_id,
        "underlyingId": chain.deployment.underlyings["ETH"],
        "kinds": 15,
        "minDeltaWad": -WAD,
        "maxDeltaWad": WAD,
        "maxCostWad": 100 * WAD,
        "minExcessWad": 0,
        "transferCount": 0,
        "nonce": time.time_ns(),
        "expiryTs": anna.venue.account(anna.account_id).blockTs + 600,
        "signer": anna.wallet.address,
    }
    signature = sign_typed(anna.wallet, anna.venue.config.deltaIntent, message)
    from plimsoll.client.schema.rfq import DeltaIntent

    body = GiveDelta.model_construct(kind="delta", intent=DeltaIntent.model_construct(**message), signature=signature)
    accepted = anna.venue.transport.post("/intents", body, IntentAccepted)
    document = anna.venue.transport._send("GET", "/intents", None, {}).decode()
    found, problems = read_intents(document, "venue", chain.deployment)
    assert problems == ()
    assert [one.digest for one in found] == [accepted.digest]
    forged = GiveDelta.model_construct(
        kind="delta", intent=DeltaIntent.model_construct(**{**message, "maxDeltaWad": 2 * WAD}), signature=signature
    )
    assert refusal(lambda: anna.venue.transport.post("/intents", forged, IntentAccepted)).code == "badSignature"
