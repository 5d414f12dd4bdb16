// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title IMorpho
/// @notice What a lending position uses of Morpho Blue.
interface IMorpho {
    /// @notice What makes a market; its id is the hash of it.
    struct MarketParams {
        address loanToken;
        address collateralToken;
        address oracle;
        address irm;
        /// @dev Most that may be owed of each unit of collateral, wad.
        uint256 lltv;
    }

    /// @notice What all its lenders and borrowers have, as of its last update.
    struct Market {
        uint128 totalSupplyAssets;
        uint128 totalSupplyShares;
        uint128 totalBorrowAssets;
        uint128 totalBorrowShares;
        uint128 lastUpdate;
        uint128 fee;
    }

    /// @notice Pays debt back.
    /// @param params Market.
    /// @param assets Assets, or 0 where shares say how much.
    /// @param shares Shares of the debt, or 0.
    /// @param onBehalf Whose debt.
    /// @param data For a callback; empty for none.
    /// @return assetsRepaid Assets.
    /// @return sharesRepaid Shares.
    function repay(
        MarketParams calldata params,
        uint256 assets,
        uint256 shares,
        address onBehalf,
        bytes calldata data
    ) external returns (uint256 assetsRepaid, uint256 sharesRepaid);

    /// @notice Borrows.
    /// @param params Market.
    /// @param assets Assets, or 0 where shares say how much.
    /// @param shares Shares of the debt, or 0.
    /// @param onBehalf Whose debt: the caller's own, or of who allowed the caller.
    /// @param receiver Receiver.
    /// @return assetsBorrowed Assets.
    /// @return sharesBorrowed Shares.
    function borrow(MarketParams calldata params, uint256 assets, uint256 shares, address onBehalf, address receiver)
        external
        returns (uint256 assetsBorrowed, uint256 sharesBorrowed);

    /// @notice Takes collateral out, as far as what stays secures what is owed.
    /// @param params Market.
    /// @param assets Assets.
    /// @param onBehalf Whose collateral.
    /// @param receiver Receiver.
    function withdrawCollateral(MarketParams calldata params, uint256 assets, address onBehalf, address receiver)
        external;

    /// @notice Books the interest of a market up to now.
    /// @param params Market.
    function accrueInterest(MarketParams calldata params) external;

    /// @notice What somebody has in a market.
    /// @param id Market.
    /// @param user Who.
    /// @return supplyShares Shares of what is lent.
    /// @return borrowShares Shares of what is owed.
    /// @return collateral Collateral.
    function position(bytes32 id, address user)
        external
        view
        returns (uint256 supplyShares, uint128 borrowShares, uint128 collateral);

    /// @notice Sums of a market as of its last update.
    /// @param id Market.
    /// @return m Sums.
    function market(bytes32 id) external view returns (Market memory m);

    /// @notice What makes a market.
    /// @param id Market.
    /// @return params Parameters; zeros of a market that does not exist.
    function idToMarketParams(bytes32 id) external view returns (MarketParams memory params);
}
