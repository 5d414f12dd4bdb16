"""Files of four accounts: the recorded answers of the account, and the made-up chains of its venue."""

from __future__ import annotations

import json
from pathlib import Path

from helpers import venue_forms as forms

RECORDED = Path(__file__).resolve().parents[1] / "intake" / "recorded"
VENUES = ("deribit", "okx", "bybit", "derive")


def _chains(venue: str) -> dict[str, dict]:
    days = [forms.listed("ETH", "1800", "P", ts).day("%Y%m%d") for ts in forms.EXPIRIES]
    pair = forms.COIN_PAID
    found = {
        "deribit": {
            "options": forms.deribit_books(("BTC", "ETH"), "option"),
            "usdc": forms.deribit_books(("SOL", "XRP"), "option"),
            "futures": forms.deribit_books(("BTC", "ETH", "SOL", "XRP"), "future"),
        },
        "okx": {
            "instruments": forms.okx_instruments(pair),
            "indices": forms.okx_indices(pair),
            **{f"summary_{coin}": forms.okx_summary(coin) for coin in pair},
            **{f"marks_{coin}": forms.okx_marks(coin) for coin in pair},
            **{f"swaps_{coin}": forms.okx_marks(coin, "SWAP") for coin in pair},
            **{f"tickers_{coin}": forms.okx_tickers(coin) for coin in pair},
        },
        "bybit": {
            **{f"chain_{coin}": forms.bybit_tickers(coin) for coin in pair},
            **{f"perp_{coin}": forms.bybit_tickers(coin, "linear") for coin in pair},
        },
        "derive": {
            **{f"chain_{coin}_{day}": forms.derive_tickers(coin, day) for coin in ("ETH", "XRP") for day in days},
            **{f"perp_{coin}": forms.derive_tickers(coin) for coin in ("ETH", "XRP")},
        },
    }
    return found[venue]


def account_files(venue: str) -> list[Path]:
    """Recorded answers about an account, no export among them."""
    return sorted(RECORDED.glob(f"{venue}_*.json"))


def venue_files(venue: str, folder: Path) -> list[Path]:
    """All files that one command takes."""
    chains = []
    for name, answer in _chains(venue).items():
        path = folder / f"{venue}_{name}.json"
        path.write_text(json.dumps(answer), encoding="utf-8")
        chains.append(path)
    return [*account_files(venue), *chains]
