// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

/// @title Ln
/// @notice Natural logarithm of a number or of a quotient.
/// @dev The argument is scaled so that 1 lies in the middle c of an octave; then, with m the mantissa,
/// ln x = n*ln 2 + 2*atanh(z), z = (m - c)/(m + c), |z| < 0.174: ln 1 is exactly 0 and ln(1 + e) keeps its digits.
/// Coefficients of 2*atanh(z)/z in z^2: tools/generate/minimax.py.
/// @custom:unit wad
/// @custom:error-bound 7e-15 absolute
/// @custom:mirror numpy.log
library Ln {
    /// @dev 1 wad in the scale of the reduced argument is 1670e18 * 2^58 = 1.4146 * 2^128.
    uint256 private constant SCALE = 1670 << 58;
    uint256 private constant ONE = (1e18 * 1670) << 58;
    int256 private constant MIDDLE_Q136 = (1e18 * 1670) << 66;
    /// @dev ln 2, wad * 2^116.
    int256 private constant LN2 = 57584414849978831576646519229529903417786550753956342;
    uint256 private constant WAD_Q36 = 1e18 << 36;
    /// @dev 15 octaves: 2^121 and 2^136 over SCALE, which is 0.0055 to 181 in wad, and the same in that scale.
    uint256 private constant NEAR_LOW = 5522977267577711;
    uint256 private constant NEAR_SPAN = 180976919103986403399 - NEAR_LOW;
    uint256 private constant NEAR_LOW_RATIO = 1 << 121;
    uint256 private constant NEAR_SPAN_RATIO = (1 << 136) - (1 << 121);
    /// @dev Byte i is the position of the highest set bit of i.
    uint256 private constant LOG2_OF_5_BITS = 0x0000010102020202030303030303030304040404040404040404040404040404;

    int256 private constant C0 = 28948022309323952140536911452374327463625632930165180947299821407348786724864;
    int256 private constant C1 = 182270893823004765533405024837719231240881234277752295854702592;
    int256 private constant C2 = 2065799437643821225731351855830832269430335794826;
    int256 private constant C3 = 27873770011973988040241644830285622;
    int256 private constant C4 = 408427032917581365251;
    int256 private constant C5 = 6869764;

    /// @notice Thrown for the logarithm of 0 and for a quotient with a 0.
    error Ln__NotPositive(uint256 observed, uint256 limit);

    /// @notice ln(x).
    /// @custom:domain x > 0
    /// @param xWad Argument, wad.
    /// @return y Logarithm, wad.
    function lnWad(uint256 xWad) internal pure returns (int256 y) {
        unchecked {
            // Unchecked: below NEAR_LOW the difference wraps and is large; near 1 the product is below 2**136.
            int256 m;
            int256 octave;
            if (xWad - NEAR_LOW < NEAR_SPAN) (m, octave) = _splitNear(xWad * SCALE);
            else (m, octave) = _splitWad(xWad);
            y = _series(m, octave);
        }
    }

    /// @notice ln(a/b).
    /// @custom:domain 0 < a, b < 2^112
    /// @param a Numerator.
    /// @param b Denominator, same unit.
    /// @return y Logarithm, wad.
    function lnRatio(uint256 a, uint256 b) internal pure returns (int256 y) {
        unchecked {
            // Unchecked: 2**112 * ONE < 2**241; below NEAR_LOW_RATIO the difference wraps and is large.
            uint256 reduced = a * ONE;
            assembly ("memory-safe") {
                // Equivalent: reduced = reduced / b, and 0 for b = 0.
                reduced := div(reduced, b)
            }
            int256 m;
            int256 octave;
            if (reduced - NEAR_LOW_RATIO < NEAR_SPAN_RATIO) (m, octave) = _splitNear(reduced);
            else (m, octave) = _splitFar(reduced);
            y = _series(m, octave);
        }
    }

    /// @dev Mantissa, Q136 in [1, 2), and exponent within 7 octaves of 1: two comparisons and one look-up.
    function _splitNear(uint256 reduced) private pure returns (int256 m, int256 octave) {
        assembly ("memory-safe") {
            // Equivalent: octave = floor(log2(reduced)) - 128; m = reduced << (8 - octave).
            let y := shr(121, reduced)
            let top := mul(5, add(gt(y, 31), gt(y, 1023)))
            top := add(top, byte(shr(top, y), LOG2_OF_5_BITS))
            m := shl(sub(15, top), reduced)
            octave := sub(top, 7)
        }
    }

    /// @dev The same for any number, by halving.
    function _splitFar(uint256 reduced) private pure returns (int256 m, int256 octave) {
        if (reduced == 0) revert Ln__NotPositive(0, 1);
        assembly ("memory-safe") {
            // Equivalent: octave = floor(log2(reduced)) - 128; m = reduced * 2**(8 - octave).
            let top := shl(7, gt(reduced, 0xffffffffffffffffffffffffffffffff))
            top := or(top, shl(6, gt(shr(top, reduced), 0xffffffffffffffff)))
            top := or(top, shl(5, gt(shr(top, reduced), 0xffffffff)))
            top := or(top, shl(4, gt(shr(top, reduced), 0xffff)))
            top := or(top, shl(3, gt(shr(top, reduced), 0xff)))
            top := or(top, shl(2, gt(shr(top, reduced), 0xf)))
            top := or(top, byte(shr(top, reduced), LOG2_OF_5_BITS))
            m := shr(119, shl(sub(255, top), reduced))
            octave := sub(top, 128)
        }
    }

    /// @dev The same for any wad. From 2^187 on the last 70 bits count for less than the error.
    function _splitWad(uint256 xWad) private pure returns (int256 m, int256 octave) {
        unchecked {
            // Unchecked: 2**187 * SCALE < 2**256.
            uint256 drop = xWad >> 187 == 0 ? 0 : 70;
            (m, octave) = _splitFar((xWad >> drop) * SCALE);
            octave += int256(drop);
        }
    }

    function _series(int256 m, int256 octave) private pure returns (int256) {
        int256 z;
        assembly ("memory-safe") {
            // Equivalent: z = (m - MIDDLE_Q136) * WAD_Q36 / (m + MIDDLE_Q136), without the check for 0.
            z := sdiv(mul(sub(m, MIDDLE_Q136), WAD_Q36), add(m, MIDDLE_Q136))
        }
        unchecked {
            // Unchecked: z < 2**94, u < 2**41, the sum below 2**255.
            int256 u = (z * z) >> 146;
            int256 p = ((((C5 * u + C4) * u + C3) * u + C2) * u + C1) * u + C0;
            return ((p >> 173) * z + octave * LN2) >> 116;
        }
    }
}
