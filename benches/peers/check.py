"""Whether the C library, the naive loop and NumPy work together here: they have the same bits. Needs NumPy only."""

import numpy as np

import crate
from arrays import empty, gradients, numbers, small_steps
from with_numpy import BLOCK, EPSILON, RATE, numpy_in_blocks, numpy_whole


def dense(length):
    """The ways that differ from the naive loop."""
    options = crate.preset("new", RATE, EPSILON)
    ways = {
        "naive": lambda w, g, a: crate.naive_step(w, g, a, RATE, EPSILON),
        "adagrad": lambda w, g, a: crate.step(options, w, g, a),
        "adagrad, two threads": lambda w, g, a: crate.step_in_threads(options, w, g, a, 2),
        "NumPy": numpy_whole,
        "NumPy in blocks": numpy_in_blocks,
    }
    results = {}
    for name, make in ways.items():
        w, g, a = small_steps(length)
        g *= 2**14  # so that the step changes something
        if failure := make(w, g, a)():
            return [f"{name}: status {failure}"]
        results[name] = w.tobytes() + a.tobytes()
    return [name for name, result in results.items() if result != results["naive"]]


def rows(dim):
    """Whether a step of rows differs from the naive loop."""
    options, results = crate.preset("new", RATE, EPSILON), []
    for run in ("naive", "adagrad"):
        random = np.random.default_rng(4)
        w, a = numbers(random, 9 * dim).reshape(9, dim), numbers(random, 9 * dim)
        chosen, g = empty(6, np.uint64), gradients(random, 6 * dim).reshape(6, dim)
        chosen[:] = [8, 0, 3, 0, 7, 8]
        g *= 2**14
        table = (w, a, False)
        naive = run == "naive"
        call = crate.naive_rows(table, chosen, g, RATE, EPSILON) if naive else crate.step_rows(options, table, chosen, g)
        if failure := call():
            return [f"rows: status {failure}"]
        results.append(w.tobytes() + a.tobytes())
    return [] if results[0] == results[1] else [f"rows of {dim}"]


def main():
    wrong = [dense(length) for length in (1, 2, 7, 16, 1000, BLOCK + 3)] + [rows(dim) for dim in (1, 5, 64)]
    for names in wrong:
        for name in names:
            print("differs:", name)
    failed = sum(bool(names) for names in wrong)
    print(f"{len(wrong) - failed} passed, {failed} failed")
    return failed


if __name__ == "__main__":
    raise SystemExit(main())
