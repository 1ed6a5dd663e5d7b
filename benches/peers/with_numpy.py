"""The step by NumPy, in place."""

from functools import partial

import numpy as np

from arrays import empty

RATE, EPSILON = 1e-4, 1e-10
BLOCK = 8192  # elements that NumPy takes at a time: they and its intermediate results fit the second cache


def numpy_step(w, g, a, t, u):
    """In place, with the intermediate results in arrays that are there."""
    np.multiply(g, g, out=t)
    np.add(a, t, out=a)
    np.sqrt(a, out=t)
    np.add(t, np.float32(EPSILON), out=t)
    np.multiply(g, np.float32(RATE), out=u)
    np.divide(u, t, out=u)
    np.subtract(w, u, out=w)


def numpy_whole(w, g, a):
    return partial(numpy_step, w, g, a, empty(len(w)), empty(len(w)))


def numpy_in_blocks(w, g, a):
    t, u = empty(BLOCK), empty(BLOCK)
    starts = range(0, len(w), BLOCK)
    views = [tuple(array[start : start + BLOCK] for array in (w, g, a)) for start in starts]
    blocks = [(*view, t[: len(view[0])], u[: len(view[0])]) for view in views]

    def call():
        for block in blocks:
            numpy_step(*block)

    return call
