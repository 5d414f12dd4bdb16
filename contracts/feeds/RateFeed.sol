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
    uint256 private constant MIN_FALL_GAP_SEC = 2 seconds;
    uint256 private constant MAX_FALL_GAP_SEC = 10 minutes;
    uint256 private constant MAX_RISE_WAD = 0.1e18;
    uint256 private constant MAX_FALL_WAD = 0.5e18;
    uint256 private constant MAX_START_WAD = 0.1e18;
    uint256 private constant MAX_DECIMALS = 36;
    /// @dev What a source may use for one answer, and what has to be there before it is asked: a 64th of the gas stays
    /// behind with every call.
    uint256 private constant STIPEND_GAS = 200_000;
    uint256 private constant NEEDED_GAS = 210_000;

    IScenarioBook private immutable BOOK;

    /// @dev One slot, all that a question takes. The decimals of a vault's share and asset are read when the source is
    /// set: decimals that change later cannot scale a rate.
    struct Source {
        address source;
        Form form;
        uint32 gapSec;
        uint32 fallGapSec;
        uint8 shareDecimals;
        uint8 assetDecimals;
    }

    /// @dev See Terms.
    struct Bounds {
        uint64 maxRiseWad;
        uint64 maxFallWad;
    }

    mapping(uint256 tokenId => Source) private _source;
    mapping(uint256 tokenId => Bounds) private _bounds;
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
        delete _bounds[tokenId];
        emit SourceSet(tokenId, terms);
        if (terms.source == address(0)) return;
        _checkTerms(terms);
        Source memory s;
        (s.source, s.form, s.gapSec, s.fallGapSec) = (terms.source, terms.form, terms.gapSec, terms.fallGapSec);
        if (terms.form == Form.ERC4626) (s.shareDecimals, s.assetDecimals) = _decimalsOf(tokenId, terms.source);
        _source[tokenId] = s;
        _bounds[tokenId] = Bounds(terms.maxRiseWad, terms.maxFallWad);
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
        bool isFall = rateWad < ratioWad;
        if (o.ts == 0 || isFall != (o.rateWad < ratioWad)) {
            // The first observation of all, or one that the pair under way does not agree with: another pair begins.
            _observe(tokenId, o, rateWad, block.timestamp);
            return ratioWad;
        }
        bool isNearer = isFall ? rateWad > o.rateWad : rateWad < o.rateWad;
        uint256 agreedWad = isNearer ? rateWad : o.rateWad;
        uint256 earliestTs = o.ts + (isFall ? s.fallGapSec : s.gapSec);
        if (block.timestamp < earliestTs) {
            if (!isNearer) revert RateFeed__TooEarly(block.timestamp, earliestTs);
            _observe(tokenId, o, agreedWad, o.ts);
            return ratioWad;
        }
        ratioWad = isFall ? _fall(tokenId, o, agreedWad, ratioWad) : _rise(tokenId, o, agreedWad, ratioWad);
        o.settledTs = uint40(block.timestamp);
        _observe(tokenId, o, rateWad, block.timestamp);
        emit RateSettled(tokenId, agreedWad, ratioWad);
    }

    /// @inheritdoc IRateFeed
    function ceilingOf(uint256 tokenId) external view override returns (uint256 rateWad) {
        Source memory s = _source[tokenId];
        if (s.source == address(0)) return type(uint256).max;
        (bool isWord, uint256 word) = _ask(s.source, _question(s));
        if (!isWord) return 0;
        rateWad = _inWad(s, word);
        if (rateWad > MAX_RATE_WAD) rateWad = 0;
    }

    /// @inheritdoc IRateFeed
    function rateOf(uint256 tokenId) external view override returns (uint256 rateWad) {
        rateWad = _read(tokenId, _source[tokenId]);
    }

    /// @inheritdoc IRateFeed
    function termsOf(uint256 tokenId) external view override returns (Terms memory terms) {
        Source memory s = _source[tokenId];
        Bounds memory b = _bounds[tokenId];
        terms = Terms(s.source, s.form, s.gapSec, s.fallGapSec, b.maxRiseWad, b.maxFallWad);
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

    /// @dev Raises the book's ratio to the rate, by no more than the bound for the time since the last settlement.
    function _rise(uint256 tokenId, Observation memory o, uint256 rateWad, uint256 oldWad)
        private
        returns (uint256 ratioWad)
    {
        uint256 mostWad = oldWad + (oldWad * _bounds[tokenId].maxRiseWad * _secOf(o)) / (WAD * 1 days);
        ratioWad = rateWad < mostWad ? rateWad : mostWad;
        if (ratioWad != oldWad) BOOK.setRatio(tokenId, ratioWad);
        o.fallenWad = uint64(_fallenOf(tokenId, o));
    }

    /// @dev Lowers the book's ratio to the rate at once, by no more than what is left of a day's bound.
    function _fall(uint256 tokenId, Observation memory o, uint256 rateWad, uint256 oldWad)
        private
        returns (uint256 ratioWad)
    {
        uint256 fallenWad = _fallenOf(tokenId, o);
        uint256 leastWad = oldWad - (oldWad * (_bounds[tokenId].maxFallWad - fallenWad)) / WAD;
        ratioWad = rateWad > leastWad ? rateWad : leastWad;
        if (ratioWad != oldWad) BOOK.setRatio(tokenId, ratioWad);
        // Down: what rounds away is less than a wei of the ratio.
        o.fallenWad = uint64(fallenWad + ((oldWad - ratioWad) * WAD) / oldWad);
    }

    /// @dev Time since the last settlement, as far as it counts.
    function _secOf(Observation memory o) private view returns (uint256 sec) {
        sec = block.timestamp - o.settledTs;
        if (sec > 1 days) sec = 1 days;
    }

    /// @dev What of a day's bound on falls is used: it comes back evenly over a day.
    function _fallenOf(uint256 tokenId, Observation memory o) private view returns (uint256 fallenWad) {
        uint256 backWad = (_bounds[tokenId].maxFallWad * _secOf(o)) / 1 days;
        fallenWad = o.fallenWad > backWad ? o.fallenWad - backWad : 0;
    }

    function _checkTerms(Terms calldata terms) private pure {
        if (terms.form == Form.NONE) revert RateFeed__BadTerms("form", 0, 1);
        if (terms.gapSec < MIN_GAP_SEC) revert RateFeed__BadTerms("gapSec", terms.gapSec, MIN_GAP_SEC);
        if (terms.gapSec > MAX_GAP_SEC) revert RateFeed__BadTerms("gapSec", terms.gapSec, MAX_GAP_SEC);
        _checkFallGap(terms.fallGapSec, terms.gapSec < MAX_FALL_GAP_SEC ? terms.gapSec : MAX_FALL_GAP_SEC);
        if (terms.maxRiseWad > MAX_RISE_WAD) revert RateFeed__BadTerms("maxRiseWad", terms.maxRiseWad, MAX_RISE_WAD);
        if (terms.maxFallWad > MAX_FALL_WAD) revert RateFeed__BadTerms("maxFallWad", terms.maxFallWad, MAX_FALL_WAD);
    }

    function _checkFallGap(uint256 gapSec, uint256 limitSec) private pure {
        if (gapSec < MIN_FALL_GAP_SEC) revert RateFeed__BadTerms("fallGapSec", gapSec, MIN_FALL_GAP_SEC);
        if (gapSec > limitSec) revert RateFeed__BadTerms("fallGapSec", gapSec, limitSec);
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
        rateWad = _inWad(s, _call(tokenId, s.source, _question(s)));
        if (rateWad == 0 || rateWad > MAX_RATE_WAD) revert RateFeed__BadRate(rateWad, MAX_RATE_WAD);
    }

    /// @dev The rate that an answer states; all bits set where it is beyond every limit and its product overflows.
    function _inWad(Source memory s, uint256 word) private pure returns (uint256 rateWad) {
        if (s.form != Form.ERC4626) return word;
        uint256 asset = 10 ** uint256(s.assetDecimals);
        rateWad = word / asset > MAX_RATE_WAD / WAD ? type(uint256).max : (word * WAD) / asset;
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

    function _call(uint256 tokenId, address source, bytes memory data) private view returns (uint256 word) {
        bool isWord;
        (isWord, word) = _ask(source, data);
        if (!isWord) revert RateFeed__SourceFailed(tokenId, source);
    }

    /// @dev One word of a source nobody here vouches for: it cannot change state, it has its own gas and no more, and
    /// no more than a word is copied. Who sends less gas than that loses all of it here: a source that was starved is
    /// never taken for one that failed.
    function _ask(address source, bytes memory data) private view returns (bool isWord, uint256 word) {
        bool isStarved = gasleft() < NEEDED_GAS;
        assembly ("memory-safe") {
            // Solidity has no other way to use up the gas.
            if isStarved { invalid() }
            // Equivalent: (isWord, returned) = source.staticcall{gas: STIPEND_GAS}(data), the first word alone of what
            // it returned.
            isWord := staticcall(STIPEND_GAS, source, add(data, 0x20), mload(data), 0, 0x20)
            isWord := and(isWord, gt(returndatasize(), 0x1f))
            word := mload(0)
        }
    }
}
