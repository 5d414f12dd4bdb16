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
        uint256 skewRateWad;
        uint256 shortMinRateWad;
        uint256 concRateWad;
        uint256 concVegaRateWad;
        uint256 n0Wad;
        uint256 v0Wad;
    }

    /// @notice Where skew is moved: a price and a vol state.
    /// @custom:unit wad
    struct SkewPlace {
        /// @dev Price move as a multiple of the price range.
        int256 moveWad;
        /// @dev 0 up, 1 flat, 2 down.
        uint8 vol;
    }

    /// @notice Scenario rows of one underlying (risk-model section 3). Moves are multiples of the price range, so that
    /// the books of two underlyings can be compared node by node.
    /// @custom:unit wad
    struct Rows {
        /// @dev Strictly increasing, 0 among them; full weight.
        int256[] gridMovesWad;
        /// @dev Vol states of the grid, strictly increasing: 0 up, 1 flat, 2 down.
        uint8[] gridVols;
        /// @dev Strictly increasing, beyond the outermost grid move, meant on both sides; the lower side ends at a
        /// price move of -0.95, and what falls together there is one node. A loss weighs range/|price move|.
        int256[] tailMovesWad;
        /// @dev Vol states of the tails, strictly increasing, each of them a state of the grid.
        uint8[] tailVols;
        /// @dev Size of a move of skew.
        uint256 skewWad;
        /// @dev Each is two rows, skew up and down.
        SkewPlace[] skewAt;
    }

    /// @notice What a margin check reads in one piece: parameters, and the rows as given and as it walks them.
    /// @dev plan: ladders and nodes, see ScenarioPlan.
    struct Book {
        UnderlyingParams params;
        Rows rows;
        uint256[] plan;
    }

    /// @notice Parameters that act on the whole account (risk-model sections 5 and 8).
    /// @custom:unit wad, all but the last five in steps of 1e-6; dustWad is cash
    struct AccountParams {
        uint256 mmFactorWad;
        uint256 imFactorWad;
        uint256 pegThresholdWad;
        uint256 pegSlopeWad;
        uint256 confThresholdWad;
        uint256 confRateWad;
        /// @dev Share of the plain sum of requirements in CROSS; the rest is that of all rows added up.
        uint256 stressShareWad;
        /// @dev Requirement of a unit of debt.
        uint256 debtRateWad;
        /// @dev What may be lost of equity for a unit of initial margin set free, below initial margin.
        uint256 closeShareWad;
        uint256 bufferWad;
        uint256 feeRateWad;
        /// @dev Share of the maintenance margin by which the bonus of an insolvent auction grows in an hour.
        uint256 bonusShareWad;
        /// @dev Share of itself that the insurance fund pays at most in an hour.
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
    event BookSet(uint8 indexed underlyingId, uint256 version, UnderlyingParams params, Rows rows);
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
    /// @notice Thrown when a row would move the price below -0.95 or above 9 times itself.
    error ScenarioBook__MoveOutOfRange(int256 observedWad, int256 limitWad);
    /// @notice Thrown when moves or vol states do not increase strictly; names two neighbours.
    error ScenarioBook__NotIncreasing(bytes32 name, int256 observed, int256 previous);
    /// @notice Thrown when the grid does not contain the unmoved price, or has no vol state; names how many it has.
    error ScenarioBook__NoUnmovedPrice(uint256 moves, uint256 vols);
    /// @notice Thrown when a tail does not lie beyond the outermost move of the grid.
    error ScenarioBook__TailInsideGrid(int256 observedWad, int256 limitWad);
    /// @notice Thrown when a tail has a vol state that the grid has not, so that no interval leads to it.
    error ScenarioBook__TailWithoutGrid(uint256 observedVol, uint256 gridVols);
    /// @notice Thrown when tails name moves without vol states or vol states without moves.
    error ScenarioBook__BadLength(uint256 observed, uint256 expected);
    /// @notice Thrown when the place of a skew pair is no node of the grid, with which the pair is compared.
    error ScenarioBook__SkewOutsideGrid(int256 moveWad, uint256 vol);
    /// @notice Thrown when two skew pairs have the same place.
    error ScenarioBook__DuplicateSkew(uint256 first, uint256 second);
    /// @notice Thrown when a book has too many nodes.
    error ScenarioBook__NodeCount(uint256 observed, uint256 limit);
    /// @notice Thrown when a vol state is unknown.
    error ScenarioBook__VolState(uint256 observed, uint256 limit);
    /// @notice Thrown for an underlying that is not listed.
    error ScenarioBook__UnknownUnderlying(uint256 observed, uint256 listed);
    /// @notice Thrown when all 255 ids are used.
    error ScenarioBook__TooManyUnderlyings(uint256 observed, uint256 limit);
    /// @notice Thrown for a token without parameters.
    error ScenarioBook__UnknownToken(uint256 tokenId);

    /// @notice Lists an underlying with its parameters and rows.
    /// @param symbol Name, left aligned.
    /// @param params Parameters.
    /// @param rows Rows, at most 48 nodes.
    /// @return underlyingId Id of the new underlying, from 1.
    function listUnderlying(bytes32 symbol, UnderlyingParams calldata params, Rows calldata rows)
        external
        returns (uint8 underlyingId);

    /// @notice Replaces parameters and rows of an underlying.
    /// @param underlyingId Underlying.
    /// @param params Parameters.
    /// @param rows Rows, at most 48 nodes.
    function setBook(uint8 underlyingId, UnderlyingParams calldata params, Rows calldata rows) external;

    /// @notice Replaces the price range of an underlying, and nothing else of it: its rows are multiples of the range.
    /// @dev Starts the grace as every change does, a fall too: some books of options need more at a narrower range.
    /// @param underlyingId Underlying.
    /// @param priceRangeWad Range, wad, from 0.001 to 0.5.
    function setRange(uint8 underlyingId, uint256 priceRangeWad) external;

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

    /// @notice Everything a margin check needs of one underlying.
    /// @param underlyingId Underlying.
    /// @return book Parameters, rows, plan.
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
