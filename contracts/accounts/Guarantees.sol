// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {FixedPointMathLib} from "solady/src/utils/FixedPointMathLib.sol";
import {IAccounts} from "../../interfaces/IAccounts.sol";
import {IGuarantees} from "../../interfaces/IGuarantees.sol";
import {IMarginEngine} from "../../interfaces/IMarginEngine.sol";
import {Units} from "../libraries/Units.sol";

/// @title Guarantees
/// @notice See IGuarantees. It owns the accounts that hold the cash of lines, and no other.
/// @dev What a line holds is read off the ledger and kept nowhere else: interest, shared losses and draws are in it.
contract Guarantees is IGuarantees, AccessManaged {
    uint256 private constant FUND = Units.FUND;
    uint256 private constant MAX_LINES = 4;
    uint256 private constant ID_BITS = 64;
    /// @dev The price of a solvent auction falls from 0.98 to 0.70 in this time.
    uint256 private constant MIN_RAMP_SEC = 15 minutes;
    uint256 private constant MAX_RAMP_SEC = 90 days;
    uint256 private constant MAX_SPAN_SEC = 730 days;

    IAccounts private immutable ACCOUNTS;

    /// @notice The only contract that may draw.
    address public auction;
    /// @notice What sponsors and beneficiaries are margined by.
    IMarginEngine public marginEngine;
    /// @inheritdoc IGuarantees
    mapping(uint256 beneficiaryId => uint256) public override invitedOf;

    mapping(uint256 lineId => Line) private _line;
    /// @dev Lines of a beneficiary, the lowest 64 bits first, without gaps: an account without any costs one word.
    mapping(uint256 beneficiaryId => uint256) private _ids;

    constructor(address authority, IAccounts accounts) AccessManaged(authority) {
        ACCOUNTS = accounts;
    }

    /// @inheritdoc IGuarantees
    function invite(uint256 beneficiaryId, uint256 sponsorId) external override {
        _requireAuthorised(beneficiaryId);
        invitedOf[beneficiaryId] = sponsorId;
        emit SponsorInvited(beneficiaryId, sponsorId);
    }

    /// @inheritdoc IGuarantees
    function give(uint256 sponsorId, uint256 beneficiaryId, uint256 amountWad, uint40 endTs, uint24 rampSec)
        external
        override
        returns (uint256 lineId)
    {
        _requireAuthorised(sponsorId);
        _requireParties(sponsorId, beneficiaryId);
        if (rampSec < MIN_RAMP_SEC || rampSec > MAX_RAMP_SEC) {
            revert Guarantees__BadRamp(rampSec, MIN_RAMP_SEC, MAX_RAMP_SEC);
        }
        _requireEnd(endTs, block.timestamp + rampSec);
        if (amountWad == 0) revert Guarantees__ZeroAmount(amountWad, 1);
        int256 heldWad = ACCOUNTS.cashOf(sponsorId);
        if (heldWad < 0 || uint256(heldWad) < amountWad) revert Guarantees__InsufficientCash(heldWad, amountWad);
        lineId = ACCOUNTS.open(address(this), IAccounts.Mode.SINGLE);
        _attach(beneficiaryId, lineId);
        _line[lineId] = Line(uint64(sponsorId), uint64(beneficiaryId), endTs, rampSec);
        delete invitedOf[beneficiaryId];
        emit LineGiven(lineId, sponsorId, beneficiaryId, amountWad, endTs, rampSec);
        ACCOUNTS.moveCash(sponsorId, lineId, amountWad);
        _requireInitial(sponsorId);
    }

    /// @inheritdoc IGuarantees
    function extend(uint256 lineId, uint40 endTs) external override {
        Line storage line = _existing(lineId);
        _requireAuthorised(line.sponsorId);
        _requireEnd(endTs, FixedPointMathLib.max(line.endTs, block.timestamp) + 1);
        line.endTs = endTs;
        emit LineExtended(lineId, endTs);
    }

    /// @inheritdoc IGuarantees
    function release(uint256 lineId) external override {
        uint256 beneficiaryId = _existing(lineId).beneficiaryId;
        _requireAuthorised(beneficiaryId);
        _end(lineId);
        _requireInitial(beneficiaryId);
    }

    /// @inheritdoc IGuarantees
    function settle(uint256 lineId) external override {
        Line storage line = _existing(lineId);
        if (_heldBy(lineId) != 0 && !_isGone(line.beneficiaryId)) {
            if (block.timestamp < line.endTs) revert Guarantees__NotEnded(block.timestamp, line.endTs);
            IMarginEngine.MarginState memory m = marginEngine.auctionMarginOf(line.beneficiaryId);
            if (m.equityWad < int256(m.maintenanceWad)) {
                revert Guarantees__BeneficiaryShort(m.equityWad, m.maintenanceWad);
            }
        }
        _end(lineId);
    }

    /// @inheritdoc IGuarantees
    function draw(uint256 beneficiaryId, uint256 toId, uint256 wantedWad) external override {
        if (msg.sender != auction) revert Guarantees__NotAuction(msg.sender, auction);
        (, uint256 heldWad) = backingOf(beneficiaryId);
        if (wantedWad > heldWad) revert Guarantees__DrawTooLarge(wantedWad, heldWad);
        for (uint256 ids = _ids[beneficiaryId]; ids != 0; ids >>= ID_BITS) {
            uint256 lineId = uint64(ids);
            uint256 ownWad = _heldBy(lineId);
            // Of what is left to pay, its share of what is left to pay from: the last line pays the rest to the wei.
            uint256 paidWad = heldWad == 0 ? 0 : FixedPointMathLib.fullMulDiv(wantedWad, ownWad, heldWad);
            (wantedWad, heldWad) = (wantedWad - paidWad, heldWad - ownWad);
            if (paidWad == 0) continue;
            emit LineDrawn(lineId, beneficiaryId, toId, paidWad);
            ACCOUNTS.moveCash(lineId, toId, paidWad);
        }
    }

    /// @inheritdoc IGuarantees
    function connect(IMarginEngine engine, address auction_) external override restricted {
        if (auction != address(0)) revert Guarantees__Connected(auction);
        (marginEngine, auction) = (engine, auction_);
    }

    /// @inheritdoc IGuarantees
    function creditOf(uint256 accountId) external view override returns (uint256 creditWad) {
        (creditWad,) = backingOf(accountId);
    }

    /// @inheritdoc IGuarantees
    function linesOf(uint256 accountId) external view override returns (uint256[] memory lineIds) {
        lineIds = new uint256[](_countOf(accountId));
        uint256 ids = _ids[accountId];
        for (uint256 i; i < lineIds.length; ++i) {
            lineIds[i] = uint64(ids >> (i * ID_BITS));
        }
    }

    /// @inheritdoc IGuarantees
    function lineOf(uint256 lineId) external view override returns (Line memory line) {
        line = _line[lineId];
    }

    /// @inheritdoc IGuarantees
    function backingOf(uint256 accountId)
        public
        view
        override
        returns (uint256 creditWad, uint256 reservesWad)
    {
        for (uint256 ids = _ids[accountId]; ids != 0; ids >>= ID_BITS) {
            uint256 heldWad = _heldBy(uint64(ids));
            reservesWad += heldWad;
            creditWad += _countedOf(_line[uint64(ids)], heldWad);
        }
    }

    /// @dev Whole until the ramp begins, nothing from the end on, a straight line between.
    function _countedOf(Line storage line, uint256 heldWad) private view returns (uint256) {
        (uint256 endTs, uint256 rampSec) = (line.endTs, line.rampSec);
        uint256 leftSec = FixedPointMathLib.zeroFloorSub(endTs, block.timestamp);
        return leftSec >= rampSec ? heldWad : heldWad * leftSec / rampSec;
    }

    /// @dev Takes a line off its beneficiary and returns what it holds. A sponsor that was closed can be paid nothing.
    function _end(uint256 lineId) private {
        Line memory line = _line[lineId];
        delete _line[lineId];
        _detach(line.beneficiaryId, lineId);
        uint256 toId = _isGone(line.sponsorId) ? FUND : line.sponsorId;
        uint256 heldWad = _heldBy(lineId);
        emit LineEnded(lineId, toId, heldWad);
        if (heldWad != 0) ACCOUNTS.moveCash(lineId, toId, heldWad);
        ACCOUNTS.close(lineId);
    }

    function _attach(uint256 beneficiaryId, uint256 lineId) private {
        uint256 count = _countOf(beneficiaryId);
        if (count == MAX_LINES) revert Guarantees__TooManyLines(count + 1, MAX_LINES);
        _ids[beneficiaryId] |= lineId << (count * ID_BITS);
    }

    function _detach(uint256 beneficiaryId, uint256 lineId) private {
        uint256 ids = _ids[beneficiaryId];
        uint256 kept;
        uint256 count;
        for (; ids != 0; ids >>= ID_BITS) {
            if (uint64(ids) != lineId) kept |= uint256(uint64(ids)) << (count++ * ID_BITS);
        }
        _ids[beneficiaryId] = kept;
    }

    function _countOf(uint256 beneficiaryId) private view returns (uint256 count) {
        for (uint256 ids = _ids[beneficiaryId]; ids != 0; ids >>= ID_BITS) {
            ++count;
        }
    }

    /// @dev Cash of a line; nothing is ever owed by one.
    function _heldBy(uint256 lineId) private view returns (uint256) {
        return uint256(ACCOUNTS.cashOf(lineId));
    }

    function _existing(uint256 lineId) private view returns (Line storage line) {
        line = _line[lineId];
        if (line.endTs == 0) revert Guarantees__UnknownLine(lineId);
    }

    /// @dev The ledger refuses the cash of an account for no other reason.
    function _isGone(uint256 accountId) private view returns (bool) {
        try ACCOUNTS.cashOf(accountId) returns (int256) {
            return false;
        } catch {
            return true;
        }
    }

    function _requireAuthorised(uint256 accountId) private view {
        if (!ACCOUNTS.isAuthorised(accountId, msg.sender)) revert Guarantees__NotAuthorised(msg.sender, accountId);
    }

    function _requireParties(uint256 sponsorId, uint256 beneficiaryId) private view {
        if (sponsorId == beneficiaryId) revert Guarantees__SelfLine(sponsorId);
        uint256 lower = FixedPointMathLib.min(sponsorId, beneficiaryId);
        if (lower <= FUND) revert Guarantees__Reserved(lower, FUND + 1);
        uint256 invitedId = invitedOf[beneficiaryId];
        if (invitedId != sponsorId) revert Guarantees__NotInvited(sponsorId, invitedId);
    }

    function _requireEnd(uint256 endTs, uint256 leastTs) private view {
        uint256 mostTs = block.timestamp + MAX_SPAN_SEC;
        if (endTs < leastTs || endTs > mostTs) revert Guarantees__BadEnd(endTs, leastTs, mostTs);
    }

    /// @dev Against an empty account: the margin has to be there, not merely no worse than before.
    function _requireInitial(uint256 accountId) private view {
        IAccounts.Snapshot memory empty;
        marginEngine.enforce(accountId, empty);
    }
}
