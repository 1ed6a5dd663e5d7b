"""The shortest time of each of several ways to do the same, which take turns. A way is a function that returns nothing or 0."""

import gc
import itertools
import time

SHORTEST = 2e-3  # seconds of one measurement, at least


def seconds_of(call, calls):
    start = time.perf_counter()
    for _ in itertools.repeat(None, calls):
        call()
    return time.perf_counter() - start


def calls_of(call, shortest):
    """How many calls take as long as a measurement should. This also warms up caches, clocks and compilers."""
    calls = 1
    while seconds_of(call, calls) < shortest:
        calls *= 2
    return calls


def shortest_times(contenders, seconds, rounds):
    """Nanoseconds of one call of each, by name. So many seconds for all together, and so many rounds, at least.

    Every other round is backwards: what one leaves in the caches and the clock meets both its neighbours."""
    names = list(contenders)
    for name in names:
        if failure := contenders[name]():
            raise RuntimeError(f"{name}: {failure}")
    calls = {name: calls_of(contenders[name], min(SHORTEST, seconds / 100)) for name in names}
    best = dict.fromkeys(names, float("inf"))
    end = time.perf_counter() + seconds
    gc.disable()
    for done in itertools.count():
        if done >= rounds and time.perf_counter() > end:
            break
        for name in names if done % 2 == 0 else reversed(names):
            best[name] = min(best[name], seconds_of(contenders[name], calls[name]) / calls[name] * 1e9)
    gc.enable()
    return best
