// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {ECDSA} from "@openzeppelin/contracts/utils/cryptography/ECDSA.sol";
import {EIP712} from "@openzeppelin/contracts/utils/cryptography/EIP712.sol";
import {IAggregator} from "../../interfaces/IAggregator.sol";
import {IOracle} from "../../interfaces/IOracle.sol";
import {ExpiringPause} from "../access/ExpiringPause.sol";
import {RoundDomain} from "../libraries/RoundDomain.sol";
import {RoundHash} from "../libraries/RoundHash.sol";
import {SurfaceWord} from "../libraries/SurfaceWord.sol";

/// @title Oracle
/// @notice See IOracle.
/// @dev A surface keeps the time of its round, so that one which the latest round left out is recognised on read.
contract Oracle is IOracle, ExpiringPause, EIP712 {
    /// @dev Clocks of signers may run ahead of the chain's by this much.
    uint256 private constant MAX_AHEAD_SEC = 15;
    uint256 private constant MAX_HEARTBEAT_SEC = 7 days;
    uint256 private constant MAX_SIGNERS = 32;
    uint256 private constant WINDOW_SEC = 30 minutes;
    uint256 private constant MAX_EDGE_SEC = 5 minutes;
    uint256 private constant MIN_SAMPLES = 6;
    uint256 private constant MAX_SAMPLES = 1800;
    uint256 private constant MAX_GRACE_SEC = 1 days;
    uint256 private constant MAX_DECIMALS = 18;

    /// @dev slot 0: all but the confidence, which is read only where it is below 1.
    struct StoredHeader {
        uint40 ts;
        uint104 spotWad;
        uint104 perpWad;
        bool isSure;
        uint64 confWad;
    }

    /// @dev See SurfaceWord.
    struct StoredSurface {
        uint256 head;
        uint256 tail;
    }

    /// @dev slot 0.
    struct Limits {
        uint32 heartbeatSec;
        uint64 maxDeviationWad;
        uint8 threshold;
        /// @dev Both in the word that every read and every round reads anyway: unset, the checks cost nothing.
        bool watchesSequencer;
        bool hasAggregators;
    }

    /// @dev slot 0.
    struct Sequencer {
        address feed;
        uint32 graceSec;
    }

    /// @dev slot 0.
    struct Aggregator {
        address feed;
        uint24 maxAgeSec;
        uint8 decimals;
        uint64 maxDeviationWad;
    }

    struct StoredPrice {
        uint40 ts;
        uint104 priceWad;
    }

    /// @notice Whether an address may sign.
    mapping(address => bool) public isSigner;

    Limits private _limits;
    address[] private _signers;
    mapping(uint8 underlyingId => StoredHeader) private _header;
    mapping(uint8 underlyingId => mapping(uint40 expiryTs => StoredSurface)) private _surface;
    mapping(uint8 underlyingId => uint40[]) private _expiries;
    mapping(uint256 tokenId => StoredPrice) private _tokenPrice;
    mapping(uint8 underlyingId => mapping(uint40 expiryTs => uint256)) private _settlementWad;
    Sequencer private _sequencer;
    mapping(uint8 underlyingId => Aggregator) private _aggregator;

    constructor(address authority, uint256 heartbeatSec_, uint256 maxDeviationWad_)
        AccessManaged(authority)
        EIP712("Plimsoll Oracle", "1")
    {
        _setLimits(heartbeatSec_, maxDeviationWad_);
    }

    /// @inheritdoc IOracle
    function postRound(Round calldata round, bytes[] calldata signatures)
        external
        override
        whenNotPaused
        returns (bool accepted)
    {
        StoredHeader storage last = _header[round.underlyingId];
        if (round.ts <= last.ts) return false;
        _requireFresh(round.ts);
        _requireSigned(RoundHash.round(round), signatures);
        RoundDomain.check(round);
        _requireNear(round, last);
        if (_limits.hasAggregators) _requireAgreed(round.underlyingId, round.spotWad);
        _store(round);
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
            uint256 tokenId = prices.tokenIds[i];
            if (prices.ts <= _tokenPrice[tokenId].ts) continue;
            uint256 priceWad = prices.pricesWad[i];
            RoundDomain.checkPrice("tokenPrice", priceWad);
            _tokenPrice[tokenId] = StoredPrice(prices.ts, uint104(priceWad));
            emit TokenPricePosted(tokenId, prices.ts, priceWad);
        }
    }

    /// @inheritdoc IOracle
    function postSettlement(SettlementSamples calldata samples, bytes[] calldata signatures)
        external
        override
        whenNotPaused
    {
        uint8 underlyingId = samples.underlyingId;
        uint40 expiryTs = samples.expiryTs;
        if (_settlementWad[underlyingId][expiryTs] != 0) revert Oracle__AlreadySettled(underlyingId, expiryTs);
        if (block.timestamp < expiryTs) revert Oracle__FromFuture(expiryTs, block.timestamp);
        _requireSigned(RoundHash.settlement(samples), signatures);
        uint256 priceWad = _timeWeightedMean(samples);
        _settlementWad[underlyingId][expiryTs] = priceWad;
        emit SettlementPosted(underlyingId, expiryTs, priceWad);
    }

    /// @inheritdoc IOracle
    function setSigners(address[] calldata signers, uint256 threshold_) external override restricted {
        if (signers.length == 0 || signers.length > MAX_SIGNERS) {
            revert Oracle__BadSignerSet(signers.length, MAX_SIGNERS);
        }
        if (threshold_ == 0 || threshold_ > signers.length) revert Oracle__BadSignerSet(threshold_, signers.length);
        for (uint256 i; i < _signers.length; ++i) {
            isSigner[_signers[i]] = false;
        }
        address previous;
        for (uint256 i; i < signers.length; ++i) {
            if (signers[i] <= previous) revert Oracle__BadSigner(signers[i], previous);
            previous = signers[i];
            isSigner[previous] = true;
        }
        _signers = signers;
        _limits.threshold = uint8(threshold_);
        emit SignersSet(signers, threshold_);
    }

    /// @inheritdoc IOracle
    function setLimits(uint256 heartbeatSec_, uint256 maxDeviationWad_) external override restricted {
        _setLimits(heartbeatSec_, maxDeviationWad_);
    }

    /// @inheritdoc IOracle
    function setSequencer(address feed, uint256 graceSec) external override restricted {
        if (graceSec > MAX_GRACE_SEC) revert Oracle__BadLimit(graceSec, MAX_GRACE_SEC);
        _sequencer = Sequencer(feed, uint32(graceSec));
        _limits.watchesSequencer = feed != address(0);
        emit SequencerSet(feed, graceSec);
    }

    /// @inheritdoc IOracle
    function setAggregator(uint8 underlyingId, address feed, uint256 maxAgeSec, uint256 maxDeviationWad_)
        external
        override
        restricted
    {
        if (maxAgeSec > MAX_HEARTBEAT_SEC) revert Oracle__BadLimit(maxAgeSec, MAX_HEARTBEAT_SEC);
        if (maxDeviationWad_ > 1e18) revert Oracle__BadLimit(maxDeviationWad_, 1e18);
        uint8 decimals;
        if (feed != address(0)) {
            decimals = IAggregator(feed).decimals();
            if (decimals > MAX_DECIMALS) revert Oracle__BadLimit(decimals, MAX_DECIMALS);
            _limits.hasAggregators = true;
        }
        _aggregator[underlyingId] = Aggregator(feed, uint24(maxAgeSec), decimals, uint64(maxDeviationWad_));
        emit AggregatorSet(underlyingId, feed, maxAgeSec, maxDeviationWad_);
    }

    /// @notice Oldest age at which a round still counts.
    /// @return Seconds.
    function heartbeatSec() external view returns (uint256) {
        return _limits.heartbeatSec;
    }

    /// @notice Largest relative move of spot between rounds.
    /// @return Wad.
    function maxDeviationWad() external view returns (uint256) {
        return _limits.maxDeviationWad;
    }

    /// @notice Signatures needed.
    /// @return Count.
    function threshold() external view returns (uint256) {
        return _limits.threshold;
    }

    /// @inheritdoc IOracle
    function roundFor(uint8 underlyingId, uint40[] calldata expiries)
        external
        view
        override
        returns (Header memory header, Surface[] memory surfaces)
    {
        StoredHeader storage h = _header[underlyingId];
        (uint40 ts, bool isSure) = (h.ts, h.isSure);
        if (ts == 0) revert Oracle__NoRound(underlyingId);
        (header.ts, header.spotWad, header.perpWad) = (ts, h.spotWad, h.perpWad);
        _requireUsable(ts);
        header.confWad = isSure ? 1e18 : h.confWad;
        surfaces = new Surface[](expiries.length);
        mapping(uint40 expiryTs => StoredSurface) storage stored = _surface[underlyingId];
        for (uint256 i; i < expiries.length; ++i) {
            uint40 expiryTs = expiries[i];
            StoredSurface storage words = stored[expiryTs];
            uint256 head = words.head;
            if (!SurfaceWord.isOf(head, ts)) revert Oracle__ExpiryNotInRound(underlyingId, expiryTs);
            Surface memory s = surfaces[i];
            s.expiryTs = expiryTs;
            SurfaceWord.unpack(s, head, words.tail);
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
    function sequencer() external view override returns (address feed, uint256 graceSec) {
        (feed, graceSec) = (_sequencer.feed, _sequencer.graceSec);
    }

    /// @inheritdoc IOracle
    function aggregatorOf(uint8 underlyingId)
        external
        view
        override
        returns (address feed, uint256 maxAgeSec, uint256 maxDeviationWad_)
    {
        Aggregator memory a = _aggregator[underlyingId];
        (feed, maxAgeSec, maxDeviationWad_) = (a.feed, a.maxAgeSec, a.maxDeviationWad);
    }

    /// @inheritdoc IOracle
    function tokenPriceTsOf(uint256 tokenId) external view override returns (uint40 ts) {
        ts = _tokenPrice[tokenId].ts;
    }

    /// @inheritdoc IOracle
    function settlementPriceOf(uint8 underlyingId, uint40 expiryTs)
        external
        view
        override
        returns (uint256 priceWad)
    {
        priceWad = _settlementWad[underlyingId][expiryTs];
        if (priceWad == 0) revert Oracle__NotSettled(underlyingId, expiryTs);
    }

    /// @inheritdoc IOracle
    function expiriesOf(uint8 underlyingId) external view override returns (uint40[] memory expiries) {
        expiries = _expiries[underlyingId];
    }

    function _setLimits(uint256 heartbeatSec_, uint256 maxDeviationWad_) private {
        if (heartbeatSec_ == 0 || heartbeatSec_ > MAX_HEARTBEAT_SEC) {
            revert Oracle__BadLimit(heartbeatSec_, MAX_HEARTBEAT_SEC);
        }
        if (maxDeviationWad_ == 0 || maxDeviationWad_ > 1e18) revert Oracle__BadLimit(maxDeviationWad_, 1e18);
        (_limits.heartbeatSec, _limits.maxDeviationWad) = (uint32(heartbeatSec_), uint64(maxDeviationWad_));
        emit LimitsSet(heartbeatSec_, maxDeviationWad_);
    }

    function _requireFresh(uint256 ts) private view {
        if (ts > block.timestamp + MAX_AHEAD_SEC) revert Oracle__FromFuture(ts, block.timestamp + MAX_AHEAD_SEC);
        uint256 maxAgeSec = _limits.heartbeatSec;
        uint256 oldest = block.timestamp > maxAgeSec ? block.timestamp - maxAgeSec : 0;
        if (ts < oldest) revert Oracle__Stale(ts, oldest);
    }

    /// @dev What may be read: fresh, and not from a time when nobody could act on it. What is stored was not from the
    /// future when it was posted, and time only grows.
    function _requireUsable(uint256 ts) private view {
        Limits storage limits = _limits;
        (uint256 maxAgeSec, bool watches) = (limits.heartbeatSec, limits.watchesSequencer);
        if (ts + maxAgeSec < block.timestamp) revert Oracle__Stale(ts, block.timestamp - maxAgeSec);
        if (watches) _requireSequencer();
    }

    /// @dev While the sequencer is down only its operator's queue gets through; after its return everybody gets the
    /// grace to act before prices of the outage bind anybody.
    function _requireSequencer() private view {
        Sequencer memory s = _sequencer;
        (, int256 answer, uint256 startedTs,,) = IAggregator(s.feed).latestRoundData();
        if (answer != 0) revert Oracle__SequencerDown(startedTs);
        uint256 upSec = startedTs == 0 || startedTs > block.timestamp ? 0 : block.timestamp - startedTs;
        if (upSec < s.graceSec) revert Oracle__SequencerGrace(upSec, s.graceSec);
    }

    /// @dev A second opinion, no second dependency: an aggregator that is late or fails stops nothing.
    function _requireAgreed(uint8 underlyingId, uint256 spotWad) private view {
        Aggregator memory a = _aggregator[underlyingId];
        if (a.feed == address(0)) return;
        try IAggregator(a.feed).latestRoundData() returns (uint80, int256 answer, uint256, uint256 updatedTs, uint80) {
            if (answer <= 0 || updatedTs + a.maxAgeSec < block.timestamp) return;
            uint256 otherWad = uint256(answer) * 10 ** (MAX_DECIMALS - a.decimals);
            uint256 apart = spotWad > otherWad ? spotWad - otherWad : otherWad - spotWad;
            uint256 deviationWad = (apart * 1e18) / otherWad;
            if (deviationWad > a.maxDeviationWad) revert Oracle__Disagreement(deviationWad, a.maxDeviationWad);
        } catch {
            return;
        }
    }

    /// @dev A last round past the heartbeat is no yardstick: after an outage the cap would lock the feed for good.
    function _requireNear(Round calldata round, StoredHeader storage last) private view {
        Limits memory limits = _limits;
        if (last.ts == 0 || round.ts - last.ts > limits.heartbeatSec) return;
        (uint256 spotWad, uint256 lastWad) = (round.spotWad, last.spotWad);
        uint256 moved = spotWad > lastWad ? spotWad - lastWad : lastWad - spotWad;
        uint256 deviationWad = (moved * 1e18) / lastWad;
        if (deviationWad > limits.maxDeviationWad) revert Oracle__Deviation(deviationWad, limits.maxDeviationWad);
    }

    /// @dev Signers must come in increasing order: a repeated signature can never count twice.
    function _requireSigned(bytes32 structHash, bytes[] calldata signatures) private view {
        uint256 needed = _limits.threshold;
        if (needed == 0 || signatures.length < needed) revert Oracle__TooFewSignatures(signatures.length, needed);
        bytes32 digest = _hashTypedDataV4(structHash);
        address previous;
        for (uint256 i; i < signatures.length; ++i) {
            address signer = ECDSA.recover(digest, signatures[i]);
            if (!isSigner[signer] || signer <= previous) revert Oracle__BadSigner(signer, previous);
            previous = signer;
        }
    }

    function _store(Round calldata round) private {
        StoredHeader storage h = _header[round.underlyingId];
        bool isSure = round.confWad == 1e18;
        (h.ts, h.spotWad, h.perpWad, h.isSure) = (round.ts, uint104(round.spotWad), uint104(round.perpWad), isSure);
        if (!isSure) h.confWad = uint64(round.confWad);
        uint40[] memory expiries = new uint40[](round.surfaces.length);
        mapping(uint40 expiryTs => StoredSurface) storage stored = _surface[round.underlyingId];
        for (uint256 i; i < round.surfaces.length; ++i) {
            Surface calldata s = round.surfaces[i];
            expiries[i] = s.expiryTs;
            StoredSurface storage words = stored[s.expiryTs];
            (words.head, words.tail) = SurfaceWord.pack(round.ts, s);
        }
        _expiries[round.underlyingId] = expiries;
    }

    /// @dev Each sample holds until the next, the first from the start of the window, the last until expiry.
    function _timeWeightedMean(SettlementSamples calldata samples) private pure returns (uint256 meanWad) {
        uint256 n = samples.sampleTs.length;
        if (n != samples.spotsWad.length) revert Oracle__BadLength(samples.spotsWad.length, n);
        if (n < MIN_SAMPLES) revert Oracle__BadLength(n, MIN_SAMPLES);
        if (n > MAX_SAMPLES) revert Oracle__BadLength(n, MAX_SAMPLES);
        uint256 start = samples.expiryTs - WINDOW_SEC;
        uint256 from = start;
        uint256 sum;
        for (uint256 i; i < n; ++i) {
            uint256 at = samples.sampleTs[i];
            uint256 floorTs = i == 0 ? start : samples.sampleTs[i - 1];
            if (at <= floorTs) revert Oracle__BadSample(at, floorTs);
            if (at > floorTs + MAX_EDGE_SEC) revert Oracle__BadSample(at, floorTs + MAX_EDGE_SEC);
            if (at > samples.expiryTs) revert Oracle__BadSample(at, samples.expiryTs);
            RoundDomain.checkPrice("sample", samples.spotsWad[i]);
            uint256 until = i + 1 == n ? samples.expiryTs : samples.sampleTs[i + 1];
            if (until < at) revert Oracle__BadSample(until, at);
            sum += samples.spotsWad[i] * (until - from);
            from = until;
        }
        uint256 last = samples.sampleTs[n - 1];
        if (last + MAX_EDGE_SEC < samples.expiryTs) revert Oracle__BadSample(last, samples.expiryTs - MAX_EDGE_SEC);
        meanWad = sum / WINDOW_SEC;
    }
}
