"""Repair of correlation matrices that are not positive semi-definite."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from plimsoll.errors import InputError

Vector = npt.NDArray[np.float64]

#: Eigenvalues above minus this are rounding, not a defect of the input.
_TOLERANCE = 1e-12


def repair_correlation(matrix: Vector, names: tuple[str, ...]) -> tuple[Vector, list[str]]:
    """Nearest usable correlation by spectral truncation.

    Parameters
    ----------
    matrix : ndarray, shape (k, k)
        Symmetric, unit diagonal, entries in [-1, 1].
    names : tuple of str, length k
        For messages.

    Returns
    -------
    ndarray, list of str
        Positive semi-definite correlation; warnings (empty when the input was one already).

    Raises
    ------
    InputError
        If the matrix is not symmetric with unit diagonal, or an entry is outside [-1, 1].

    Notes
    -----
    Negative eigenvalues are set to zero and the rows rescaled to unit diagonal.

    References
    ----------
    .. [1] R. Rebonato, P. Jäckel, The most general methodology to create a valid correlation matrix, 1999.
    """
    if not np.isfinite(matrix).all() or np.abs(matrix).max() > 1.0 + _TOLERANCE:
        raise InputError("correlation", f"entries of {', '.join(names)} must lie in [-1, 1]")
    if np.abs(matrix - matrix.T).max() > _TOLERANCE or np.abs(np.diag(matrix) - 1.0).max() > _TOLERANCE:
        raise InputError("correlation", "must be symmetric with ones on the diagonal")
    values, vectors = np.linalg.eigh(matrix)
    if values[0] >= -_TOLERANCE:
        return matrix, []
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    root /= np.sqrt((root**2).sum(axis=1, keepdims=True))
    fixed: Vector = root @ root.T
    np.fill_diagonal(fixed, 1.0)
    moved = float(np.abs(fixed - matrix).max())
    warning = (
        f"correlation of {', '.join(names)} is not positive semi-definite (smallest eigenvalue {values[0]:.3g}); "
        f"repaired by spectral truncation, largest change of an entry {moved:.3g}"
    )
    return fixed, [warning]
