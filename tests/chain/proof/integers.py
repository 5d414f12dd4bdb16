"""The small libraries in exact integers and fractions, written from the risk model and their rounding rules."""

from __future__ import annotations

from fractions import Fraction
from math import ceil, floor

WAD = 10**18
INT_MAX, INT_MIN, UINT_MAX = 2**255 - 1, -(2**255), 2**256 - 1
CALL, PUT, FUTURE, PERP = range(4)


class RevertedError(Exception):
    """The library must revert with exactly these bytes."""

    def __init__(self, data: bytes) -> None:
        super().__init__(data.hex())
        self.data = data


def word_of(value: int) -> bytes:
    """One ABI word, two's complement."""
    return (value % 2**256).to_bytes(32, "big")


def panic(code: int) -> RevertedError:
    return RevertedError(bytes.fromhex("4e487b71") + word_of(code))


def checked(value: int) -> int:
    """Checked arithmetic of int256."""
    if not INT_MIN <= value <= INT_MAX:
        raise panic(0x11)
    return value


# --- WadMath ----------------------------------------------------------------------------------------------------------


def div_down(n: int, d: int) -> int:
    if d == 0:
        raise panic(0x12)
    return n // d


def div_up(n: int, d: int) -> int:
    if d == 0:
        raise panic(0x12)
    return -(-n // d)


def mul_wad_down(a: int, b: int) -> int:
    return div_down(checked(a * b), WAD)


def mul_wad_up(a: int, b: int) -> int:
    return div_up(checked(a * b), WAD)


def absolute(a: int) -> int:
    return checked(abs(a))


# --- PositionWord -----------------------------------------------------------------------------------------------------


def signed_fits(value: int, bits: int) -> bool:
    return -(2 ** (bits - 1)) <= value < 2 ** (bits - 1)


def pack(underlying: int, kind: int, expiry: int, price: int, quantity: int, errors: dict[str, bytes]) -> int:
    """[underlying 8][kind 8][expiry 40][price 72][quantity 128]."""
    if not signed_fits(price, 72):
        raise RevertedError(errors["PositionWord__PriceOverflow"] + word_of(price) + word_of(2**71 - 1))
    if not signed_fits(quantity, 128):
        raise RevertedError(errors["PositionWord__QuantityOverflow"] + word_of(quantity) + word_of(2**127 - 1))
    head = underlying << 48 | kind << 40 | expiry
    return (head << 72 | price % 2**72) << 128 | quantity % 2**128


def unpack(word: int) -> tuple[int, int, int, int, int, int, int]:
    """Fields, whether an option, instrument."""
    kind = word >> 240 & 0xFF
    price, quantity = word >> 128 & 2**72 - 1, word & 2**128 - 1
    price -= 2**72 if price >> 71 else 0
    quantity -= 2**128 if quantity >> 127 else 0
    instrument = word >> 128
    if kind > PUT:
        instrument -= instrument & 2**72 - 1
    return word >> 248, kind, word >> 200 & 2**40 - 1, price, quantity, int(kind <= PUT), instrument


# --- LinearMath -------------------------------------------------------------------------------------------------------


def merge(word: int, change: int, price: int, errors: dict[str, bytes]) -> tuple[int, int]:
    """Position after a trade and the cash it realises.

    The long's average entry is rounded up, the short's down: against the holder. What that takes off comes back as
    cash, itself rounded down.
    """
    underlying, kind, expiry, entry, held, is_option, _ = unpack(word)
    total, cash = held + change, Fraction(0)
    if not is_option:
        if held == 0 or (held > 0) == (change > 0):
            average = Fraction(held * entry + change * price, total)
            cost = held * entry + change * price
            entry = ceil(average) if total > 0 else floor(average)
            cash = Fraction(total * entry - cost, 10**8)
        else:
            closed = min(abs(held), abs(change)) * (1 if held > 0 else -1)
            cash = Fraction(closed * (price - entry), 10**8)
            if abs(change) > abs(held):
                entry = price
    return pack(underlying, kind, expiry, entry, total, errors), floor(cash)


# --- SettlementMath ---------------------------------------------------------------------------------------------------


def settled_value(word: int, price: int) -> int:
    _, kind, _, price_e8, quantity, _, _ = unpack(word)
    away = price - price_e8 * 10**10
    unit = {CALL: max(away, 0), PUT: max(-away, 0)}.get(kind, away)
    return checked(quantity * unit) // WAD


# --- AuctionMath ------------------------------------------------------------------------------------------------------


def price_factor(sec: int) -> int:
    """0.98 to 0.70 in 15 minutes, then to 0 in 12 hours; rounded up."""
    if sec <= 900:
        exact = Fraction(98, 100) - Fraction(28, 100) * Fraction(sec, 900)
    else:
        exact = max(Fraction(0), Fraction(70, 100) * (1 - Fraction(sec - 900, 43_200)))
    return ceil(exact * WAD)


def restoring_fraction(target: int, equity: int, cost: int) -> int:
    if equity >= target:
        return 0
    if target - cost <= target - equity:
        return WAD
    return ceil(Fraction(target - equity, target - cost) * WAD)


def auction_price(market: int, maintenance: int, factor: int) -> int:
    """max(0, A - (1-d)*max(A, M/4)), the discount rounded down."""
    return max(0, market - max(market, maintenance // 4) * (WAD - factor) // WAD)


def fee(value: int, cash: int, rate: int) -> int:
    return min(value * rate // WAD, value - cash)


def bonus(loss: int, maintenance: int, share: int, sec: int) -> int:
    """min(share*M*t/60 min, loss + 0.02*M), each product rounded down."""
    return min(maintenance * share // WAD * sec // 3_600, loss + maintenance * 2 // 100)
