// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Exp
/// @notice Exponential function.
/// @dev e^x = 2^n * 2^f, |f| <= 1/2, and 2^f = (R + f)/(R - f) with R = f*coth(f*ln(2)/2), an even function of f.
/// Coefficients of R in f^2: tools/generate/minimax.py.
/// @custom:unit wad
/// @custom:error-bound 2e-16 relative, rounded down to whole wei; e^0 is exactly 1
/// @custom:mirror numpy.exp
library Exp {
    /// @dev ln(2^255/1e18) less three times the error, so that the result fits int256.
    int256 private constant MAX_WAD = 135305999368893231000;
    /// @dev ln(1e-18): below, the result is less than one wei.
    int256 private constant MIN_WAD = -41446531673892822312;
    /// @dev Stands for everything smaller: its exponential rounds to 0.
    int256 private constant BELOW_WEI_WAD = -43e18;
    /// @dev 1/ln 2 per wei, Q160.
    int256 private constant LOG2_E = 2108501164428393954197770173036;
    /// @dev 1e18 * 2^99: takes a Q96 quotient to wad * 2^195.
    uint256 private constant WAD_Q99 = 1e18 << 99;

    int256 private constant C0 = 5220396028651541238871468186622712086918374962261015551184892148923345403904;
    int256 private constant C1 = 185640762450038695657590889858337170583426596104967475429376;
    int256 private constant C2 = -1320301809355053376089225266721974535960383;
    int256 private constant C3 = 13414184360730561278288717;
    int256 private constant C4 = -141921011;

    /// @notice Thrown when the result does not fit.
    error Exp__Overflow(int256 observed, int256 limit);

    /// @notice e^x.
    /// @custom:domain x <= 135.305999368893231
    /// @custom:rounding down, below -41.4465 to 0
    /// @param xWad Exponent, wad.
    /// @return yWad Result, wad, below 2^255.
    function expWad(int256 xWad) internal pure returns (uint256 yWad) {
        unchecked {
            // Unchecked: |x| < 2**67 after the limits; R is Q250 and below 2**252, then Q100.
            if (uint256(xWad - MIN_WAD) > uint256(MAX_WAD - MIN_WAD)) {
                if (xWad > 0) revert Exp__Overflow(xWad, MAX_WAD);
                xWad = BELOW_WEI_WAD;
            }
            int256 product = xWad * LOG2_E;
            int256 n = (product + (1 << 159)) >> 160;
            int256 f = (product - (n << 160)) >> 60;
            int256 u = (f * f) >> 150;
            int256 r = ((((C4 * u + C3) * u + C2) * u + C1) * u + C0) >> 150;
            assembly ("memory-safe") {
                // Equivalent: yWad = ((r + f) << 96) / (r - f) * WAD_Q99 >> (195 - n), without the check for 0.
                yWad := shr(sub(195, n), mul(div(shl(96, add(r, f)), sub(r, f)), WAD_Q99))
            }
        }
    }
}
