// SPDX-License-Identifier: MIT
pragma solidity ^0.8.30;

import {Black76} from "../libraries/Black76.sol";
import {Exp} from "../libraries/Exp.sol";
import {Ln} from "../libraries/Ln.sol";
import {NormalDistribution} from "../libraries/NormalDistribution.sol";
import {Sqrt} from "../libraries/Sqrt.sol";
import {SviVolatility} from "../libraries/SviVolatility.sol";

/// @title MathProbe
/// @notice Every fixed-point library over arrays, for tests and measurements.
/// @dev Arguments and results are packed words: 32 bytes each, one after the other. `gas*` functions return the gas of
/// one evaluation: the mean over the arguments less that of a loop that only reads them.
contract MathProbe {
    function gasExp(int256[] memory x) external view returns (uint256 gasUsed, int256 sum) {
        uint256 start = gasleft();
        for (uint256 i; i < x.length; ++i) sum += x[i];
        uint256 empty = start - gasleft();
        start = gasleft();
        for (uint256 i; i < x.length; ++i) sum += int256(Exp.expWad(x[i]));
        gasUsed = ((start - gasleft() - empty) * 10) / x.length;
    }
    function gasLn(int256[] memory x) external view returns (uint256 gasUsed, int256 sum) {
        uint256 start = gasleft();
        for (uint256 i; i < x.length; ++i) sum += x[i];
        uint256 empty = start - gasleft();
        start = gasleft();
        for (uint256 i; i < x.length; ++i) sum += int256(Ln.lnWad(uint256(x[i])));
        gasUsed = ((start - gasleft() - empty) * 10) / x.length;
    }
    function gasSqrt(int256[] memory x) external view returns (uint256 gasUsed, int256 sum) {
        uint256 start = gasleft();
        for (uint256 i; i < x.length; ++i) sum += x[i];
        uint256 empty = start - gasleft();
        start = gasleft();
        for (uint256 i; i < x.length; ++i) sum += int256(Sqrt.sqrtWad(uint256(x[i])));
        gasUsed = ((start - gasleft() - empty) * 10) / x.length;
    }
    function gasCdf(int256[] memory x) external view returns (uint256 gasUsed, int256 sum) {
        uint256 start = gasleft();
        for (uint256 i; i < x.length; ++i) sum += x[i];
        uint256 empty = start - gasleft();
        start = gasleft();
        for (uint256 i; i < x.length; ++i) sum += int256(NormalDistribution.cdf(x[i]));
        gasUsed = ((start - gasleft() - empty) * 10) / x.length;
    }
    function gasCall(uint256[4][] memory x) external view returns (uint256 gasUsed, uint256 sum) {
        uint256 start = gasleft();
        for (uint256 i; i < x.length; ++i) {
            uint256[4] memory o = x[i];
            unchecked { sum += o[0] + o[1] + o[2] + o[3]; }
        }
        uint256 empty = start - gasleft();
        start = gasleft();
        for (uint256 i; i < x.length; ++i) {
            uint256[4] memory o = x[i];
            (uint256 c,) = Black76.call(o[0], o[1], o[2], o[3]);
            unchecked { sum += c; }
        }
        gasUsed = ((start - gasleft() - empty) * 10) / x.length;
    }
    function gasSvi(SviVolatility.Slice memory slice, uint256[4][] memory x) external view returns (uint256 gasUsed, uint256 sum) {
        uint256 start = gasleft();
        for (uint256 i; i < x.length; ++i) {
            uint256[4] memory o = x[i];
            unchecked { sum += o[0] + o[1] + o[2] + o[3]; }
        }
        uint256 empty = start - gasleft();
        start = gasleft();
        for (uint256 i; i < x.length; ++i) {
            uint256[4] memory o = x[i];
            unchecked { sum += SviVolatility.volatility(slice, o[0], o[1], o[3]); }
        }
        gasUsed = ((start - gasleft() - empty) * 10) / x.length;
    }
}
