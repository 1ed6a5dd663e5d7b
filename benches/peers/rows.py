"""Steps of some rows of a table: who takes part, on the same arrays."""

import numpy as np
import torch

import crate
from arrays import empty, gradients, numbers

RATE, EPSILON = 1e-4, 1e-8


class Work:
    """Random rows of a table, some of them more than once, and a gradient for each; or, with bags of several, no row twice,
    and a gradient for each bag."""

    def __init__(self, table_rows, dim, count, row_wise, bag=1):
        random = np.random.default_rng(3)
        self.params = numbers(random, table_rows * dim).reshape(table_rows, dim)
        self.accumulator = numbers(random, table_rows if row_wise else table_rows * dim, 11)
        self.rows = empty(count, np.uint64)
        self.rows[:] = random.choice(table_rows, count, replace=bag == 1)
        self.offsets = np.arange(0, count + 1, bag, dtype=np.uint64)
        self.grads = gradients(random, count // bag * dim, 5).reshape(count // bag, dim)
        self.bag = bag
        self.table = (self.params, self.accumulator, row_wise)


def each_row(work):
    """A gradient for each row: copies, where they share one."""
    return work.grads if work.bag == 1 else np.repeat(work.grads, work.bag, axis=0)


def torch_sparse(work):
    """What `torch.nn.Embedding(sparse=True)` and its backward pass hand to the optimizer."""
    param = torch.nn.Parameter(torch.from_numpy(work.params))
    optimizer = torch.optim.Adagrad([param], lr=RATE, eps=EPSILON)
    rows = torch.from_numpy(work.rows.view(np.int64)).unsqueeze(0)
    grads = torch.from_numpy(each_row(work))
    param.grad = torch.sparse_coo_tensor(rows, grads, param.shape, check_invariants=False)
    optimizer.state[param]["sum"] = torch.from_numpy(work.accumulator).view(param.shape)
    return optimizer.step


def fbgemm(work):
    """FBGEMM's table-batched embedding, whose backward pass makes the step. A row alone is a bag."""
    from fbgemm_gpu.split_embedding_configs import EmbOptimType
    from fbgemm_gpu.split_table_batched_embeddings_ops_common import EmbeddingLocation
    from fbgemm_gpu.split_table_batched_embeddings_ops_training import ComputeDevice
    from fbgemm_gpu.split_table_batched_embeddings_ops_training import SplitTableBatchedEmbeddingBagsCodegen as Tables

    row_wise = work.table[2]
    kind = EmbOptimType.EXACT_ROWWISE_ADAGRAD if row_wise else EmbOptimType.EXACT_ADAGRAD
    shape = [(*work.params.shape, EmbeddingLocation.HOST, ComputeDevice.CPU)]
    tables = Tables(shape, optimizer=kind, learning_rate=RATE, eps=EPSILON)
    tables.weights_host.data = torch.from_numpy(work.params).view(-1)
    tables.momentum1_host.data = torch.from_numpy(work.accumulator)
    rows = torch.from_numpy(work.rows.view(np.int64))
    pooled = tables(rows, torch.from_numpy(work.offsets.view(np.int64)))
    grads = torch.from_numpy(work.grads)
    return lambda: pooled.backward(grads, retain_graph=True)


def naive(work):
    return crate.naive_rows(work.table, work.rows, each_row(work), RATE, EPSILON)


def in_turn(work):
    return crate.step_rows(crate.preset("fbgemm", RATE), work.table, work.rows, work.grads)


def in_bags(work):
    return crate.step_bags(crate.preset("fbgemm", RATE), work.table, work.rows, work.offsets, work.grads)


def coalesced(work):
    return crate.coalesced_rows(crate.preset("fbgemm", RATE), work.table, work.rows, work.grads)


def makers(row_wise, bag=1):
    """By name: what makes a function for work. A call of that function steps the rows once."""
    ours = {"adagrad, in turn": in_turn, "adagrad, summed": coalesced} if bag == 1 else {"adagrad": in_bags}
    found = {"naive": naive, **ours, "FBGEMM": fbgemm}
    return found if row_wise else {**found, "torch, sparse": torch_sparse}


def why_not_fbgemm():
    """Why FBGEMM cannot take part here; nothing if it can."""
    try:
        import fbgemm_gpu  # noqa: F401
    except Exception as why:  # whatever keeps another project's library from loading
        return f"{type(why).__name__}: {why}".splitlines()[0]
    return None
