"""Records steps of TensorFlow's ResourceApplyFtrl and ResourceApplyProximalAdagrad on the CPU, and their forms for rows.

Recorded with TensorFlow 2.21.0: `pip install tensorflow-cpu==2.21.0 && python regularized.py`, in this folder. It writes
`tf_regularized.jsonl`.
"""

import json
import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import tensorflow as tf

raw = tf.raw_ops


def words(values):
    return "".join(f"{bits:08x}" for bits in np.asarray(values, np.float32).reshape(-1).view(np.uint32))


def hyper(lr, l1, l2):
    return {"lr": np.float32(lr), "l1": np.float32(l1), "l2": np.float32(l2)}


random = np.random.default_rng(11)
lines = []
for op in ("ftrl", "proximal"):
    for lr, l1, l2 in [(0.1, 0.0, 0.0), (0.1, 0.3, 0.0), (0.05, 0.0, 0.2), (0.5, 0.1, 0.01), (1.0, 2.0, 1.0)]:
        for rows, dim, steps in [(1, 1, 3), (1, 19, 4), (1, 37, 3), (4, 5, 3)]:
            shape = (rows, dim)
            w = random.normal(size=shape).astype(np.float32)
            a = (np.full(shape, 0.1) if dim % 2 else random.random(shape)).astype(np.float32)
            z = np.zeros(shape, np.float32)
            var, acc, lin = (tf.Variable(x) for x in (w, a, z))
            case = {"op": op, "version": tf.__version__, "hyper": [words(x) for x in (lr, l1, l2)], "dim": dim}
            case |= {"w0": words(w), "acc0": words(a), "steps": []}
            for _ in range(steps):
                indices = random.permutation(rows)[: max(1, rows - 1)].astype(np.int32)
                g = (random.normal(size=(len(indices), dim)) * 2.0 ** random.integers(-6, 3)).astype(np.float32)
                if random.integers(3) == 0:
                    g[:, : dim // 2] = 0
                named = {"var": var.handle, "accum": acc.handle, "grad": tf.constant(g), **hyper(lr, l1, l2)}
                if rows > 1:
                    named["indices"] = tf.constant(indices)
                if op == "ftrl":
                    named |= {"linear": lin.handle, "lr_power": np.float32(-0.5)}
                    (raw.ResourceSparseApplyFtrl if rows > 1 else raw.ResourceApplyFtrl)(**named)
                else:
                    (raw.ResourceSparseApplyProximalAdagrad if rows > 1 else raw.ResourceApplyProximalAdagrad)(**named)
                step = {"indices": indices.tolist(), "g": words(g), "w": words(var), "acc": words(acc)}
                if op == "ftrl":
                    step["linear"] = words(lin)
                case["steps"].append(step)
            lines.append(json.dumps(case))

with open("tf_regularized.jsonl", "w", encoding="utf-8") as file:
    file.write("\n".join(lines) + "\n")
