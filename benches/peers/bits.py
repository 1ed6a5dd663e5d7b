"""Who has the bits of this crate: steps with gradients of usual size, of which every result is compared."""

import numpy as np

import crate
import dense
import rows

STEPS = 3


def differing(values, expected):
    """How many values differ, and by how many units in the last place at most."""
    bits = [array.reshape(-1).view(np.int32).astype(np.int64) for array in (values, expected)]
    ordered = [np.where(array < 0, -(2**31) - array, array) for array in bits]
    distance = np.abs(ordered[0] - ordered[1])
    return int(np.count_nonzero(values.reshape(-1) != expected.reshape(-1))), int(distance.max())


def after_steps(make, steps):
    """Parameters and accumulators after some steps from the same start."""
    start, grads, accumulator = steps
    w, g, a = start.copy(), np.empty_like(start), accumulator.copy()
    call = make([(w, g, a)])
    for values in grads:
        np.copyto(g, values)
        if failure := call():
            raise RuntimeError(failure)
    return w, a


def of_dense(length, compiled):
    """By name: differing parameters and accumulators from each preset of the crate."""
    random = np.random.default_rng(2)
    start, *grads = (random.standard_normal(length, dtype=np.float32) for _ in range(STEPS + 1))
    steps = (start, grads, np.zeros(length, np.float32))
    presets = {
        "pytorch": crate.preset("pytorch", dense.RATE),
        "new": crate.preset("new", dense.RATE, dense.EPSILON),
    }
    expected = {}
    for name, options in presets.items():
        expected[name] = after_steps(dense.each(lambda w, g, a: crate.step(options, w, g, a)), steps)
    found = {}
    for name, make in dense.makers(1, compiled).items():
        w, a = after_steps(make, steps)
        found[name] = {preset: (differing(w, ws), differing(a, sums)) for preset, (ws, sums) in expected.items()}
    return found


def of_rows(row_wise, bag, without):
    """By name: differing parameters and accumulators from steps of this crate, for which gradients of one row were summed."""
    results = {}
    for name, make in rows.makers(row_wise, bag).items():
        if name in without or bag == 1 and name in ("naive", "adagrad, in turn"):  # other steps, where a row appears twice
            continue
        work = rows.Work(1 << 12, 64, 1 << 11, row_wise, bag)
        work.grads *= 2**14  # of usual size
        call = make(work)
        for _ in range(STEPS):
            call()
        results[name] = work.params, work.accumulator
    w, a = results["adagrad, summed" if bag == 1 else "adagrad"]
    return {name: (differing(ws, w), differing(sums, a)) for name, (ws, sums) in results.items()}
