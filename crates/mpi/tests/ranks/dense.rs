//! Dense parameters: the bits of one process that sums the parts in the documented order.

use adagrad::Adagrad;
use adagrad_mpi::ShardedDense;
use mpi::topology::SimpleCommunicator;

use crate::Context;
use crate::inputs::{assert_same, value};

const STEPS: usize = 5;
const PAUSE: usize = 2;

/// Numbers of parts, and of parameters.
const CASES: [(usize, usize); 6] = [(8, 1003), (5, 1003), (1, 10), (16, 3), (3, 0), (7, 4096)];

fn opt() -> Adagrad {
    Adagrad::pytorch(0.1).with_gradient_scale(0.25)
}

fn initial(len: usize) -> Vec<f32> {
    (0..len).map(|at| value(at, len, 5)).collect()
}

fn partial(step: usize, part: usize, len: usize) -> Vec<f32> {
    (0..len).map(|at| value(step, part, 6 + at)).collect()
}

/// The sum of some parts, as the documentation says.
fn sum(parts: &[Vec<f32>]) -> Vec<f32> {
    if let [only] = parts {
        return only.clone();
    }
    let mut half = 1;
    while half * 2 < parts.len() {
        half *= 2;
    }
    let (left, right) = (sum(&parts[..half]), sum(&parts[half..]));
    left.iter().zip(&right).map(|(left, right)| left + right).collect()
}

/// One process after so many steps.
fn whole(parts: usize, len: usize, steps: usize) -> (Vec<f32>, Vec<f32>) {
    let (mut params, mut accumulator) = (initial(len), vec![0.25; len]);
    for t in 0..steps {
        let grads = sum(&(0..parts).map(|part| partial(t, part, len)).collect::<Vec<_>>());
        opt().step(&mut params, &grads, &mut accumulator).expect("valid");
    }
    (params, accumulator)
}

fn compare(dense: &ShardedDense<'_, SimpleCommunicator>, (params, accumulator): &(Vec<f32>, Vec<f32>), what: &str) {
    assert_same(dense.params(), params, what);
    assert_same(dense.accumulator(), &accumulator[dense.own()], what);
}

fn step(dense: &mut ShardedDense<'_, SimpleCommunicator>, t: usize) {
    let (before, mut next) = (dense.params().to_vec(), dense.own_parts());
    let part = |part, params: &[f32], grads: &mut [f32]| {
        assert_eq!(Some(part), next.next());
        assert_same(params, &before, "the parameters that a part's gradient is of");
        assert_same(grads, &vec![0.0; params.len()], "a gradient before it is made");
        grads.copy_from_slice(&partial(t, part, params.len()));
    };
    dense.step(&opt(), part).expect("valid");
    assert_eq!(next.next(), None);
}

fn file(context: &Context<'_>, parts: usize, len: usize) -> std::path::PathBuf {
    context.folder.join(format!("dense {parts} {len}.safetensors"))
}

pub fn steps(context: &Context<'_>) {
    for (parts, len) in CASES {
        let what = format!("{parts} parts of {len}, rank {} of {}", context.rank, context.ranks);
        let mut dense = ShardedDense::new(context.world, parts, initial(len), 0.25).expect("valid");
        for t in 0..STEPS {
            if t == PAUSE {
                dense.save(&file(context, parts, len)).expect("saved");
            }
            step(&mut dense, t);
            compare(&dense, &whole(parts, len, t + 1), &what);
        }
    }
}

pub fn resume(context: &Context<'_>) {
    for (parts, len) in CASES {
        let what = format!("{parts} parts of {len} resumed, rank {} of {}", context.rank, context.ranks);
        let mut dense = ShardedDense::load(context.world, parts, &file(context, parts, len)).expect("loaded");
        for t in PAUSE..STEPS {
            step(&mut dense, t);
        }
        compare(&dense, &whole(parts, len, STEPS), &what);
    }
}
