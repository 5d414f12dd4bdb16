// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {AccessManaged} from "@openzeppelin/contracts/access/manager/AccessManaged.sol";
import {IScenarioBook} from "../../interfaces/IScenarioBook.sol";
import {AccountWord} from "../libraries/AccountWord.sol";
import {BookCode} from "../libraries/BookCode.sol";
import {Units} from "../libraries/Units.sol";
import {BookWriter} from "./BookWriter.sol";

/// @title ScenarioBook
/// @notice See IScenarioBook.
/// @dev A book is kept as the code of a data contract: one cold read instead of one per row.
contract ScenarioBook is IScenarioBook, AccessManaged {
    uint256 private constant WAD = Units.UWAD;
    uint256 private constant MAX_GRACE_SEC = 7 days;
    uint256 private constant MIN_RANGE_WAD = 0.001e18;
    uint256 private constant MAX_RATIO_WAD = 1e6 * WAD;

    /// @dev Rows are checked and laid out by a contract of their own, which keeps this one deployable.
    BookWriter private immutable WRITER;

    /// @dev slots 0 and 1. The account parameters that only liquidation reads.
    struct AuctionParams {
        uint64 bufferWad;
        uint64 feeRateWad;
        uint64 bonusShareWad;
        uint64 fundPerHourWad;
        uint128 dustWad;
    }

    /// @dev One slot: CollateralParams within their limits. A margin check reads one for every token.
    struct Collateral {
        bool listed;
        uint8 linkedUnderlying;
        uint64 haircutWad;
        uint64 linkedHaircutWad;
        uint88 ratioWad;
    }

    /// @inheritdoc IScenarioBook
    uint256 public override version;
    /// @inheritdoc IScenarioBook
    uint256 public override underlyingCount;
    /// @inheritdoc IScenarioBook
    mapping(uint8 underlyingId => bytes32) public override symbolOf;

    /// @inheritdoc IScenarioBook
    uint256 public override graceSec;
    /// @inheritdoc IScenarioBook
    uint256 public override graceEndTs;

    mapping(uint8 underlyingId => address) internal _bookPointer;
    mapping(uint256 tokenId => Collateral) internal _collateral;
    /// @dev See AccountWord; never 0 once set.
    uint256 internal _accountWord;
    AuctionParams internal _auctionParams;

    /// @dev What held before the first change of a grace; every grace has its own generation, so none is cleared.
    uint256 private _generation;
    mapping(uint256 generation => mapping(uint8 underlyingId => address)) private _priorBook;
    mapping(uint256 generation => mapping(uint256 tokenId => Collateral)) private _priorCollateral;
    mapping(uint256 generation => uint256) private _priorAccountWord;

    constructor(address authority, AccountParams memory params) AccessManaged(authority) {
        WRITER = new BookWriter();
        _setAccountParams(params);
    }

    /// @inheritdoc IScenarioBook
    function listUnderlying(bytes32 symbol, UnderlyingParams calldata params, Rows calldata rows)
        external
        override
        restricted
        returns (uint8 underlyingId)
    {
        uint256 next = underlyingCount + 1;
        if (next > type(uint8).max) revert ScenarioBook__TooManyUnderlyings(next, type(uint8).max);
        underlyingCount = next;
        underlyingId = uint8(next);
        symbolOf[underlyingId] = symbol;
        emit UnderlyingListed(underlyingId, symbol);
        _setBook(underlyingId, params, rows);
    }

    /// @inheritdoc IScenarioBook
    function setBook(uint8 underlyingId, UnderlyingParams calldata params, Rows calldata rows)
        external
        override
        restricted
    {
        _requireListed(underlyingId);
        _keepPrior(underlyingId);
        _setBook(underlyingId, params, rows);
    }

    /// @inheritdoc IScenarioBook
    function setRange(uint8 underlyingId, uint256 priceRangeWad) external override restricted {
        Book memory book;
        BookCode.loadAll(book, bookPointerOf(underlyingId));
        _keepPrior(underlyingId);
        book.params.priceRangeWad = priceRangeWad;
        _setBook(underlyingId, book.params, book.rows);
    }

    /// @inheritdoc IScenarioBook
    function setAccountParams(AccountParams calldata params) external override restricted {
        uint256 generation = _beginGrace();
        if (_priorAccountWord[generation] == 0) _priorAccountWord[generation] = _accountWord;
        _setAccountParams(params);
    }

    /// @inheritdoc IScenarioBook
    function setCollateral(uint256 tokenId, CollateralParams calldata params) external override restricted {
        _limit("haircutWad", params.haircutWad, WAD);
        _limit("linkedHaircutWad", params.linkedHaircutWad, WAD);
        _limit("ratioWad", params.ratioWad, MAX_RATIO_WAD);
        if (params.linkedUnderlying != 0) _requireListed(params.linkedUnderlying);
        Collateral memory old = _collateral[tokenId];
        Collateral memory fresh = Collateral(
            true,
            params.linkedUnderlying,
            uint64(params.haircutWad),
            uint64(params.linkedHaircutWad),
            uint88(params.ratioWad)
        );
        if (old.listed) {
            uint256 generation = _beginGrace();
            if (!_priorCollateral[generation][tokenId].listed) _priorCollateral[generation][tokenId] = old;
        }
        _collateral[tokenId] = fresh;
        emit CollateralSet(tokenId, ++version, _unpacked(old), _unpacked(fresh));
    }

    /// @inheritdoc IScenarioBook
    function setRatio(uint256 tokenId, uint256 ratioWad) external override restricted {
        _limit("ratioWad", ratioWad, MAX_RATIO_WAD);
        Collateral storage params = _collateral[tokenId];
        if (!params.listed) revert ScenarioBook__UnknownToken(tokenId);
        uint256 oldWad = params.ratioWad;
        emit RatioSet(tokenId, ++version, oldWad, ratioWad);
        params.ratioWad = uint88(ratioWad);
        // A grace protects from what governors change, not from what a token is worth: in proportion, its yardstick
        // moves along.
        Collateral storage prior = _priorCollateral[_generation][tokenId];
        if (prior.listed && oldWad != 0) {
            uint256 priorWad = uint256(prior.ratioWad) * ratioWad / oldWad;
            // A yardstick beyond every limit measures as the limit does.
            prior.ratioWad = uint88(priorWad < MAX_RATIO_WAD ? priorWad : MAX_RATIO_WAD);
        }
    }

    /// @inheritdoc IScenarioBook
    function setGrace(uint256 graceSec_) external override restricted {
        if (graceSec_ > MAX_GRACE_SEC) revert ScenarioBook__ParameterOutOfRange("graceSec", graceSec_, MAX_GRACE_SEC);
        emit GraceSet(graceSec, graceSec_);
        graceSec = graceSec_;
    }

    /// @inheritdoc IScenarioBook
    function priorBookPointerOf(uint8 underlyingId) external view override returns (address pointer) {
        if (block.timestamp < graceEndTs) pointer = _priorBook[_generation][underlyingId];
        if (pointer == address(0)) pointer = bookPointerOf(underlyingId);
    }

    /// @inheritdoc IScenarioBook
    function priorAccountWord() external view override returns (uint256 word) {
        if (block.timestamp < graceEndTs) word = _priorAccountWord[_generation];
        if (word == 0) word = accountWord();
    }

    /// @inheritdoc IScenarioBook
    function priorCollateralOf(uint256 tokenId) external view override returns (CollateralParams memory params) {
        if (block.timestamp < graceEndTs) params = _unpacked(_priorCollateral[_generation][tokenId]);
        if (!params.listed) params = collateralOf(tokenId);
    }

    /// @inheritdoc IScenarioBook
    function bookOf(uint8 underlyingId) external view override returns (Book memory book) {
        BookCode.loadAll(book, bookPointerOf(underlyingId));
    }

    /// @inheritdoc IScenarioBook
    function bookPointerOf(uint8 underlyingId) public view virtual override returns (address pointer) {
        pointer = _bookPointer[underlyingId];
        if (pointer == address(0)) revert ScenarioBook__UnknownUnderlying(underlyingId, underlyingCount);
    }

    /// @inheritdoc IScenarioBook
    function accountWord() public view virtual override returns (uint256) {
        return _accountWord;
    }

    /// @inheritdoc IScenarioBook
    function accountParams() public view virtual override returns (AccountParams memory params) {
        AccountWord.unpack(params, _accountWord);
        AuctionParams memory auction = _auctionParams;
        (params.bufferWad, params.feeRateWad) = (auction.bufferWad, auction.feeRateWad);
        (params.bonusShareWad, params.fundPerHourWad) = (auction.bonusShareWad, auction.fundPerHourWad);
        params.dustWad = auction.dustWad;
    }

    /// @inheritdoc IScenarioBook
    function collateralOf(uint256 tokenId) public view virtual override returns (CollateralParams memory params) {
        params = _unpacked(_collateral[tokenId]);
        if (!params.listed) revert ScenarioBook__UnknownToken(tokenId);
    }

    /// @dev Begins a grace, or moves the end of the one that runs: within it, accounts are measured by the parameters
    /// that held before its first change.
    function _beginGrace() private returns (uint256 generation) {
        if (graceSec != 0) {
            if (block.timestamp >= graceEndTs) ++_generation;
            graceEndTs = block.timestamp + graceSec;
            emit GraceStarted(_generation, graceEndTs);
        }
        generation = _generation;
    }

    /// @dev Begins or extends a grace, with the present book as the yardstick unless an earlier one is.
    function _keepPrior(uint8 underlyingId) private {
        uint256 generation = _beginGrace();
        if (_priorBook[generation][underlyingId] == address(0)) {
            _priorBook[generation][underlyingId] = _bookPointer[underlyingId];
        }
    }

    function _setBook(uint8 underlyingId, UnderlyingParams memory params, Rows memory rows) private {
        _checkParams(params);
        _bookPointer[underlyingId] = WRITER.write(params, rows);
        emit BookSet(underlyingId, ++version, params, rows);
    }

    function _setAccountParams(AccountParams memory params) private {
        _limitStep("mmFactorWad", params.mmFactorWad, params.imFactorWad);
        _limitStep("imFactorWad", params.imFactorWad, 10 * WAD);
        _limitStep("pegThresholdWad", params.pegThresholdWad, WAD);
        _limitStep("pegSlopeWad", params.pegSlopeWad, 100 * WAD);
        _limitStep("confThresholdWad", params.confThresholdWad, WAD);
        _limitStep("confRateWad", params.confRateWad, 10 * WAD);
        _limitStep("stressShareWad", params.stressShareWad, WAD);
        _limitStep("debtRateWad", params.debtRateWad, WAD);
        _limitStep("closeShareWad", params.closeShareWad, WAD);
        _limit("bufferWad", params.bufferWad, 10 * WAD);
        _limit("feeRateWad", params.feeRateWad, 0.3e18);
        _limit("bonusShareWad", params.bonusShareWad, WAD);
        _limit("fundPerHourWad", params.fundPerHourWad, WAD);
        _limit("dustWad", params.dustWad, 1e6 * WAD);
        AccountParams memory old;
        if (_accountWord != 0) old = accountParams();
        _accountWord = AccountWord.pack(params);
        _auctionParams = AuctionParams(
            uint64(params.bufferWad),
            uint64(params.feeRateWad),
            uint64(params.bonusShareWad),
            uint64(params.fundPerHourWad),
            uint128(params.dustWad)
        );
        emit AccountParamsSet(++version, old, params);
    }

    function _checkParams(UnderlyingParams memory p) private pure {
        _limit("priceRangeWad", p.priceRangeWad, 0.5e18);
        if (p.priceRangeWad < MIN_RANGE_WAD) {
            revert ScenarioBook__ParameterOutOfRange("priceRangeWad", p.priceRangeWad, MIN_RANGE_WAD);
        }
        _limit("volUpWad", p.volUpWad, 5 * WAD);
        _limit("volDownWad", p.volDownWad, WAD);
        _limit("volFloorWad", p.volFloorWad, 5 * WAD);
        _limit("basisMinWad", p.basisMinWad, WAD);
        _limit("basisRateWad", p.basisRateWad, WAD);
        _limit("perpBasisWad", p.perpBasisWad, WAD);
        _limit("vegaTermRateWad", p.vegaTermRateWad, WAD);
        _limit("skewRateWad", p.skewRateWad, 2 * WAD);
        _limit("shortMinRateWad", p.shortMinRateWad, WAD);
        _limit("concRateWad", p.concRateWad, 10 * WAD);
        _limit("concVegaRateWad", p.concVegaRateWad, 10 * WAD);
        _limit("n0Wad", p.n0Wad, 1e15 * WAD);
        _limit("v0Wad", p.v0Wad, 1e15 * WAD);
        // Both divide; zero free size would be no charge at all or a division by zero.
        if (p.n0Wad == 0) revert ScenarioBook__ParameterOutOfRange("n0Wad", 0, 1);
        if (p.v0Wad == 0) revert ScenarioBook__ParameterOutOfRange("v0Wad", 0, 1);
    }

    function _limit(bytes32 name, uint256 observedWad, uint256 limitWad) private pure {
        if (observedWad > limitWad) revert ScenarioBook__ParameterOutOfRange(name, observedWad, limitWad);
    }

    /// @dev The same for a parameter that is kept in steps.
    function _limitStep(bytes32 name, uint256 observedWad, uint256 limitWad) private pure {
        _limit(name, observedWad, limitWad);
        if (observedWad % AccountWord.STEP_WAD != 0) {
            revert ScenarioBook__ParameterStep(name, observedWad, AccountWord.STEP_WAD);
        }
    }

    function _unpacked(Collateral memory c) internal pure returns (CollateralParams memory params) {
        params = CollateralParams(c.listed, c.linkedUnderlying, c.haircutWad, c.linkedHaircutWad, c.ratioWad);
    }

    function _requireListed(uint8 underlyingId) internal view virtual {
        if (underlyingId == 0 || underlyingId > underlyingCount) {
            revert ScenarioBook__UnknownUnderlying(underlyingId, underlyingCount);
        }
    }
}
