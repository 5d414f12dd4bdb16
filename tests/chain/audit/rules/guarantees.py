"""What sponsors and those they stand for do with guarantee lines, and what nobody can."""

from __future__ import annotations

from typing import Any

from plimsoll.chain.revert import RevertError
from tests.chain.audit.machine import Machine
from tests.chain.audit.rules.registry import SHORT, any_amount, excess, owner_of, rule
from tests.chain.invariants.world import STRANGER

MINUTE, DAY = 60, 86_400
RAMPS = (15 * MINUTE, 2 * 3_600, DAY)
MAX_LINES = 4


def _lines(m: Machine) -> list[int]:
    return sorted(m.world.state.lines)


@rule("user", 6)
def give_a_line(m: Machine) -> None:
    """Refused before the invitation, from a stranger and beyond the cash; else given, often near its ramp."""
    account, sponsor = m.rng.sample(m.traders, 2)
    owner, by = owner_of(m, account), owner_of(m, sponsor)
    cash = int(m.snapshot(sponsor).cashWad)
    if cash <= 0:
        return
    ramp = m.rng.choice(RAMPS)
    terms = (any_amount(m, cash), m.world.now + ramp + m.rng.choice([60, 600, 3_600, 5 * DAY]), ramp)
    give = (by, "Guarantees", "give", sponsor, account)
    if m.at["Guarantees"].call("invitedOf", account) != sponsor:
        m.call(*give, *terms, must="Guarantees__NotInvited")
        m.call(owner, "Guarantees", "invite", account, sponsor, bystanders=True)
    m.call(STRANGER, *give[1:], *terms, must="Guarantees__NotAuthorised")
    m.call(*give, cash + 1, *terms[1:], must="Guarantees__InsufficientCash")
    full = len(m.at["Guarantees"].call("linesOf", account)) == MAX_LINES
    must = "Guarantees__TooManyLines" if full else ""
    m.call(*give, *terms, must=must, may=SHORT, own=[sponsor], bystanders=True)


@rule("user", 4)
def end_a_line(m: Machine) -> None:
    """Released by its beneficiary, made longer by its sponsor, settled by anybody once it may be."""
    if not _lines(m):
        return
    line_id = m.rng.choice(_lines(m))
    line = m.world.state.lines[line_id]
    account, sponsor = line.beneficiary_id, line.sponsor_id
    what = m.rng.choice(["release", "extend", "settle", "settle"])
    if what == "release":
        m.call(STRANGER, "Guarantees", "release", line_id, must="Guarantees__NotAuthorised")
        m.call(owner_of(m, account), "Guarantees", "release", line_id, may=SHORT, own=[account, sponsor])
    elif what == "extend":
        m.call(owner_of(m, sponsor), "Guarantees", "extend", line_id, line.end_ts, must="Guarantees__BadEnd")
        end_ts = max(line.end_ts, m.world.now + 2) + m.rng.choice([60, DAY])
        m.call(owner_of(m, sponsor), "Guarantees", "extend", line_id, end_ts, bystanders=True)
    else:
        _settle(m, line_id, line)


def _settle(m: Machine, line_id: int, line: Any) -> None:
    """Nobody takes back a line too early, or while its beneficiary is short."""
    if m.at["Accounts"].call("cashOf", line_id):
        if m.world.now + 1 < line.end_ts:
            m.call(STRANGER, "Guarantees", "settle", line_id, must="Guarantees__NotEnded")
            return
        margin = m.ask_next("MarginEngine", "auctionMarginOf", line.beneficiary_id)
        if isinstance(margin, RevertError):
            m.call(STRANGER, "Guarantees", "settle", line_id, must=margin.name)
            return
        if excess(margin, "maintenanceWad") < 0:
            m.call(STRANGER, "Guarantees", "settle", line_id, must="Guarantees__BeneficiaryShort")
            return
    m.call(STRANGER, "Guarantees", "settle", line_id, bystanders=True)


@rule("attacker", 2)
def take_a_line(m: Machine) -> None:
    """Nobody but the auction moves the cash of a line, and its account obeys no wallet."""
    lines = _lines(m)
    account = m.rng.choice(m.traders)
    person = owner_of(m, account)
    m.call(person, "Guarantees", "draw", account, account, 1, must="Guarantees__NotAuction")
    m.call(person, "Guarantees", "connect", person.address, person.address, must="AccessManagedUnauthorized")
    if lines:
        line_id = m.rng.choice(lines)
        m.call(person, "Accounts", "close", line_id, must="Accounts__NotOwner")
        usdc = m.at["USDC"].address
        m.call(person, "Vault", "withdraw", line_id, usdc, 1, person.address, must="Vault__NotAuthorised")
        m.call(person, "Guarantees", "invite", line_id, account, must="Guarantees__NotAuthorised")
