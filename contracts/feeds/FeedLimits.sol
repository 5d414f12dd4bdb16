// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IAggregator} from "../../interfaces/IAggregator.sol";
import {IOracle} from "../../interfaces/IOracle.sol";
import {ExpiringPause} from "../access/ExpiringPause.sol";
import {Units} from "../libraries/Units.sol";

/// @title FeedLimits
/// @notice How old, how new and how fast signed numbers may be, and whether the chain's sequencer is up. See IOracle.
abstract contract FeedLimits is IOracle, ExpiringPause {
    /// @dev Clocks of signers may run ahead of the chain's by this much.
    uint256 private constant MAX_AHEAD_SEC = Units.MAX_AHEAD_SEC;
    uint256 internal constant MAX_HEARTBEAT_SEC = 7 days;
    /// @dev A factor of 22,000: more is no limit.
    uint256 private constant MAX_MOVE_WAD = 10e18;
    uint256 private constant MAX_GRACE_SEC = 1 days;

    /// @dev slot 0.
    struct Limits {
        uint32 heartbeatSec;
        uint64 maxMoveWad;
        uint64 maxVarianceMoveWad;
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

    Limits internal _limits;
    Sequencer private _sequencer;

    constructor(address authority, uint256 heartbeatSec_, uint256 maxMoveWad_, uint256 maxVarianceMoveWad_)
        AccessManaged(authority)
    {
        _setLimits(heartbeatSec_, maxMoveWad_, maxVarianceMoveWad_);
    }

    /// @inheritdoc IOracle
    function setLimits(uint256 heartbeatSec_, uint256 maxMoveWad_, uint256 maxVarianceMoveWad_)
        external
        override
        restricted
    {
        _setLimits(heartbeatSec_, maxMoveWad_, maxVarianceMoveWad_);
    }

    /// @inheritdoc IOracle
    function setSequencer(address feed, uint256 graceSec) external override restricted {
        if (graceSec > MAX_GRACE_SEC) revert Oracle__BadLimit(graceSec, MAX_GRACE_SEC);
        _sequencer = Sequencer(feed, uint32(graceSec));
        _limits.watchesSequencer = feed != address(0);
        emit SequencerSet(feed, graceSec);
    }

    /// @notice Oldest age at which a round still counts.
    /// @return Seconds.
    function heartbeatSec() external view returns (uint256) {
        return _limits.heartbeatSec;
    }

    /// @notice Largest distance of a price from its anchor, a logarithm.
    /// @return Wad.
    function maxMoveWad() external view returns (uint256) {
        return _limits.maxMoveWad;
    }

    /// @notice Largest distance of a variance per year from its anchor, a logarithm.
    /// @return Wad.
    function maxVarianceMoveWad() external view returns (uint256) {
        return _limits.maxVarianceMoveWad;
    }

    /// @inheritdoc IOracle
    function sequencer() external view override returns (address feed, uint256 graceSec) {
        (feed, graceSec) = (_sequencer.feed, _sequencer.graceSec);
    }

    /// @dev Of a message that is posted.
    function _requireFresh(uint256 ts) internal view {
        if (ts > block.timestamp + MAX_AHEAD_SEC) revert Oracle__FromFuture(ts, block.timestamp + MAX_AHEAD_SEC);
        uint256 maxAgeSec = _limits.heartbeatSec;
        uint256 oldest = block.timestamp > maxAgeSec ? block.timestamp - maxAgeSec : 0;
        if (ts < oldest) revert Oracle__Stale(ts, oldest);
    }

    /// @dev What may be read: fresh, and not from a time when nobody could act on it. What is stored was not from the
    /// future when it was posted, and time only grows.
    function _requireUsable(uint256 ts) internal view {
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

    function _setLimits(uint256 heartbeatSec_, uint256 maxMoveWad_, uint256 maxVarianceMoveWad_) private {
        if (heartbeatSec_ == 0 || heartbeatSec_ > MAX_HEARTBEAT_SEC) {
            revert Oracle__BadLimit(heartbeatSec_, MAX_HEARTBEAT_SEC);
        }
        if (maxMoveWad_ == 0 || maxMoveWad_ > MAX_MOVE_WAD) revert Oracle__BadLimit(maxMoveWad_, MAX_MOVE_WAD);
        if (maxVarianceMoveWad_ == 0 || maxVarianceMoveWad_ > MAX_MOVE_WAD) {
            revert Oracle__BadLimit(maxVarianceMoveWad_, MAX_MOVE_WAD);
        }
        Limits storage limits = _limits;
        limits.heartbeatSec = uint32(heartbeatSec_);
        (limits.maxMoveWad, limits.maxVarianceMoveWad) = (uint64(maxMoveWad_), uint64(maxVarianceMoveWad_));
        emit LimitsSet(heartbeatSec_, maxMoveWad_, maxVarianceMoveWad_);
    }
}
