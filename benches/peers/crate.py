"""This crate by its C library, and the naive loop, on NumPy's arrays."""

import ctypes
import os
from concurrent.futures import ThreadPoolExecutor
from ctypes import POINTER, byref, c_float, c_int32, c_size_t, c_uint8, c_uint32, c_void_p
from functools import partial
from pathlib import Path

import numpy as np

from arrays import empty

LIBRARIES = Path(os.environ["PEERS_LIBRARIES"])


class Options(ctypes.Structure):
    """`adagrad_options` of crates/c/include/adagrad.h."""

    _fields_ = [
        (name, c_float)
        for name in "learning_rate epsilon weight_decay gradient_scale clip_value rho initial_accumulator".split()
    ] + [
        (name, c_uint8)
        for name in "epsilon_place decay accumulation arithmetic non_finite backend maximize reserved".split()
    ]


class Table(ctypes.Structure):
    """`adagrad_table`."""

    _fields_ = (
        [(name, c_void_p) for name in ("params", "accumulator")]
        + [(name, c_size_t) for name in "rows dim columns gradient_stride padding_row".split()]
        + [("layout", c_uint8), ("skip_out_of_range", c_uint8), ("reserved", c_uint8 * 6)]
    )


class Bags(ctypes.Structure):
    """`adagrad_bags_u64`."""

    _fields_ = (
        [(name, c_void_p) for name in ("offsets", "rows", "weights")]
        + [(name, c_size_t) for name in ("bags", "count")]
        + [("mean", c_uint8), ("reserved", c_uint8 * 7)]
    )


class NaiveRows(ctypes.Structure):
    """`Rows` of naive/src/lib.rs."""

    _fields_ = [
        ("params", c_void_p),
        ("accumulator", c_void_p),
        ("table_rows", c_size_t),
        ("dim", c_size_t),
        ("rows", c_void_p),
        ("grads", c_void_p),
        ("count", c_size_t),
        ("learning_rate", c_float),
        ("epsilon", c_float),
        ("row_wise", c_uint32),
    ]


def function(library, name, result, *arguments):
    found = getattr(library, name)
    found.restype, found.argtypes = result, arguments
    return found


C = ctypes.CDLL(LIBRARIES / "libadagrad.so")
NAIVE = ctypes.CDLL(LIBRARIES / "libnaive.so")
PRESETS = {name: function(C, "adagrad_" + name, Options, c_float) for name in ("new", "pytorch", "fbgemm")}
SHAPE = [c_size_t, c_size_t]
STEP = function(C, "adagrad_step", c_int32, POINTER(Options), c_void_p, c_void_p, c_void_p, c_size_t, c_void_p)
ROWS = [POINTER(Options), c_void_p, c_void_p, *SHAPE, c_void_p, c_void_p, c_size_t, c_void_p]
STEP_ROWS = function(C, "adagrad_step_rows_u64", c_int32, *ROWS)
STEP_ROW_WISE = function(C, "adagrad_step_row_wise_u64", c_int32, *ROWS)
COALESCE = function(C, "adagrad_coalesce_u64", c_int32, c_void_p, c_void_p, *SHAPE, c_void_p, c_size_t, c_void_p)
TABLES = [function(C, "adagrad_table_" + name, Table, c_void_p, c_void_p, *SHAPE) for name in ("new", "row_wise")]
BAGS = [POINTER(Options), POINTER(Table), POINTER(Bags), c_void_p, c_void_p, c_void_p]
STEP_BAGS = function(C, "adagrad_table_step_bags_u64", c_int32, *BAGS)
NAIVE_STEP = function(NAIVE, "naive_step", None, c_void_p, c_void_p, c_void_p, c_size_t, c_float, c_float)
NAIVE_ROWS = function(NAIVE, "naive_rows", None, POINTER(NaiveRows))


def preset(name, learning_rate, epsilon=None):
    options = PRESETS[name](learning_rate)
    if epsilon is not None:
        options.epsilon = epsilon
    return options


def address(array):
    return array.ctypes.data_as(c_void_p)  # which keeps the array alive


def step(options, w, g, a):
    """A function that makes one step and returns its status."""
    return partial(STEP, byref(options), address(w), address(g), address(a), len(w), None)


def step_in_threads(options, w, g, a, threads):
    """The same in several threads, each with a part, by Python's own pool: ctypes lets the others run."""
    parts = zip(*(np.array_split(array, threads) for array in (w, g, a)))
    calls = [step(options, *part) for part in parts]
    pool = ThreadPoolExecutor(threads - 1)

    def call():
        others = [pool.submit(part) for part in calls[1:]]
        return calls[0]() or sum(other.result() for other in others)

    return call


def naive_step(w, g, a, learning_rate, epsilon):
    return partial(NAIVE_STEP, address(w), address(g), address(a), len(w), learning_rate, epsilon)


def step_rows(options, table, rows, g):
    """One step for each of the rows, in turn. A table is its parameters in rows, its accumulators, and whether they are one a row."""
    w, a, row_wise = table
    run = STEP_ROW_WISE if row_wise else STEP_ROWS
    return partial(run, byref(options), address(w), address(a), *w.shape, address(rows), address(g), len(rows), None)


def coalesced_rows(options, table, rows, g):
    """One step for each distinct row, with the sum of its gradients. Rows and gradients are copied, so that they stay."""
    w, a, row_wise = table
    run = STEP_ROW_WISE if row_wise else STEP_ROWS
    own_rows, own_g = empty(len(rows), np.uint64), empty(g.size).reshape(g.shape)
    scratch, distinct = empty(2 * len(rows), np.uint64), c_size_t()
    coalesce = partial(
        COALESCE, address(own_rows), address(own_g), *g.shape, address(scratch), len(scratch), byref(distinct)
    )
    begin = (byref(options), address(w), address(a), *w.shape, address(own_rows), address(own_g))

    def call():
        np.copyto(own_rows, rows)
        np.copyto(own_g, g)
        coalesce()
        return run(*begin, distinct.value, None)

    return call


def step_bags(options, table, rows, offsets, g):
    """One step for each row of each bag, in turn."""
    w, a, row_wise = table
    bags = Bags(address(offsets), address(rows), None, len(g), len(rows))
    table = TABLES[row_wise](address(w), address(a), *w.shape)
    return partial(STEP_BAGS, byref(options), byref(table), byref(bags), address(g), None, None)


def naive_rows(table, rows, g, learning_rate, epsilon):
    w, a, row_wise = table
    start = [address(array) for array in (w, a)]
    call = NaiveRows(*start, *w.shape, address(rows), address(g), len(rows), learning_rate, epsilon, row_wise)
    call.arrays = (w, a, rows, g)  # which have to live as long
    return partial(NAIVE_ROWS, byref(call))
