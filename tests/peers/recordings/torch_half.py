"""Records steps of PyTorch's fused Adagrad on the CPU with bf16 and f16 parameters, gradients and accumulators.

Recorded with PyTorch 2.15.0: `pip install torch==2.15.0 && python torch_half.py`, in this folder. It writes
`torch_half.jsonl`. With `ATEN_CPU_CAPABILITY=avx2` in the environment it wrote the same, but for the field `cpu`.
"""

import json

import torch

SPECIAL = [0.0, -0.0, float("inf"), float("-inf"), float("nan"), 300.0, -65504.0, 6e-8, 1e-30, 1e-39, 3e38, 1.0]


def words(values):
    return "".join(f"{bits & 0xFFFF:04x}" for bits in values.detach().view(torch.int16).tolist())


def record(dtype, size, options, special):
    values = lambda: torch.randn(size) * 2.0 ** torch.randint(-6, 3, (size,))
    w = torch.nn.Parameter(values().to(dtype))
    optimizer = torch.optim.Adagrad([w], fused=True, **options)
    accumulator = optimizer.state[w]["sum"]
    case = {"dtype": str(dtype).removeprefix("torch."), "version": torch.__version__}
    case |= {"cpu": torch.backends.cpu.get_cpu_capability(), "hyper": options, "w0": words(w), "steps": []}
    for _ in range(2):
        grads = values()
        if special:
            grads[: len(SPECIAL)] = torch.tensor(SPECIAL)
            grads[-len(SPECIAL) :] = torch.tensor(SPECIAL)
        w.grad = grads.to(dtype)
        case["steps"].append({"g": words(w.grad)})
        optimizer.step()
        case["steps"][-1] |= {"w": words(w), "acc": words(accumulator)}
    return json.dumps(case, separators=(",", ":"))


torch.manual_seed(12)
lines = []
for dtype in (torch.bfloat16, torch.float16):
    for size, options, special in [
        (37, {"lr": 0.1}, False),
        (21, {"lr": 0.3, "weight_decay": 0.013, "lr_decay": 0.1, "eps": 1e-3}, False),
        (45, {"lr": 1e-2, "maximize": True, "initial_accumulator_value": 0.1}, True),
        (44, {"lr": 0.7}, True),
    ]:
        lines.append(record(dtype, size, options, special))

with open("torch_half.jsonl", "w", encoding="utf-8") as file:
    file.write("\n".join(lines) + "\n")
