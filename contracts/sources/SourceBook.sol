// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IRiskSource} from "../../interfaces/IRiskSource.sol";
import {ISourceBook} from "../../interfaces/ISourceBook.sol";
import {BookCode} from "../libraries/BookCode.sol";
import {RequirementMath} from "../libraries/RequirementMath.sol";
import {ScenarioPlan} from "../libraries/ScenarioPlan.sol";
import {Units} from "../libraries/Units.sol";
import {WadMath} from "../libraries/WadMath.sol";

/// @title SourceBook
/// @notice See ISourceBook.
contract SourceBook is ISourceBook, AccessManaged {
    uint256 private constant WAD = Units.UWAD;
    uint256 private constant MIN_STIPEND_GAS = 10_000;
    /// @dev An account may hold 32 tokens, and a bid values it four times: all of them failing must leave it
    /// liquidatable within one transaction.
    uint256 private constant MAX_STIPEND_GAS = 60_000;
    /// @dev What a call takes beside the gas it hands on: a cold account, and what the question lies in.
    uint256 private constant CALL_GAS = 5_000;
    /// @dev An answer: units, gamma, where the list begins, its length, the list.
    uint256 private constant ANSWER_WORDS = 4;
    uint256 private constant LIST_OFFSET = 0x60;

    mapping(uint256 tokenId => Terms) private _terms;

    /// @param authority Access manager.
    constructor(address authority) AccessManaged(authority) {}

    /// @inheritdoc ISourceBook
    function setSource(uint256 tokenId, Terms calldata terms) external override restricted {
        _terms[tokenId] = terms;
        emit SourceSet(tokenId, terms);
        if (terms.source == address(0)) return;
        _limit(terms.stipendGas >= MIN_STIPEND_GAS, "stipendGas", terms.stipendGas, MIN_STIPEND_GAS);
        _limit(terms.stipendGas <= MAX_STIPEND_GAS, "stipendGas", terms.stipendGas, MAX_STIPEND_GAS);
        _limit(terms.ceilingE6 != 0, "ceilingE6", terms.ceilingE6, 1);
        uint256[] memory pricesWad = new uint256[](1);
        pricesWad[0] = WAD;
        (bool isAnswer,) = _ask(terms, WAD, pricesWad);
        if (!isAnswer) revert SourceBook__SourceFailed(tokenId, terms.source);
    }

    /// @inheritdoc ISourceBook
    function termsOf(uint256 tokenId) external view override returns (Terms memory terms) {
        terms = _terms[tokenId];
    }

    /// @inheritdoc ISourceBook
    function curveOf(
        address bookPointer,
        uint256 spotWad,
        uint256[] calldata tokenIds,
        uint256[] calldata amountsWad
    ) external view override returns (Curve memory curve) {
        uint256[] memory moves = BookCode.movesOf(bookPointer);
        uint256[] memory pricesWad = _pricesOf(spotWad, moves);
        curve.bendsWad = new uint256[](pricesWad.length - 1);
        curve.valuesWad = new uint256[](tokenIds.length);
        curve.lossesWad = new uint256[](tokenIds.length);
        for (uint256 i; i < tokenIds.length; ++i) {
            (bool isAnswer, uint256[] memory words) = _ask(_terms[tokenIds[i]], amountsWad[i], pricesWad);
            if (!isAnswer) continue;
            curve.unitsWad += int256(words[0]);
            curve.gammaWad += int256(words[1]);
            curve.valuesWad[i] = words[ANSWER_WORDS];
            int256 cash = WadMath.mulWadDown(int256(words[0]), int256(spotWad));
            curve.lossesWad[i] = _bend(curve.bendsWad, words, moves, cash);
        }
    }

    /// @dev The spot, then the price at every move of the ladder.
    function _pricesOf(uint256 spotWad, uint256[] memory moves) private pure returns (uint256[] memory pricesWad) {
        uint256 n = moves.length / ScenarioPlan.MOVE_WORDS;
        pricesWad = new uint256[](n + 1);
        pricesWad[0] = spotWad;
        unchecked {
            // Unchecked: prices are below 2**105, moves within [-0.95, 9].
            for (uint256 i; i < n; ++i) {
                uint256 growthWad = uint256(Units.WAD + int256(moves[i * ScenarioPlan.MOVE_WORDS]));
                pricesWad[i + 1] = spotWad * growthWad / WAD;
            }
        }
    }

    /// @dev Adds what one token loses at every move beyond what its units lose there, after the weight of the move;
    /// returns its own largest loss, weighted likewise.
    function _bend(uint256[] memory bendsWad, uint256[] memory words, uint256[] memory moves, int256 cash)
        private
        pure
        returns (uint256 worstWad)
    {
        unchecked {
            // Unchecked: values are below 2**173, and so is the cash of the units; moves and weights below 2**64.
            for (uint256 i; i < bendsWad.length; ++i) {
                uint256 at = i * ScenarioPlan.MOVE_WORDS;
                int256 lossWad = int256(words[ANSWER_WORDS]) - int256(words[ANSWER_WORDS + 1 + i]);
                int256 bendWad = lossWad + WadMath.mulWadUp(cash, int256(moves[at]));
                // Where a token gains on its units, its units alone count.
                uint256 weight = moves[at + 1] >> 128;
                if (bendWad > 0) bendsWad[i] += _weighted(uint256(bendWad), weight);
                if (lossWad > int256(worstWad)) {
                    worstWad = FixedPointMathLib.max(worstWad, _weighted(uint256(lossWad), weight));
                }
            }
        }
    }

    /// @dev Up; a weight of 0 stands for 1, see ScenarioPlan.
    function _weighted(uint256 lossWad, uint256 weight) private pure returns (uint256) {
        return weight == 0 ? lossWad : RequirementMath.divUp(lossWad * (weight >> 64), uint64(weight));
    }

    /// @dev One answer of a source nobody here vouches for: it cannot change state, has its own gas and no more, and no
    /// more than an answer is copied.
    function _ask(Terms memory terms, uint256 amountWad, uint256[] memory pricesWad)
        private
        view
        returns (bool isAnswer, uint256[] memory words)
    {
        (address source, uint256 stipendGas) = (terms.source, terms.stipendGas);
        if (source == address(0)) return (false, words);
        bytes memory question = abi.encodeCall(IRiskSource.valuesAt, (amountWad, pricesWad));
        words = new uint256[](pricesWad.length + ANSWER_WORDS);
        bool isStarved = gasleft() < stipendGas + stipendGas / 63 + CALL_GAS;
        assembly ("memory-safe") {
            // Solidity has no other way to use up the gas.
            if isStarved { invalid() }
            // Equivalent: (isAnswer, words) = source.staticcall{gas: stipendGas}(question), where an answer of another
            // length is none.
            let size := shl(5, mload(words))
            isAnswer := staticcall(stipendGas, source, add(question, 0x20), mload(question), add(words, 0x20), size)
            isAnswer := and(isAnswer, eq(returndatasize(), size))
        }
        isAnswer = isAnswer && _canBe(terms, words, amountWad, pricesWad);
    }

    /// @dev Whether an answer is a list of as many values as prices, none of it more than the ceiling allows.
    function _canBe(Terms memory terms, uint256[] memory words, uint256 amountWad, uint256[] memory pricesWad)
        private
        pure
        returns (bool)
    {
        if (words[2] != LIST_OFFSET || words[3] != pricesWad.length || pricesWad[0] == 0) return false;
        uint256 mostWad = amountWad * terms.ceilingE6 / 1e6;
        for (uint256 i = ANSWER_WORDS; i < words.length; ++i) {
            if (words[i] > mostWad) return false;
        }
        // The width of a gamma is all that is asked of it: it is shown, and no requirement reads it.
        if (int256(words[1]) != int128(int256(words[1]))) return false;
        uint256 mostUnitsWad = FixedPointMathLib.min(
            FixedPointMathLib.fullMulDiv(mostWad, WAD, pricesWad[0]), uint256(int256(type(int120).max))
        );
        return FixedPointMathLib.abs(int256(words[0])) <= mostUnitsWad;
    }

    function _limit(bool isWithin, bytes32 name, uint256 observed, uint256 limit) private pure {
        if (!isWithin) revert SourceBook__BadTerms(name, observed, limit);
    }
}
