"""Dense steps: who takes part, on the same arrays."""

from functools import partial

import torch
from torch.optim.adagrad import adagrad

import crate
from with_numpy import EPSILON, RATE, numpy_in_blocks, numpy_whole


def torch_optimizer(tensors, **way):
    """An optimizer whose parameters, gradients and accumulators are the memory of these arrays."""
    params = [torch.nn.Parameter(torch.from_numpy(w)) for w, _, _ in tensors]
    optimizer = torch.optim.Adagrad(params, lr=RATE, eps=EPSILON, **way)
    for param, (_, g, a) in zip(params, tensors):
        param.grad = torch.from_numpy(g)
        optimizer.state[param]["sum"] = torch.from_numpy(a)
    return optimizer


def torch_function(tensors):
    """The same by the function that the optimizer calls, without what else it does."""
    lists = [[torch.from_numpy(array) for array in arrays] for arrays in zip(*tensors)]
    w, g, a = lists
    steps = [torch.tensor(0.0) for _ in w]
    numbers = {"lr": RATE, "weight_decay": 0.0, "lr_decay": 0.0, "eps": EPSILON, "maximize": False}
    return partial(adagrad, w, g, a, steps, fused=True, has_sparse_grad=False, **numbers)


def torch_compiled(tensors):
    """PyTorch's recipe for compiled optimizers."""
    torch.compiler.reset()
    optimizer = torch_optimizer(tensors, foreach=True)
    return torch.compile(optimizer.step, fullgraph=False)


TORCH_NAME = "torch, "
TORCH = {
    "for-loop": lambda tensors: torch_optimizer(tensors, foreach=False).step,
    "foreach": lambda tensors: torch_optimizer(tensors, foreach=True).step,
    "fused": lambda tensors: torch_optimizer(tensors, fused=True).step,
    "fused, as a function": torch_function,
    "compiled": torch_compiled,
}


def each(make):
    """A function that makes one step of each tensor."""

    def of_all(tensors):
        calls = [make(*arrays) for arrays in tensors]
        return calls[0] if len(calls) == 1 else lambda: sum(call() or 0 for call in calls)

    return of_all


def makers(threads=1, compiled=True):
    """By name: what makes a function for tensors, each of which is parameters, gradients and accumulators. A call of that
    function is a step of all of them."""
    torch_makers = {TORCH_NAME + name: make for name, make in TORCH.items() if compiled or make is not torch_compiled}
    options = crate.preset("pytorch", RATE)
    if threads > 1:
        in_threads = each(lambda w, g, a: crate.step_in_threads(options, w, g, a, threads))
        return {"adagrad, one thread": each(partial(crate.step, options)), "adagrad, a call a thread": in_threads, **torch_makers}
    return {
        "naive": each(lambda w, g, a: crate.naive_step(w, g, a, RATE, EPSILON)),
        "adagrad": each(partial(crate.step, options)),
        "NumPy": each(numpy_whole),
        "NumPy in blocks": each(numpy_in_blocks),
        **torch_makers,
    }
