// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {IOracle} from "../../interfaces/IOracle.sol";
import {AnchorWord} from "../libraries/AnchorWord.sol";
import {Ln} from "../libraries/Ln.sol";
import {RoundDomain} from "../libraries/RoundDomain.sol";
import {RoundHash} from "../libraries/RoundHash.sol";
import {SpeedLimit} from "../libraries/SpeedLimit.sol";
import {SurfaceWord} from "../libraries/SurfaceWord.sol";
import {FeedLimits} from "./FeedLimits.sol";
import {SecondOpinion} from "./SecondOpinion.sol";
import {SettlementPrices} from "./SettlementPrices.sol";

/// @title Oracle
/// @notice Rounds and token prices. See IOracle.
/// @dev A surface keeps the time of its round, so that one which the latest round left out is recognised on read.
contract Oracle is SecondOpinion, SettlementPrices {
    /// @dev Bits of the flags of a header.
    uint8 private constant IS_SURE = 1;
    uint8 private constant HAS_MEAN = 2;

    /// @dev slot 0: what every margin check reads. slot 1: confidence and mean, read where the flags say so, and the
    /// anchors of spot and perpetual in steps of SpeedLimit, as of `ts`.
    struct StoredHeader {
        uint40 ts;
        uint104 spotWad;
        uint104 perpWad;
        uint8 flags;
        uint64 confWad;
        uint104 meanWad;
        uint32 spotAnchor;
        uint32 perpAnchor;
    }

    /// @dev See SurfaceWord and AnchorWord.
    struct StoredSurface {
        uint256 head;
        uint256 tail;
        uint256 anchors;
    }

    /// @dev slot 0.
    struct StoredPrice {
        uint40 ts;
        uint104 priceWad;
        uint32 anchor;
    }

    mapping(uint8 underlyingId => StoredHeader) private _header;
    mapping(uint8 underlyingId => mapping(uint40 expiryTs => StoredSurface)) private _surface;
    mapping(uint8 underlyingId => uint40[]) private _expiries;
    mapping(uint8 underlyingId => mapping(uint40 expiryTs => LastInWindow)) private _closedWindow;
    mapping(uint256 tokenId => StoredPrice) private _tokenPrice;

    constructor(address authority, uint256 heartbeatSec_, uint256 maxMoveWad_, uint256 maxVarianceMoveWad_)
        FeedLimits(authority, heartbeatSec_, maxMoveWad_, maxVarianceMoveWad_)
    {}

    /// @inheritdoc IOracle
    function postRound(Round calldata round, bytes[] calldata signatures)
        external
        override
        whenNotPaused
        returns (bool accepted)
    {
        StoredHeader memory last = _header[round.underlyingId];
        if (round.ts <= last.ts) return false;
        _requireFresh(round.ts);
        _requireSigned(RoundHash.round(round), signatures);
        RoundDomain.check(round);
        if (_limits.hasAggregators) _requireSpotAgreed(round.underlyingId, round.spotWad);
        if (last.meanWad != 0) _keepWindow(round, last);
        SpeedLimit.Step memory step = _stepFrom(last.ts, round.ts);
        _storeHeader(round, last, step);
        _storeSurfaces(round, step);
        emit RoundPosted(round.underlyingId, round);
        return true;
    }

    /// @inheritdoc IOracle
    function postTokenPrices(TokenPrices calldata prices, bytes[] calldata signatures)
        external
        override
        whenNotPaused
    {
        if (prices.tokenIds.length != prices.pricesWad.length) {
            revert Oracle__BadLength(prices.pricesWad.length, prices.tokenIds.length);
        }
        _requireFresh(prices.ts);
        _requireSigned(RoundHash.tokenPrices(prices), signatures);
        for (uint256 i; i < prices.tokenIds.length; ++i) {
            _storePrice(prices.tokenIds[i], prices.ts, prices.pricesWad[i]);
        }
    }

    /// @inheritdoc IOracle
    function roundFor(uint8 underlyingId, uint40[] calldata expiries)
        external
        view
        override
        returns (Header memory header, Surface[] memory surfaces)
    {
        StoredHeader storage h = _header[underlyingId];
        (uint40 ts, uint8 flags) = (h.ts, h.flags);
        if (ts == 0) revert Oracle__NoRound(underlyingId);
        (header.ts, header.spotWad, header.perpWad) = (ts, h.spotWad, h.perpWad);
        _requireUsable(ts);
        if (flags == IS_SURE) header.confWad = 1e18;
        else (header.confWad, header.meanWad) = (h.confWad, h.meanWad);
        uint256 answer = _createAnswer(header, expiries.length);
        mapping(uint40 expiryTs => StoredSurface) storage stored = _surface[underlyingId];
        Surface memory s;
        for (uint256 i; i < expiries.length; ++i) {
            uint40 expiryTs = expiries[i];
            StoredSurface storage words = stored[expiryTs];
            uint256 head = words.head;
            if (!SurfaceWord.isOf(head, ts)) revert Oracle__ExpiryNotInRound(underlyingId, expiryTs);
            assembly ("memory-safe") {
                s := add(answer, add(0xe0, shl(8, i))) // its eight words in the answer
            }
            s.expiryTs = expiryTs;
            SurfaceWord.unpack(s, head, words.tail);
        }
        assembly ("memory-safe") {
            // Equivalent: return (header, surfaces), which was encoded as it was found.
            return(answer, add(0xe0, shl(8, expiries.length)))
        }
    }

    /// @dev Room for an encoded round: its header, where the array of surfaces is, their number, eight words for each.
    function _createAnswer(Header memory header, uint256 count) private pure returns (uint256 answer) {
        assembly ("memory-safe") {
            // Equivalent: answer = abi.encode(header, new Surface[](count)), the surfaces not cleared.
            answer := mload(0x40)
            mcopy(answer, header, 0xa0)
            mstore(add(answer, 0xa0), 0xc0)
            mstore(add(answer, 0xc0), count)
            mstore(0x40, add(answer, add(0xe0, shl(8, count))))
        }
    }

    /// @inheritdoc IOracle
    function tokenPriceOf(uint256 tokenId) external view override returns (uint256 priceWad) {
        StoredPrice memory price = _tokenPrice[tokenId];
        if (price.ts == 0) revert Oracle__NoTokenPrice(tokenId);
        _requireUsable(price.ts);
        priceWad = price.priceWad;
    }

    /// @inheritdoc IOracle
    function lastTokenPriceOf(uint256 tokenId) external view override returns (uint256 priceWad, uint40 ts) {
        (priceWad, ts) = (_tokenPrice[tokenId].priceWad, _tokenPrice[tokenId].ts);
    }

    /// @inheritdoc IOracle
    function lastSpotOf(uint8 underlyingId) external view override returns (uint256 spotWad, uint40 ts) {
        (spotWad, ts) = (_header[underlyingId].spotWad, _header[underlyingId].ts);
    }

    /// @inheritdoc IOracle
    function expiriesOf(uint8 underlyingId) external view override returns (uint40[] memory expiries) {
        expiries = _expiries[underlyingId];
    }

    /// @inheritdoc IOracle
    function anchorsOf(uint8 underlyingId, uint40[] calldata expiries)
        external
        view
        override
        returns (uint40 ts, int256 spotLnWad, int256 perpLnWad, SurfaceAnchor[] memory surfaces)
    {
        StoredHeader memory h = _header[underlyingId];
        ts = h.ts;
        if (ts != 0) (spotLnWad, perpLnWad) = (SpeedLimit.lnOf(h.spotAnchor), SpeedLimit.lnOf(h.perpAnchor));
        surfaces = new SurfaceAnchor[](expiries.length);
        for (uint256 i; i < expiries.length; ++i) {
            surfaces[i] = AnchorWord.unpack(_surface[underlyingId][expiries[i]].anchors);
        }
    }

    /// @inheritdoc IOracle
    function tokenAnchorOf(uint256 tokenId) external view override returns (uint40 ts, int256 priceLnWad) {
        StoredPrice memory price = _tokenPrice[tokenId];
        ts = price.ts;
        if (ts != 0) priceLnWad = SpeedLimit.lnOf(price.anchor);
    }

    /// @dev See SettlementPrices: the header while no later round has come, what was kept of it afterwards.
    function _lastInWindow(uint8 underlyingId, uint40 expiryTs)
        internal
        view
        override
        returns (LastInWindow memory last)
    {
        StoredHeader memory h = _header[underlyingId];
        if (h.meanWad != 0 && _expiries[underlyingId][0] == expiryTs) {
            return LastInWindow(h.ts, h.spotWad, h.meanWad);
        }
        last = _closedWindow[underlyingId][expiryTs];
    }

    /// @dev See SettlementPrices.
    function _lastKnown(uint8 underlyingId, uint40 expiryTs)
        internal
        view
        override
        returns (uint256 forwardWad, uint256 spotWad)
    {
        forwardWad = SurfaceWord.forwardOf(_surface[underlyingId][expiryTs].head);
        spotWad = _header[underlyingId].spotWad;
    }

    /// @dev Keeps the last round of a settlement window, once, when a round comes that is not of the same window.
    function _keepWindow(Round calldata round, StoredHeader memory last) private {
        uint40 expiryTs = _expiries[round.underlyingId][0];
        bool isSame = round.meanWad != 0 && round.surfaces[0].expiryTs == expiryTs;
        if (isSame) return;
        _closedWindow[round.underlyingId][expiryTs] = LastInWindow(last.ts, last.spotWad, last.meanWad);
    }

    function _stepFrom(uint256 sinceTs, uint256 ts) private view returns (SpeedLimit.Step memory step) {
        Limits memory limits = _limits;
        (step.ts, step.sinceTs, step.heartbeatSec) = (ts, sinceTs, limits.heartbeatSec);
        step.maxMoveWad = int256(uint256(limits.maxMoveWad));
        step.maxVarianceMoveWad = int256(uint256(limits.maxVarianceMoveWad));
        (step.keptWad, step.limitWad, step.varianceLimitWad) = SpeedLimit.since(sinceTs, step);
    }

    function _storeHeader(Round calldata round, StoredHeader memory last, SpeedLimit.Step memory step) private {
        StoredHeader memory h;
        (h.ts, h.spotWad, h.perpWad) = (round.ts, uint104(round.spotWad), uint104(round.perpWad));
        (h.confWad, h.meanWad) = (uint64(round.confWad), uint104(round.meanWad));
        h.flags = (round.confWad == 1e18 ? IS_SURE : 0) | (round.meanWad == 0 ? 0 : HAS_MEAN);
        h.spotAnchor = _anchorAfter("spot", last.spotAnchor, round.spotWad, step);
        h.perpAnchor = _anchorAfter("perp", last.perpAnchor, round.perpWad, step);
        if (round.meanWad != 0 && last.ts != 0) {
            SpeedLimit.check("mean", last.spotAnchor, Ln.lnWad(round.meanWad), step.limitWad);
        }
        _header[round.underlyingId] = h;
    }

    function _storeSurfaces(Round calldata round, SpeedLimit.Step memory step) private {
        Surface[] calldata surfaces = round.surfaces;
        uint40[] memory expiries = new uint40[](surfaces.length);
        mapping(uint40 expiryTs => StoredSurface) storage stored = _surface[round.underlyingId];
        for (uint256 i; i < surfaces.length; ++i) {
            Surface calldata s = surfaces[i];
            uint40 expiryTs = s.expiryTs;
            expiries[i] = expiryTs;
            // A round from before an expiry would give a series back its value that has its settlement price already.
            if (expiryTs <= block.timestamp) _requireUnsettled(round.underlyingId, expiryTs);
            StoredSurface storage words = stored[expiryTs];
            words.anchors = AnchorWord.advance(words.anchors, s, step);
            (words.head, words.tail) = SurfaceWord.pack(step.ts, s);
        }
        _expiries[round.underlyingId] = expiries;
    }

    function _storePrice(uint256 tokenId, uint40 ts, uint256 priceWad) private {
        StoredPrice memory last = _tokenPrice[tokenId];
        if (ts <= last.ts) return;
        RoundDomain.checkPrice("tokenPrice", priceWad);
        if (_limits.hasAggregators) _requireTokenAgreed(tokenId, priceWad);
        uint32 anchor = _anchorAfter("tokenPrice", last.anchor, priceWad, _stepFrom(last.ts, ts));
        _tokenPrice[tokenId] = StoredPrice(ts, uint104(priceWad), anchor);
        emit TokenPricePosted(tokenId, ts, priceWad);
    }

    /// @dev Checks a price and moves its anchor; the first price is its own.
    function _anchorAfter(bytes32 field, uint256 anchor, uint256 priceWad, SpeedLimit.Step memory step)
        private
        pure
        returns (uint32)
    {
        int256 lnWad = Ln.lnWad(priceWad);
        if (step.sinceTs == 0) return uint32(SpeedLimit.first(lnWad));
        return uint32(SpeedLimit.move(field, anchor, lnWad, step.keptWad, step.limitWad));
    }
}
