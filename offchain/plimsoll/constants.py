"""Numbers that several rooms share: each is defined here and nowhere else (``tools/lint/constants.py``).

The contracts have theirs in ``contracts/libraries/Units.sol``.
"""

from __future__ import annotations

from typing import Final

#: One in 18 decimals, the fixed point of the contracts.
WAD: Final = 10**18
#: One in 8 decimals: strikes and entries are stored in such steps.
E8: Final = 10**8
DAY_SEC: Final = 86_400
#: A year as the contracts count time to expiry: 365 days.
YEAR_SEC: Final = 365 * DAY_SEC
#: Chain margin and float mirror differ by at most this share of gross notional (section 9 of the risk model); whoever
#: is nearer than this to a limit asks the contract.
AGREEMENT_BOUND: Final = 1e-6
#: Most samples of a settlement price that the contract takes (``SettlementPrices``), so that none is signed in vain.
MAX_SAMPLES: Final = 1_800
#: Account that holds the opposite of what is booked on one side first.
CLEARING_ID: Final = 0
#: Account of the insurance fund.
FUND_ID: Final = 1
