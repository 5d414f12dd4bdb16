"""The files of a keeper under test: keystores, and one file of options that are quick and strict."""

from __future__ import annotations

import json
from pathlib import Path

PASSWORD = "throw-away"  # noqa: S105


def write_key(folder: Path, name: str, wallet) -> str:
    """Write a keystore, cheaply; return the name of its file."""
    path = folder / f"{name}.json"
    path.write_text(json.dumps(wallet.encrypt(PASSWORD, kdf="pbkdf2", iterations=1)), encoding="utf-8")
    return path.name


def write_options(folder: Path, name: str, wallet, node_url: str, database_url: str, more=(), **options) -> Path:
    """Write a keeper's file; options are ``section__option``, more are whole lines after them."""
    signer = write_key(folder, name, wallet)
    (folder / "password").write_text(PASSWORD, encoding="utf-8")
    values = {
        "keeper.name": f'"{name}"',
        "keeper.deployment": '"deployment.json"',
        "keeper.interval_sec": "1",
        "chain.endpoints": f'["{node_url}"]',
        "chain.timeout_sec": "2",
        "chain.agree_sec": "1",
        "database.url": f'"{database_url}"',
        "database.timeout_sec": "2",
        "signers.liquidations.keystore": f'"{signer}"',
        "signers.liquidations.pass_file": '"password"',
        "transact.confirmations": "1",
        "standby.lease_sec": "4",
        "standby.delay_sec": "1",
        "standby.margin_sec": "1",
        "web.bind": '"127.0.0.1:0"',
        **{name.replace("__", "."): str(value) for name, value in options.items()},
    }
    path = folder / f"{name}.toml"
    path.write_text("\n".join([*(f"{key} = {value}" for key, value in values.items()), *more]), encoding="utf-8")
    return path


def price_lines(folder: Path, feed_url: str, prices, signers, services=()) -> tuple[str, ...]:
    """Return the lines of a keeper that posts prices of a feed, signed by keys of its own."""
    names = [write_key(folder, f"signer-{place}", key) for place, key in enumerate(signers)]
    lines = ["[feed]", f'sources = ["{feed_url}"]', "timeout_sec = 1", "[signers.prices]"]
    lines += [f'keystore = "{write_key(folder, "prices", prices)}"', 'pass_file = "password"', "[oracle]"]
    lines += [f"services = {json.dumps(services)}", "sign_timeout_sec = 1"]
    for name in names:
        lines += ["[[oracle.keys]]", f'keystore = "{name}"', 'pass_file = "password"']
    return tuple(lines)
