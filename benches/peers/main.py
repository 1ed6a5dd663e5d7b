"""Measures the peers and writes tables and a chart. `run` in this folder installs what this needs and calls it."""

import argparse
import json
import warnings
from pathlib import Path

import torch

import bits
import chart
import dense
import machine
import rows
from arrays import small_steps
from text import binary, digits, table, write_between_marks
from timing import shortest_times

SHAPES = [(1, 1 << 4), (1, 1 << 10), (100, 1 << 10), (1, 1 << 14), (1, 1 << 18), (1, 1 << 22), (1, 1 << 25)]
IN_THREADS = [(1, 1 << 18), (1, 1 << 22), (1, 1 << 25)]
TABLE_ROWS, COUNT = 1 << 17, 1 << 14
COLUMNS = [16, 64, 128]
BAG = 16


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a first look: less long, up to 4 Mi elements, nothing compiled by PyTorch")
    parser.add_argument("--threads", type=int, default=1, help="steps on so many threads, too; they wait for each other, so only where nothing else runs")
    parser.add_argument("--markdown", type=Path, metavar="PAGE", help="write tables between the marks of this page, and charts/peers.svg beside it")
    parser.add_argument("--rust", type=Path, required=True, help="what the Rust part has printed")
    parser.add_argument("--chart", type=Path, required=True, help="where the chart goes without a page")
    return parser.parse_args()


class Plan:
    def __init__(self, quick):
        self.shapes = [shape for shape in SHAPES if not quick or shape[1] <= 1 << 22]
        self.in_threads = [shape for shape in IN_THREADS if not quick or shape[1] <= 1 << 22]
        self.columns = COLUMNS[1:2] if quick else COLUMNS
        self.seconds, self.rounds = (2, 5) if quick else (20, 10)
        self.compiled = not quick


def measure_dense(plan, shapes, threads):
    """By shape and name, nanoseconds for each element."""
    torch.set_num_threads(threads)
    torch._inductor.config.cpp.threads = threads  # else the compiled steps of before would be taken
    found = {}
    for tensors, elements in shapes:
        print(f"dense, threads: {threads}, {tensors} × {elements}", flush=True)
        arrays = [small_steps(elements) for _ in range(tensors)]
        contenders = {name: make(arrays) for name, make in dense.makers(threads, plan.compiled).items()}
        times = shortest_times(contenders, plan.seconds, plan.rounds)
        found[tensors, elements] = {name: time / (tensors * elements) for name, time in times.items()}
    return found


def measure_rows(plan, bag, without):
    """By columns, kind and name, nanoseconds for each element of the rows."""
    torch.set_num_threads(1)
    found = {}
    for row_wise in (False, True):
        for dim in plan.columns:
            print(f"rows of {dim}, row-wise: {row_wise}, in a bag: {bag}", flush=True)
            work = rows.Work(TABLE_ROWS, dim, COUNT, row_wise, bag)
            makers = {name: make for name, make in rows.makers(row_wise, bag).items() if name not in without}
            times = shortest_times({name: make(work) for name, make in makers.items()}, plan.seconds, plan.rounds)
            found[dim, row_wise] = {name: time / (COUNT * dim) for name, time in times.items()}
    return found


def read_rust(path):
    found = {}
    for line in map(json.loads, path.read_text().splitlines()):
        shape = line["tensors"], line["elements"]
        found.setdefault(shape, {})[line["who"]] = line["ns"] / (shape[0] * shape[1])
    return found


def shape_name(shape):
    tensors, elements = shape
    return binary(elements) if tensors == 1 else f"{tensors} × {binary(elements)}"


def is_peer(name):
    return not name.startswith(("adagrad", "naive"))


def with_ratio(what, measured, name_of, ours_is="adagrad"):
    """A table of times, and how many times as long as the best of ours the best peer takes."""
    names = list(dict.fromkeys(name for times in measured.values() for name in times))
    lines = []
    for key, times in measured.items():
        ours = min(time for name, time in times.items() if name.startswith(ours_is))
        best = min(time for name, time in times.items() if is_peer(name))
        lines.append([name_of(key), *(digits(times.get(name)) for name in names), digits(best / ours)])
    return table([what, *names, f"best peer ÷ {ours_is}"], lines)


def counts(parameters, accumulators):
    """Differing values, and by how much at most."""
    return [f"{count} ({most} ulp)" if count else "none" for count, most in (parameters, accumulators)]


def bits_of_dense(found):
    lines = []
    for name, presets in found.items():
        lines.append([name, *counts(*presets["pytorch"]), *counts(*presets["new"])])
    head = ["3 steps of 1 Mi elements", "w, from `pytorch`", "G, from `pytorch`", "w, from `new`", "G, from `new`"]
    return table(head, lines)


def bits_of_rows(found):
    lines = [
        [f"{name}, {kind}", *counts(*both)]
        for kind, names in found.items()
        for name, both in names.items()
        if is_peer(name)
    ]
    return table(["3 steps of 2 Ki rows, 64 columns", "w", "G"], lines)


def chart_lines(measured, rust):
    """The best way of each project, where one tensor is stepped."""
    ways = {
        "naive": ["naive"],
        "adagrad": ["adagrad"],
        "NumPy": ["NumPy", "NumPy in blocks"],
        "PyTorch, optimizer": ["torch, for-loop", "torch, foreach", "torch, fused"],
        "PyTorch, fused function": ["torch, fused, as a function"],
        "PyTorch, compiled": ["torch, compiled"],
    }
    lines = {}
    for line, names in ways.items():
        points = [
            (elements, min(times[name] for name in names))
            for (tensors, elements), times in measured.items()
            if tensors == 1 and names[0] in times
        ]
        if points:
            lines[line] = points
    points = [(shape[1], times["candle-optimisers"]) for shape, times in rust.items() if shape[0] == 1]
    return {**lines, "candle-optimisers (from Rust)": points}


def threads_part(measured, threads):
    caption = f"### Dense steps from Python, {threads} threads\n\nns for each element:"
    return [caption, with_ratio("elements", measured, shape_name)] if measured else []


def row_name(key):
    dim, row_wise = key
    return f"{dim} columns, {'row-wise' if row_wise else 'element-wise'}"


def main():
    asked = arguments()
    plan = Plan(asked.quick)
    warnings.filterwarnings("ignore", message="Sparse invariant checks")
    missing = rows.why_not_fbgemm()
    without = ("FBGEMM",) if missing else ()
    rust = read_rust(asked.rust)

    one = measure_dense(plan, plan.shapes, 1)
    in_rows, in_bags = (measure_rows(plan, bag, without) for bag in (1, BAG))
    dense_bits = bits.of_dense(1 << 20, plan.compiled)
    row_bits = {
        f"{'row-wise' if row_wise else 'element-wise'}{', bags' if bag > 1 else ''}": bits.of_rows(row_wise, bag, without)
        for row_wise in (False, True)
        for bag in (1, BAG)
    }
    several = measure_dense(plan, plan.in_threads, asked.threads) if asked.threads > 1 else {}

    chart_path = asked.markdown.parent / "charts" / "peers.svg" if asked.markdown else asked.chart
    chart.draw(chart_path, chart_lines(one, rust), f"A step of Adagrad on {machine.cpu()}")
    parts = [
        f"One run of `benches/peers/run` on {machine.description()}.",
        f"SKIPPED: FBGEMM: {missing}" if missing else "",
        "### Dense steps from Python, one thread\n\nns for each element:",
        with_ratio("elements", one, shape_name),
        "![Time for each element over the number of elements](charts/peers.svg)",
        *threads_part(several, asked.threads),
        "### Dense steps from Rust, one thread\n\nns for each element:",
        with_ratio("elements", rust, shape_name),
        f"### Rows from Python, one thread\n\n{binary(COUNT)} random rows of a table of {binary(TABLE_ROWS)}; ns for each element of the rows:",
        with_ratio("table", in_rows, row_name, "adagrad, summed"),
        f"The same number of rows in bags of {BAG}, none of them twice; ns for each element of the rows:",
        with_ratio("table", in_bags, row_name),
        "### Bits\n\nHow many results differ from those of this crate, and by how many units in the last place at most:",
        bits_of_dense(dense_bits),
        "Rows, some more than once, from those of the preset `fbgemm` after `coalesce`; and rows in bags:",
        bits_of_rows(row_bits),
    ]
    text = "\n\n".join(part for part in parts if part)
    print(text)
    if asked.markdown:
        write_between_marks(asked.markdown, text)
    print(f"\nchart: {chart_path}")


if __name__ == "__main__":
    main()
