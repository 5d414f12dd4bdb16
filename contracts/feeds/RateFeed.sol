// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IERC4626} from "@openzeppelin/contracts/interfaces/IERC4626.sol";
import {IERC20Metadata} from "@openzeppelin/contracts/token/ERC20/extensions/IERC20Metadata.sol";
import {IRateFeed} from "../../interfaces/IRateFeed.sol";
import {IScenarioBook} from "../../interfaces/IScenarioBook.sol";
import {Units} from "../libraries/Units.sol";

/// @title RateFeed
/// @notice See IRateFeed.
contract RateFeed is IRateFeed, AccessManaged {
    uint256 private constant WAD = Units.UWAD;
    uint256 private constant MAX_RATE_WAD = 1e6 * WAD;
    uint256 private constant MIN_GAP_SEC = 1 minutes;
    uint256 private constant MAX_GAP_SEC = 7 days;
    uint256 private constant MAX_RISE_WAD = 0.1e18;
    uint256 private constant MAX_FALL_WAD = 0.5e18;
    uint256 private constant MAX_START_WAD = 0.1e18;
    uint256 private constant MAX_DECIMALS = 36;

    IScenarioBook private immutable BOOK;

    /// @dev slot 0: terms; slot 1: bounds, and the decimals of a vault's share and asset. Read when the source
    /// is set: decimals that change later cannot scale a rate.
    struct Source {
        address source;
        Form form;
        uint32 gapSec;
        uint64 maxRiseWad;
        uint64 maxFallWad;
        uint8 shareDecimals;
        uint8 assetDecimals;
    }

    mapping(uint256 tokenId => Source) private _source;
    mapping(uint256 tokenId => Observation) private _observation;

    /// @param authority Access manager.
    /// @param book Scenario book whose ratios this feed sets.
    constructor(address authority, IScenarioBook book) AccessManaged(authority) {
        BOOK = book;
    }

    /// @inheritdoc IRateFeed
    function setSource(uint256 tokenId, Terms calldata terms) external override restricted {
        delete _observation[tokenId];
        delete _source[tokenId];
        emit SourceSet(tokenId, terms);
        if (terms.source == address(0)) return;
        _checkTerms(terms);
        Source memory s;
        (s.source, s.form, s.gapSec) = (terms.source, terms.form, terms.gapSec);
        (s.maxRiseWad, s.maxFallWad) = (terms.maxRiseWad, terms.maxFallWad);
        if (terms.form == Form.ERC4626) (s.shareDecimals, s.assetDecimals) = _decimalsOf(tokenId, terms.source);
        _source[tokenId] = s;
        uint256 ratioWad = BOOK.collateralOf(tokenId).ratioWad;
        uint256 rateWad = _read(tokenId, s);
        uint256 apart = rateWad > ratioWad ? rateWad - ratioWad : ratioWad - rateWad;
        if (apart * WAD > ratioWad * MAX_START_WAD) revert RateFeed__FarFromBook(rateWad, ratioWad);
        _observation[tokenId].settledTs = uint40(block.timestamp);
    }

    /// @inheritdoc IRateFeed
    function update(uint256 tokenId) external override returns (uint256 ratioWad) {
        Source memory s = _source[tokenId];
        uint256 rateWad = _read(tokenId, s);
        Observation memory o = _observation[tokenId];
        ratioWad = BOOK.collateralOf(tokenId).ratioWad;
        if (o.ts == 0) {
            _observe(tokenId, o, rateWad, block.timestamp);
            return ratioWad;
        }
        uint256 agreedWad = _agreed(o.rateWad, rateWad, ratioWad);
        uint256 earliestTs = o.ts + s.gapSec;
        if (block.timestamp < earliestTs) {
            if (agreedWad == o.rateWad) revert RateFeed__TooEarly(block.timestamp, earliestTs);
            _observe(tokenId, o, agreedWad, o.ts);
            return ratioWad;
        }
        uint256 sec = block.timestamp - o.settledTs;
        _observation[tokenId] = Observation(uint40(block.timestamp), uint104(rateWad), uint40(block.timestamp));
        emit RateObserved(tokenId, rateWad, block.timestamp);
        ratioWad = _settle(tokenId, s, agreedWad, ratioWad, sec);
    }

    /// @inheritdoc IRateFeed
    function rateOf(uint256 tokenId) external view override returns (uint256 rateWad) {
        rateWad = _read(tokenId, _source[tokenId]);
    }

    /// @inheritdoc IRateFeed
    function termsOf(uint256 tokenId) external view override returns (Terms memory terms) {
        Source memory s = _source[tokenId];
        terms = Terms(s.source, s.form, s.gapSec, s.maxRiseWad, s.maxFallWad);
    }

    /// @inheritdoc IRateFeed
    function observationOf(uint256 tokenId) external view override returns (Observation memory observation) {
        observation = _observation[tokenId];
    }

    function _observe(uint256 tokenId, Observation memory o, uint256 rateWad, uint256 ts) private {
        (o.rateWad, o.ts) = (uint104(rateWad), uint40(ts));
        _observation[tokenId] = o;
        emit RateObserved(tokenId, rateWad, ts);
    }

    /// @dev Moves the book's ratio towards the rate, by no more than the bound for the time since the last settlement.
    function _settle(uint256 tokenId, Source memory s, uint256 rateWad, uint256 oldWad, uint256 sec)
        private
        returns (uint256 ratioWad)
    {
        if (sec > 1 days) sec = 1 days;
        uint256 mostWad = oldWad + (oldWad * s.maxRiseWad * sec) / (WAD * 1 days);
        uint256 leastWad = oldWad - (oldWad * s.maxFallWad * sec) / (WAD * 1 days);
        ratioWad = rateWad > mostWad ? mostWad : rateWad < leastWad ? leastWad : rateWad;
        if (ratioWad != oldWad) BOOK.setRatio(tokenId, ratioWad);
        emit RateSettled(tokenId, rateWad, ratioWad);
    }

    /// @dev How far two rates agree on leaving the ratio: nowhere when one is above it and one below.
    function _agreed(uint256 a, uint256 b, uint256 ratioWad) private pure returns (uint256 rateWad) {
        (uint256 low, uint256 high) = a < b ? (a, b) : (b, a);
        if (low > ratioWad) return low;
        if (high < ratioWad) return high;
        return ratioWad;
    }

    function _checkTerms(Terms calldata terms) private pure {
        if (terms.form == Form.NONE) revert RateFeed__BadTerms("form", 0, 1);
        if (terms.gapSec < MIN_GAP_SEC) revert RateFeed__BadTerms("gapSec", terms.gapSec, MIN_GAP_SEC);
        if (terms.gapSec > MAX_GAP_SEC) revert RateFeed__BadTerms("gapSec", terms.gapSec, MAX_GAP_SEC);
        if (terms.maxRiseWad > MAX_RISE_WAD) revert RateFeed__BadTerms("maxRiseWad", terms.maxRiseWad, MAX_RISE_WAD);
        if (terms.maxFallWad > MAX_FALL_WAD) revert RateFeed__BadTerms("maxFallWad", terms.maxFallWad, MAX_FALL_WAD);
    }

    function _decimalsOf(uint256 tokenId, address vault)
        private
        view
        returns (uint8 shareDecimals, uint8 assetDecimals)
    {
        address asset = address(uint160(_call(tokenId, vault, abi.encodeCall(IERC4626.asset, ()))));
        uint256 share = _call(tokenId, vault, abi.encodeCall(IERC20Metadata.decimals, ()));
        uint256 whole = _call(tokenId, asset, abi.encodeCall(IERC20Metadata.decimals, ()));
        if (share > MAX_DECIMALS) revert RateFeed__BadTerms("decimals", share, MAX_DECIMALS);
        if (whole > MAX_DECIMALS) revert RateFeed__BadTerms("decimals", whole, MAX_DECIMALS);
        (shareDecimals, assetDecimals) = (uint8(share), uint8(whole));
    }

    function _read(uint256 tokenId, Source memory s) private view returns (uint256 rateWad) {
        if (s.source == address(0)) revert RateFeed__NoSource(tokenId);
        rateWad = _call(tokenId, s.source, _question(s));
        if (s.form == Form.ERC4626) {
            uint256 asset = 10 ** uint256(s.assetDecimals);
            // Beyond the limit already, and never a product that overflows.
            if (rateWad / asset > MAX_RATE_WAD / WAD) revert RateFeed__BadRate(rateWad / asset, MAX_RATE_WAD / WAD);
            rateWad = (rateWad * WAD) / asset;
        }
        if (rateWad == 0 || rateWad > MAX_RATE_WAD) revert RateFeed__BadRate(rateWad, MAX_RATE_WAD);
    }

    function _question(Source memory s) private pure returns (bytes memory) {
        if (s.form == Form.ERC4626) {
            return abi.encodeCall(IERC4626.convertToAssets, (10 ** uint256(s.shareDecimals)));
        }
        if (s.form == Form.GET_RATE) return abi.encodeWithSignature("getRate()");
        if (s.form == Form.EXCHANGE_RATE) return abi.encodeWithSignature("exchangeRate()");
        if (s.form == Form.GET_EXCHANGE_RATE) return abi.encodeWithSignature("getExchangeRate()");
        return abi.encodeWithSignature("stEthPerToken()");
    }

    /// @dev One word of a source nobody here vouches for: it cannot change state, and no more than a word is copied.
    function _call(uint256 tokenId, address source, bytes memory data) private view returns (uint256 word) {
        bool isWord;
        assembly ("memory-safe") {
            // Equivalent: (isWord, returned) = source.staticcall(data), the first word alone of what it returned.
            isWord := staticcall(gas(), source, add(data, 0x20), mload(data), 0, 0x20)
            isWord := and(isWord, gt(returndatasize(), 0x1f))
            word := mload(0)
        }
        if (!isWord) revert RateFeed__SourceFailed(tokenId, source);
    }
}
