"""Network configurations: what ships is valid, and every mistake is one named error."""

import pytest

from offchain.chain.spec import CONFIG, load_spec
from offchain.errors import InputError
from offchain.params import Params

LOCAL = (CONFIG / "local.toml").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(path.stem for path in CONFIG.glob("*.toml")))
def test_load_spec__shipped__is_valid(name):
    spec = load_spec(name, Params())
    assert spec.network.name == name
    assert spec.tokens[0].symbol == "USDC"


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("decimals = 6", 'decimals = "6"', "decimals: must be int"),
        ("decimals = 6", "decimal = 6", "unknown key decimal"),
        ("signer_threshold = 2", "", "signer_threshold is missing"),
        ("[tokens.USDC]", "[tokens.DAI]", "first token must be USDC"),
        ("[underlyings]", "[underlying]", "sections must be"),
        ("max_deviation = 0.25", "max_deviation = ", "is not TOML"),
        ("period_sec = 28_800", "", "period_sec is missing"),
        ("kinds = 15", "kinds = 1.5", "kinds: must be int"),
        ("is_local = true", "is_local = 1", "is_local: must be bool"),
    ],
)
def test_load_spec__one_mistake__is_named(tmp_path, old, new, message):
    assert LOCAL.count(old) == 1
    path = tmp_path / "net.toml"
    path.write_text(LOCAL.replace(old, new), encoding="utf-8")
    with pytest.raises(InputError, match=message):
        load_spec(str(path), Params())


def test_load_spec__unknown_network__lists_the_known():
    with pytest.raises(InputError, match=r"no configuration mainnet; known: local, sepolia"):
        load_spec("mainnet", Params())
