// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IScenarioBook
/// @notice Scenario rows and every risk parameter: governance data, versioned by a counter.
/// @dev Flow: feeds -> [risk] -> margin. Read by RiskEngine and MarginEngine. Ratios and rates are wad.
interface IScenarioBook {
    /// @notice Parameters of one underlying (risk-model sections 3 and 4).
    /// @custom:unit wad; n0Wad and v0Wad are cash
    struct UnderlyingParams {
        uint256 priceRangeWad;
        uint256 volUpWad;
        uint256 volDownWad;
        uint256 volFloorWad;
        uint256 basisMinWad;
        uint256 basisRateWad;
        uint256 perpBasisWad;
        uint256 vegaTermRateWad;
        uint256 shortMinRateWad;
        uint256 concRateWad;
        uint256 concVegaRateWad;
        uint256 n0Wad;
        uint256 v0Wad;
    }

    /// @notice One scenario.
    /// @custom:unit wad
    struct Row {
        /// @dev Relative price move, above -1.
        int256 moveWad;
        /// @dev 0 up, 1 flat, 2 down.
        uint8 vol;
        /// @dev Skew, between -1 and 1.
        int256 skewWad;
        /// @dev Weight of the loss, at most 1, in steps of 1e-9.
        uint256 weightWad;
    }

    /// @notice What a margin check reads in one piece: parameters, packed rows, and the order in which it walks them.
    /// @dev rows: [lnMove int72 Q64][move int64 wad][vol uint8][skew int64 wad][weight uint32 1e-9][0 x16].
    /// plan: segments and nodes, with the intervals of the certified scan, see ScenarioPlan.
    struct Book {
        UnderlyingParams params;
        uint256[] rows;
        uint256[] plan;
    }

    /// @notice Parameters that act on the whole account (risk-model sections 5 and 8).
    /// @custom:unit wad, all but the last three in steps of 1e-6; dustWad is cash
    struct AccountParams {
        uint256 mmFactorWad;
        uint256 imFactorWad;
        uint256 pegThresholdWad;
        uint256 pegSlopeWad;
        uint256 confThresholdWad;
        uint256 confRateWad;
        uint256 rhoHighWad;
        uint256 rhoLowWad;
        uint256 stressShareWad;
        uint256 bufferWad;
        uint256 feeRateWad;
        uint256 bonusShareWad;
        uint256 fundPerHourWad;
        uint256 dustWad;
    }

    /// @notice Risk parameters of one collateral token.
    /// @custom:unit wad
    struct CollateralParams {
        bool listed;
        /// @dev 0 when the token is linked to no underlying.
        uint8 linkedUnderlying;
        uint256 haircutWad;
        uint256 linkedHaircutWad;
        /// @dev Units of the underlying in one token.
        uint256 ratioWad;
    }

    /// @notice Emitted when an underlying is listed or its parameters or rows change.
    /// @param underlyingId Underlying.
    /// @param version Counter after the change.
    /// @param params New parameters.
    /// @param rows New rows.
    event BookSet(uint8 indexed underlyingId, uint256 version, UnderlyingParams params, Row[] rows);
    /// @notice Emitted when an underlying is listed.
    /// @param underlyingId Underlying.
    /// @param symbol Its name, left aligned.
    event UnderlyingListed(uint8 indexed underlyingId, bytes32 symbol);
    /// @notice Emitted when the account parameters change.
    /// @param version Counter after the change.
    /// @param oldParams Before.
    /// @param newParams After.
    event AccountParamsSet(uint256 version, AccountParams oldParams, AccountParams newParams);
    /// @notice Emitted when the parameters of a token change.
    /// @param tokenId Token.
    /// @param version Counter after the change.
    /// @param oldParams Before.
    /// @param newParams After.
    event CollateralSet(
        uint256 indexed tokenId, uint256 version, CollateralParams oldParams, CollateralParams newParams
    );

    /// @notice Emitted when the ratio of a token follows its source.
    /// @param tokenId Token.
    /// @param version Counter after the change.
    /// @param oldRatioWad Before.
    /// @param newRatioWad After.
    event RatioSet(uint256 indexed tokenId, uint256 version, uint256 oldRatioWad, uint256 newRatioWad);
    /// @notice Emitted when the length of a grace changes.
    /// @param oldSec Before.
    /// @param newSec After.
    event GraceSet(uint256 oldSec, uint256 newSec);
    /// @notice Emitted when a change starts a grace or moves its end.
    /// @param generation Counter of graces.
    /// @param endTs Until when what held before the first change protects from liquidation.
    event GraceStarted(uint256 generation, uint256 endTs);

    /// @notice Thrown when a parameter is outside its interval.
    error ScenarioBook__ParameterOutOfRange(bytes32 name, uint256 observedWad, uint256 limitWad);
    /// @notice Thrown when a parameter is no whole multiple of its step.
    error ScenarioBook__ParameterStep(bytes32 name, uint256 observedWad, uint256 stepWad);
    /// @notice Thrown when a row would move the price to zero or below, or leaves the representable range.
    error ScenarioBook__MoveOutOfRange(int256 observedWad, int256 limitWad);
    /// @notice Thrown when a book has no rows or too many.
    error ScenarioBook__RowCount(uint256 observed, uint256 limit);
    /// @notice Thrown when a row's vol state is unknown.
    error ScenarioBook__VolState(uint256 observed, uint256 limit);
    /// @notice Thrown when two grid rows share vol state and price, so that no interval lies between them.
    error ScenarioBook__DuplicateRow(uint256 first, uint256 second);
    /// @notice Thrown when the normal table given at deployment is none; names the bytes of its code.
    error ScenarioBook__NoTable(uint256 observed, uint256 limit);
    /// @notice Thrown for an underlying that is not listed.
    error ScenarioBook__UnknownUnderlying(uint256 observed, uint256 listed);
    /// @notice Thrown when all 255 ids are used.
    error ScenarioBook__TooManyUnderlyings(uint256 observed, uint256 limit);
    /// @notice Thrown for a token without parameters.
    error ScenarioBook__UnknownToken(uint256 tokenId);

    /// @notice Lists an underlying with its parameters and rows.
    /// @param symbol Name, left aligned.
    /// @param params Parameters.
    /// @param rows Rows, 1 to 32.
    /// @return underlyingId Id of the new underlying, from 1.
    function listUnderlying(bytes32 symbol, UnderlyingParams calldata params, Row[] calldata rows)
        external
        returns (uint8 underlyingId);

    /// @notice Replaces parameters and rows of an underlying.
    /// @param underlyingId Underlying.
    /// @param params Parameters.
    /// @param rows Rows, 1 to 32.
    function setBook(uint8 underlyingId, UnderlyingParams calldata params, Row[] calldata rows) external;

    /// @notice Replaces the account parameters.
    /// @param params Parameters.
    function setAccountParams(AccountParams calldata params) external;

    /// @notice Replaces the parameters of a collateral token.
    /// @param tokenId Token id given by the vault.
    /// @param params Parameters; `listed` is set by the call.
    function setCollateral(uint256 tokenId, CollateralParams calldata params) external;

    /// @notice Replaces the ratio of a listed collateral token, and nothing else of it; starts no grace, and moves what
    /// held before a running one in proportion, rounded down.
    /// @param tokenId Token id given by the vault.
    /// @param ratioWad Units of the underlying in one token, wad; at most a million.
    function setRatio(uint256 tokenId, uint256 ratioWad) external;

    /// @notice Sets for how long after a change nobody is liquidated who would not have been without it.
    /// @param graceSec Grace, at most 7 days; 0 for none.
    function setGrace(uint256 graceSec) external;

    /// @notice Length of the grace after a change.
    /// @return Seconds.
    function graceSec() external view returns (uint256);

    /// @notice End of the present or last grace.
    /// @return Unix seconds.
    function graceEndTs() external view returns (uint256);

    /// @notice Book before the first change of the present grace; the book itself outside of one.
    /// @param underlyingId Underlying.
    /// @return pointer Data contract, see bookPointerOf.
    function priorBookPointerOf(uint8 underlyingId) external view returns (address pointer);

    /// @notice Packed account parameters before the first change of the present grace, or the present ones.
    /// @return word Packed, see AccountWord.
    function priorAccountWord() external view returns (uint256 word);

    /// @notice Parameters of a token before the first change of the present grace, or the present ones.
    /// @param tokenId Token.
    /// @return params Parameters.
    function priorCollateralOf(uint256 tokenId) external view returns (CollateralParams memory params);

    /// @notice The default 31 rows for a price range.
    /// @param priceRangeWad Largest grid move, wad.
    /// @return rows Rows in the order of the risk model.
    function defaultRows(uint256 priceRangeWad) external pure returns (Row[] memory rows);

    /// @notice The 16 rows of the SPAN order for a price range.
    /// @param priceRangeWad Largest grid move, wad.
    /// @return rows Rows in the order of the risk model.
    function spanRows(uint256 priceRangeWad) external pure returns (Row[] memory rows);

    /// @notice Everything a margin check needs of one underlying.
    /// @param underlyingId Underlying.
    /// @return book Parameters, packed rows, plan.
    function bookOf(uint8 underlyingId) external view returns (Book memory book);

    /// @notice Data contract that holds the book as code, in the layout of BookCode.
    /// @param underlyingId Underlying.
    /// @return pointer Address; reverts when the underlying is not listed.
    function bookPointerOf(uint8 underlyingId) external view returns (address pointer);

    /// @notice Parameters of the whole account.
    /// @return params Parameters.
    function accountParams() external view returns (AccountParams memory params);

    /// @notice Those of them that a margin check needs, in one word.
    /// @return word Packed, see AccountWord.
    function accountWord() external view returns (uint256 word);

    /// @notice Parameters of a collateral token.
    /// @param tokenId Token.
    /// @return params Parameters; reverts when the token is not listed.
    function collateralOf(uint256 tokenId) external view returns (CollateralParams memory params);

    /// @notice Name of an underlying.
    /// @param underlyingId Underlying.
    /// @return symbol Name, left aligned; 0 when not listed.
    function symbolOf(uint8 underlyingId) external view returns (bytes32 symbol);

    /// @notice Number of listed underlyings; their ids are 1 to this number.
    /// @return Count.
    function underlyingCount() external view returns (uint256);

    /// @notice Counter of parameter changes.
    /// @return Count.
    function version() external view returns (uint256);
}
