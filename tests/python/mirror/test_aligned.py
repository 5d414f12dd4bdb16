"""Arrays that begin at a cache line."""

import numpy as np
import pytest

from plimsoll.mirror.aligned import LINE, aligned_zeros


@pytest.mark.parametrize("shape", [1, 7, 1_000, (3, 16), (40_000, 16)])
def test_aligned_zeros__any_shape__begins_at_a_line_and_can_be_written_to(shape):
    for _ in range(8):
        found = aligned_zeros(shape)
        assert found.shape == np.zeros(shape).shape
        assert found.ctypes.data % LINE == 0
        assert found.flags.c_contiguous
        assert found.flags.writeable
        assert not found.any()
