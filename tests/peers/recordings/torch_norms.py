"""Records PyTorch's limit on the norms of an embedding's rows, on the CPU.

Recorded with PyTorch 2.14.1: `pip install torch==2.14.1 && python torch_norms.py`, in this folder. It writes
`torch_norms.jsonl`.
"""

import json

import torch

ROWS = 6


def words(values):
    return "".join(f"{bits & 0xFFFFFFFF:08x}" for bits in values.reshape(-1).view(torch.int32).tolist())


torch.manual_seed(13)
lines = []
for dim in [1, 2, 3, 5, 8, 17, 33, 64]:
    for max_norm, size in [(1.0, 1.0), (0.5, 10.0), (1.0, 1e-3), (1e4, 1e6), (0.0, 1.0)]:
        w = torch.randn(ROWS, dim) * size
        indices = torch.tensor([4, 0, 5, 4])
        case = {"version": torch.__version__, "dim": dim, "max_norm": words(torch.tensor([max_norm]))}
        case |= {"indices": indices.tolist(), "w0": words(w)}
        torch.embedding_renorm_(w, indices, max_norm, 2.0)
        lines.append(json.dumps(case | {"w": words(w)}, separators=(",", ":")))
with open("torch_norms.jsonl", "w") as file:
    file.write("\n".join(lines) + "\n")
