"""Pages of interfaces say what their NatSpec says."""

from tools.generate.natspec_pages import FOLDER, INTERFACES, page, pages, prose, tags_of

BOX = """// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IBox
/// @notice Keeps one thing.
/// @dev Nobody opens it.
interface IBox {
    /// @notice What is kept.
    /// @custom:unit wad
    struct Thing {
        /// @dev Its size.
        uint256 sizeWad;
    }

    /// @notice Emitted when the thing is replaced by a*b*c of it.
    /// @param oldWad Size
    /// before.
    event Replaced(uint256 oldWad);

    /// @notice Replaces the thing.
    /// @param thing New one.
    /// @return oldWad Size before, `a*b`.
    function replace(Thing calldata thing)
        external
        returns (uint256 oldWad);

    /// @notice Size of the thing.
    /// @return Wad of it.
    function size() external view returns (uint256);
}
"""


def test_page__every_item__with_signature_and_text():
    text = page(BOX)
    assert text.startswith("# IBox\n\nKeeps one thing.\n\nNobody opens it.\n\n## Functions\n\n### replace\n")
    assert (
        "```solidity\nfunction replace(Thing calldata thing)\n    external\n    returns (uint256 oldWad);\n```" in text
    )
    assert "**Parameters**\n\n- `thing`: New one.\n\n**Returns**\n\n- `oldWad`: Size before, `a*b`.\n" in text
    assert "## Events\n\n### Replaced" in text
    assert "- `oldWad`: Size before.\n" in text
    assert (
        "## Structs\n\n### Thing\n\n```solidity\nstruct Thing {\n    /// @dev Its size.\n    uint256 sizeWad;\n}"
        in text
    )
    assert "- Wad of it.\n" in text
    assert "*Unit*: wad" in text
    assert "## Errors" not in text


def test_prose__stars_outside_code__are_no_emphasis():
    assert prose("a*b*c, `a*b`, x_y") == r"a\*b\*c, `a*b`, x\_y"


def test_tags_of__text_over_lines__is_joined():
    assert tags_of([" @notice One", " two.", " @custom:unit wad"]) == [("notice", "One two."), ("custom:unit", "wad")]


def test_pages__every_interface__has_one():
    found = pages()
    assert set(found) == {f"{FOLDER}/{p.stem}.md" for p in INTERFACES.glob("*.sol")} | {f"{FOLDER}/index.md"}
    assert "### bid\n" in found[f"{FOLDER}/IAuction.md"]
    assert all("## " in text for name, text in found.items() if not name.endswith("index.md"))
