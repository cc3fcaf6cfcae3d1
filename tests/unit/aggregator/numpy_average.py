"""Cases for weighted_average_test.cc: inputs, and what numpy and a float32 base make of them.

For each case: n and size (int32), n weights (float64), the base, n updates and the next model
(float32, size elements each), all little-endian on standard output.
"""

import sys

import numpy

rng = numpy.random.RandomState(1)
out = sys.stdout.buffer
for n in (1, 2, 3, 5, 7, 8, 9, 15, 16, 17, 31, 64, 127, 128, 129, 136, 144, 200, 257, 300):
    for size in (1, 2, 3, 8, 65, 5000):
        samples = rng.randint(1, 10_000, n)
        weights = samples / samples.sum()
        base = rng.standard_normal(size).astype(numpy.float32)
        updates = rng.standard_normal((n, size)).astype(numpy.float32)
        mean = numpy.average(list(updates), weights=list(weights), axis=0)
        model = base + (mean - base).astype(numpy.float32)
        out.write(numpy.array([n, size], dtype="<i4").tobytes())
        out.write(weights.astype("<f8").tobytes())
        for array in (base, updates, model):
            out.write(array.astype("<f4").tobytes())
