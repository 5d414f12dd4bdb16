// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title ISourceBook
/// @notice Tokens whose worth is no straight line of their underlying, and who says what they are worth.
/// @dev Flow: [sources] -> margin. A token that the scenario book links to an underlying with a ratio of 0 is asked for
/// here. Its source has gas of its own and one answer of a known length. One that reverts, uses up its gas, answers
/// anything else, or states more than can be (the ceiling at any price, or more units at the spot than the ceiling
/// buys) makes its token count 0: as nothing is ever owed, that is the worst a token can be. It stops no liquidation,
/// and no account but those that hold it. Who leaves less gas than the source's own runs out of it: a source that was
/// starved is never taken for one that failed.
interface ISourceBook {
    /// @notice Who states a token's worth, and what an answer may be.
    struct Terms {
        address source;
        /// @dev Gas of one answer.
        uint32 stipendGas;
        /// @dev The most cash that one token can be worth at any price, in millionths.
        uint64 ceilingE6;
    }

    /// @notice Tokens of one underlying in the terms of the risk engine.
    /// @custom:unit wad
    struct Curve {
        /// @dev Units of the underlying that they behave like at the spot, and how these change with it.
        int256 unitsWad;
        int256 gammaWad;
        /// @dev By token: worth at the spot, and the largest weighted loss of it alone.
        uint256[] valuesWad;
        uint256[] lossesWad;
        /// @dev By move of the book's ladder: what they lose beyond what those units lose, after the move's weight.
        uint256[] bendsWad;
    }

    /// @notice Emitted when a token gets a source, another one, or none.
    /// @param tokenId Token.
    /// @param terms Terms; the source is 0 when the token counts nothing from now on.
    event SourceSet(uint256 indexed tokenId, Terms terms);

    /// @notice Thrown when a parameter is outside its interval.
    error SourceBook__BadTerms(bytes32 name, uint256 observed, uint256 limit);
    /// @notice Thrown when a new source gives no answer that can be at a price of 1.
    error SourceBook__SourceFailed(uint256 tokenId, address source);

    /// @notice Sets or removes the source of a token.
    /// @param tokenId Token id given by the vault.
    /// @param terms Terms; source 0 removes.
    function setSource(uint256 tokenId, Terms calldata terms) external;

    /// @notice Terms of a token.
    /// @param tokenId Token.
    /// @return terms Terms; the source is 0 when it has none.
    function termsOf(uint256 tokenId) external view returns (Terms memory terms);

    /// @notice Asks the sources of tokens of one underlying.
    /// @param bookPointer Data contract with the book of the underlying, see IScenarioBook.bookPointerOf.
    /// @param spotWad Its spot.
    /// @param tokenIds Tokens.
    /// @param amountsWad Amount of each.
    /// @return curve What they are worth together and alone.
    function curveOf(
        address bookPointer,
        uint256 spotWad,
        uint256[] calldata tokenIds,
        uint256[] calldata amountsWad
    ) external view returns (Curve memory curve);
}
