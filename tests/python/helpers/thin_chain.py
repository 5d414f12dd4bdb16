"""BTC at 2026-02-01 04:54 UTC, the expiry of 08:00 the same day: the quotes that once gave a wing of 1,352 %.

Of 48 instruments five lie within 2.5 standard deviations of the money, three of them with two quotes.
"""

from __future__ import annotations

from typing import Final

import numpy as np

from plimsoll.market.chain_file import ChainSnapshot

TS: Final = 1_769_921_642
EXPIRY_TS: Final = 1_769_932_800
FORWARD: Final = 78_936.77292217044
INDEX: Final = 78_950.74
#: Strike, right, bid, ask, mark (coin), mark volatility, open interest (coin).
ROWS: Final = """
70000 C 0.112 0.1145 0.11321762 1.4615 0.0
70000 P nan 0.0001 3e-08 1.4615 28.9
72000 C 0.0865 0.089 0.08788106 1.201 0.0
72000 P nan 0.0001 1.1e-07 1.201 8.4
74000 C 0.0615 0.064 0.06254695 1.0476 4.0
74000 P nan 0.0001 2.65e-06 1.0476 34.4
75000 C 0.049 0.051 0.04988491 0.9342 3.0
75000 P nan 0.0001 8.92e-06 0.9342 21.0
76000 C 0.0355 0.0385 0.03723036 0.782 0.0
76000 P nan 0.0001 2.269e-05 0.782 84.7
77000 C 0.0235 0.026 0.0246841 0.6967 12.0
77000 P nan 0.0003 0.00014475 0.6967 21.1
78000 C 0.0115 0.013 0.01256213 0.5648 35.1
78000 P 0.0006 0.0007 0.00069111 0.5648 235.6
79000 C 0.0027 0.0032 0.00303161 0.4549 69.7
79000 P 0.0034 0.0043 0.0038289 0.4549 101.4
80000 C 0.0001 0.0002 0.00016812 0.4308 84.7
80000 P 0.0125 0.015 0.01363373 0.4308 138.1
81000 C nan 0.0001 0.00010226 0.677 81.4
81000 P 0.025 0.0275 0.02623619 0.677 114.7
82000 C nan 0.0001 2.038e-05 0.7726 182.7
82000 P 0.0375 0.04 0.03882263 0.7726 614.0
83000 C nan 0.0001 3.51e-06 0.8445 406.0
83000 P 0.05 0.053 0.05147408 0.8445 453.4
84000 C nan 0.0001 5.9e-07 0.9082 350.0
84000 P 0.063 0.0655 0.06413948 0.9082 206.6
85000 C nan 0.0001 2.3e-07 1.0125 262.1
85000 P 0.0755 0.0785 0.07680745 1.0125 185.8
86000 C nan 0.0002 4e-08 1.0665 128.9
86000 P 0.088 0.0905 0.08947558 1.0665 50.9
87000 C nan 0.0001 1e-08 1.1347 494.8
87000 P 0.101 0.1035 0.10214387 1.1347 58.3
88000 C nan 0.0001 0.0 1.1383 165.1
88000 P 0.1135 0.1165 0.11481218 1.1383 57.7
89000 C nan 0.0001 0.0 1.1383 142.1
89000 P 0.126 0.1285 0.1274805 1.1383 10.0
90000 C nan 0.0001 0.0 1.1383 35.6
90000 P 0.139 0.1415 0.14014882 1.1383 3.1
91000 C nan 0.0001 0.0 1.1383 109.7
91000 P 0.151 0.155 0.15281714 1.1383 0.0
92000 C nan 0.0001 0.0 1.1383 203.4
92000 P 0.164 0.167 0.16548546 1.1383 11.7
93000 C nan 0.0001 0.0 1.1383 584.8
93000 P 0.1765 0.1805 0.17815378 1.1383 0.0
94000 C nan 0.0001 0.0 1.1383 83.9
94000 P 0.189 0.1925 0.1908221 1.1383 0.2
96000 C nan 0.0001 0.0 1.1383 72.7
96000 P 0.2145 0.2185 0.21615874 1.1383 0.2
"""


def thin_chain(shift_sec: int = 0) -> ChainSnapshot:
    """Return the snapshot, every time moved by ``shift_sec``."""
    parts = [line.split() for line in ROWS.split("\n") if line]
    numbers = np.array([[float(x) for x in (p[0], *p[2:])] for p in parts])
    size = len(parts)
    return ChainSnapshot(
        source="BTC 2026-02-01 04:54",
        ts=TS + shift_sec,
        currency="BTC",
        expiry_ts=np.full(size, EXPIRY_TS + shift_sec, dtype=np.int64),
        strike=numbers[:, 0],
        is_call=np.array([p[1] == "C" for p in parts]),
        bid=numbers[:, 1],
        ask=numbers[:, 2],
        mark=numbers[:, 3],
        iv=numbers[:, 4],
        underlying=np.full(size, FORWARD),
        is_index=np.zeros(size, dtype=bool),
        index=np.full(size, INDEX),
        delta=np.zeros(size),
        vega=np.zeros(size),
        open_interest=numbers[:, 5],
        volume=np.zeros(size),
    )
