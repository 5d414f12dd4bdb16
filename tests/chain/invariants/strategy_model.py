"""A settlement of a strategy vault in whole numbers, written a second time: what the contract must have done."""

from __future__ import annotations

from dataclasses import dataclass, field

VIRTUAL, WAD = 10**6, 10**18
MAX_EPOCHS = 32
LEAST_PRICE = 10**12
AHEAD_SEC = 15


def price_of(exit_raw: int, supply: int) -> int:
    """Price of a share on the way out, wad."""
    return (exit_raw + 1) * VIRTUAL * WAD // (supply + VIRTUAL)


@dataclass
class Requests:
    """Requests of one epoch."""

    deposit: int = 0
    minted: int = 0
    redeem: int = 0
    left: int = 0
    paid: int = 0
    after_ts: int = 0
    status: int = 0


@dataclass
class Shares:
    """What the contract keeps of all epochs, of the fee and of the floor."""

    fee: int
    stop: int
    epochs: dict[int, Requests] = field(default_factory=lambda: {1: Requests()})
    open_id: int = 1
    next_id: int = 1
    unpaid_id: int = 1
    settled_ts: int = 0
    supply: int = 0
    high: int = WAD
    floor: int = 0
    is_stopped: bool = False
    fee_shares: int = 0

    def __post_init__(self) -> None:
        """Put the floor below the first price."""
        self.floor = self.below(self.high)

    def below(self, price: int) -> int:
        """Return the floor of a price."""
        return price * (WAD - self.stop) // WAD

    def close(self) -> None:
        """Let no request into the open epoch any more."""
        self.open_id += 1
        self.epochs[self.open_id] = Requests()

    def join(self, now: int, newest_ts: int) -> Requests:
        """Return the epoch that a request enters."""
        after_ts = self.epochs[self.open_id].after_ts
        if after_ts and newest_ts > after_ts:
            self.close()
        epoch = self.epochs[self.open_id]
        epoch.after_ts = max(now + AHEAD_SEC, newest_ts)
        return epoch

    def is_due(self, round_ts: int) -> bool:
        """Whether there is anything to settle at a round."""
        waiting = self.epochs[self.next_id].after_ts
        unpaid = self.unpaid_id < self.next_id and round_ts > self.settled_ts
        return bool(waiting and round_ts > waiting) or unpaid

    def settle(self, round_ts: int, entry: int, exit_: int, free: int, *, sound: bool, flat: bool) -> tuple[int, int]:
        """Settle at a round; return what entered and what was paid, raw."""
        self._take_fee(exit_)
        supply, price = self.supply, price_of(exit_, self.supply)
        if supply and price < self.floor:
            self.is_stopped = True
        worthy = supply == 0 or (exit_ != 0 and price >= LEAST_PRICE)
        is_open = not self.is_stopped and sound and worthy
        entered = self._admit(round_ts, entry, supply, is_open=is_open)
        paid = 0 if exit_ == 0 and not flat else self._pay(exit_, supply, free + entered)
        self.settled_ts = round_ts
        after = price_of(exit_ + entered - paid, self.supply)
        if after > price:
            self.high = -(-self.high * after // price)
        return entered, paid

    def _take_fee(self, exit_: int) -> None:
        if self.supply == 0:
            self.high = price_of(exit_, 0)
            self.floor = self.below(self.high)
            return
        gain = max(0, price_of(exit_, self.supply) - self.high) * self.supply // (VIRTUAL * WAD)
        fee = gain * self.fee // WAD
        shares = fee * (self.supply + VIRTUAL) // (exit_ + 1 - fee)
        self.supply, self.fee_shares = self.supply + shares, self.fee_shares + shares
        high = price_of(exit_, self.supply) + 1
        if high > self.high:
            self.high = high
            self.floor = max(self.floor, self.below(high))

    def _admit(self, round_ts: int, entry: int, supply: int, *, is_open: bool) -> int:
        entered = 0
        for _ in range(MAX_EPOCHS):
            epoch = self.epochs[self.next_id]
            if epoch.after_ts == 0 or epoch.after_ts >= round_ts:
                break
            if self.next_id == self.open_id:
                self.close()
            epoch.status = 1 if is_open else 2
            if is_open:
                epoch.minted = epoch.deposit * (supply + VIRTUAL) // (entry + 1)
                self.supply += epoch.minted
                entered += epoch.deposit
            self.next_id += 1
        return entered

    def _pay(self, exit_: int, supply: int, budget: int) -> int:
        paid = 0
        for _ in range(MAX_EPOCHS):
            if self.unpaid_id >= self.next_id:
                break
            epoch = self.epochs[self.unpaid_id]
            if epoch.left:
                wanted = epoch.left * (exit_ + 1) // (supply + VIRTUAL)
                part = min(wanted, budget - paid)
                if part == 0 and wanted:
                    break
                shares = epoch.left if part == wanted else -(-epoch.left * part // wanted)
                paid, epoch.paid = paid + part, epoch.paid + part
                epoch.left, self.supply = epoch.left - shares, self.supply - shares
                if epoch.left:
                    break
            self.unpaid_id += 1
        return paid
