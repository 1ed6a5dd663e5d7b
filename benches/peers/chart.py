"""Time for each element over the number of elements, as SVG. Both axes are logarithmic: a distance is a ratio."""

import re

import matplotlib

matplotlib.use("svg")
from matplotlib import pyplot  # noqa: E402  after the choice of its backend

from text import binary  # noqa: E402

SIZE = (9.6, 6.0)
COLOURS = ["#7f7f7f", "#d62728", "#1f77b4", "#2ca02c", "#9467bd", "#ff7f0e", "#8c564b", "#17becf"]


def draw(path, lines, title):
    """Lines are names with points: elements, and nanoseconds for each of them."""
    matplotlib.rcParams.update({"svg.fonttype": "none", "svg.hashsalt": "adagrad", "font.family": "sans-serif"})
    figure, axes = pyplot.subplots(figsize=SIZE)
    for (name, points), colour in zip(lines.items(), COLOURS):
        width = 2.5 if name == "adagrad" else 1.3
        axes.plot(*zip(*points), marker="o", markersize=3.5, linewidth=width, color=colour, label=name)
    axes.set_xscale("log", base=2)
    axes.set_yscale("log")
    places = sorted({elements for points in lines.values() for elements, _ in points})
    axes.set_xticks(places, [binary(place) for place in places])
    axes.grid(True, which="major", color="#e4e4e4")
    axes.set_xlabel("elements of one tensor")
    axes.set_ylabel("ns for each element, one thread")
    axes.set_title(title, fontsize=9, color="#6e6e6e")
    axes.legend(frameon=False)
    figure.savefig(path, format="svg", bbox_inches="tight", metadata={"Date": None})
    pyplot.close(figure)
    # Without what an HTML page that includes it must not have.
    svg = path.read_text()
    path.write_text(re.sub(r"\s*\n\s*", "\n", svg[svg.index("<svg") :]))
