"""Arrays that a step leaves as they are, so that each repetition does the same work."""

import numpy as np

PAGE = 1024  # elements of a page of memory
LINE = 64  # bytes of a cache line


def empty(length, dtype=np.float32, pages=0):
    """An array that begins at a cache line, so many pages behind the start of its memory."""
    size = np.dtype(dtype).itemsize
    start = pages * PAGE * 4
    memory = np.zeros(start + length * size + LINE, np.uint8)
    start += -(memory.ctypes.data + start) % LINE
    return memory[start : start + length * size].view(dtype)


def numbers(random, length, pages=0):
    """Between 1 and 2."""
    values = empty(length, pages=pages)
    random.random(out=values, dtype=np.float32)
    values += 1
    return values


def gradients(random, length, pages=0):
    """Of either sign, and between 2⁻¹⁴ and 2⁻¹³: too small to change a number between 1 and 2 in a step."""
    values = numbers(random, length, pages)
    values *= np.float32(2.0**-14)
    values[random.random(length, dtype=np.float32) < 0.5] *= -1
    return values


def small_steps(length):
    """Parameters, gradients and accumulators of one length. Their distances keep apart what a CPU may take for the same."""
    random = np.random.default_rng(1)
    return numbers(random, length), gradients(random, length, 5), numbers(random, length, 11)
