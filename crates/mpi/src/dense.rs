//! Dense parameters whose accumulators and steps are divided over the ranks.

use std::ops::Range;

use adagrad::{Adagrad, Report};
use mpi::traits::CommunicatorCollectives;

use crate::Error;
use crate::agree::{Same, agree, rank, ranks};
use crate::exchange::{Parts, all_gather, all_to_all};
use crate::shape::{count, range};
use crate::table::check;
use crate::tree::{nodes, sum, sum_as_made};

/// Parameters that every rank has, with accumulators that are divided over the ranks: each steps its part, and gets those
/// of the others.
///
/// The gradient is the sum of a number of *parts* that you choose once, such as 16 parts of each batch. The ranks share the
/// parts, and add them up in an order that depends only on their number. So the bits depend on neither the number of ranks nor
/// on how messages travel. Rank `r` of `R` has the parts from `r·⌈parts/R⌉` on, ⌈parts/R⌉ of them, the last ranks fewer. Where
/// `R` and the parts are powers of two, and there are at least as many parts, each rank sends only one sum.
#[derive(Debug)]
pub struct ShardedDense<'c, C> {
    pub(crate) world: &'c C,
    parts: usize,
    pub(crate) params: Vec<f32>,
    pub(crate) accumulator: Vec<f32>,
    spare: Vec<Vec<f32>>,
    sends: Vec<f32>,
    receives: Vec<f32>,
}

impl<'c, C: CommunicatorCollectives> ShardedDense<'c, C> {
    /// Collective. `params` are the same on all ranks. Gradients will be sums of so many `parts`.
    ///
    /// # Errors
    ///
    /// [`Error::NoParts`]; [`Error::TooMany`] if a rank would send or receive more than 2³¹ − 1 values in a step;
    /// [`Error::Differs`] if an argument is not the same on all ranks.
    pub fn new(world: &'c C, parts: usize, params: Vec<f32>, initial_accumulator: f32) -> Result<Self, Error> {
        let (ranks, len) = (ranks(world), params.len());
        // FNV-1a of words.
        let hash = params.iter().fold(0xcbf2_9ce4_8422_2325_u64, |hash, value| {
            (hash ^ u64::from(value.to_bits())).wrapping_mul(0x0000_0100_0000_01b3)
        });
        let sums = (0..ranks).map(|rank| nodes(0..parts, &range(parts, rank, ranks)).len());
        let own = match parts {
            0 => Err(Error::NoParts),
            _ => count("what a rank sends in a step", sums.clone().max().unwrap_or(1), len)
                .and_then(|_| count("what a rank receives in a step", sums.sum(), len.div_ceil(ranks)))
                .map(drop),
        };
        let (what, bits) = ("parts, params or initial_accumulator", initial_accumulator.to_bits());
        agree(world, own, Same(what, format_args!("dense {parts} {len} {hash:x} {bits:x}")))?;
        let accumulator = vec![initial_accumulator; range(len, rank(world), ranks).len()];
        Ok(Self { world, parts, params, accumulator, spare: Vec::new(), sends: Vec::new(), receives: Vec::new() })
    }

    /// Collective. One step by the sum of all parts of the gradient. `part` is called for each of this rank's parts, which are
    /// [`Self::own_parts`], in order. It gets the part's index, the parameters, and as many zeros, and makes them the part's
    /// gradient.
    ///
    /// ```text
    /// sum(parts) = the only one, or sum(left) + sum(right)      left: as many as the greatest power of two below their number
    /// ```
    ///
    /// The result has the bits of [`Adagrad::step`] by this sum in one process. For the mean of the parts, set
    /// [`Adagrad::with_gradient_scale`] to `1/parts`. The report is of the parameters that this rank steps. The call needs memory
    /// for a few gradients: about the logarithm of the parts, to the base 2.
    ///
    /// # Errors
    ///
    /// All ranks return one, before `part` is called, and nothing has changed: [`Error::Refused`] on a rank whose options are
    /// not valid; [`Error::Elsewhere`] on the others; [`Error::Differs`] if the options differ.
    pub fn step(&mut self, opt: &Adagrad, mut part: impl FnMut(usize, &[f32], &mut [f32])) -> Result<Report, Error> {
        agree(self.world, check(opt), Same("opt", format_args!("dense step {opt:?}")))?;
        let (rank, ranks, len) = (rank(self.world), ranks(self.world), self.params.len());

        // Own sums, what is for rank 0 of them first.
        let mut sums = Vec::new();
        for node in nodes(0..self.parts, &self.own_parts()) {
            let mut sum = vec![0.0; len];
            let params = &self.params;
            sum_as_made(node, &mut sum, &mut self.spare, &mut |index, grads| part(index, params, grads));
            sums.push(sum);
        }
        self.sends.clear();
        for other in 0..ranks {
            for sum in &sums {
                self.sends.extend_from_slice(&sum[range(len, other, ranks)]);
            }
        }
        // Those of all ranks, for the parameters that this one steps.
        let own = range(len, rank, ranks);
        let pieces: Vec<Vec<_>> =
            (0..ranks).map(|rank| nodes(0..self.parts, &range(self.parts, rank, ranks))).collect();
        let lens: Vec<usize> = (0..ranks).map(|rank| range(len, rank, ranks).len()).collect();
        let sends = Parts::new(&lens, sums.len());
        let receives = Parts::new(&pieces.iter().map(Vec::len).collect::<Vec<_>>(), own.len());
        let pieces = pieces.concat();
        self.receives.resize(pieces.len() * own.len(), 0.0);
        all_to_all(self.world, (&self.sends, &sends), (&mut self.receives, &receives));

        sum(0..self.parts, &pieces, &mut self.receives, own.len());
        let (params, grads) = (&mut self.params[own.clone()], &self.receives[..own.len()]);
        #[cfg(feature = "rayon")]
        let report = opt.par_step(params, grads, &mut self.accumulator)?;
        #[cfg(not(feature = "rayon"))]
        let report = opt.step(params, grads, &mut self.accumulator)?;
        let stepped = params.to_vec();
        all_gather(self.world, &stepped, &mut self.params, &Parts::new(&lens, 1));
        Ok(report)
    }

    /// The parts of a gradient that this rank gives to [`ShardedDense::step`].
    #[must_use]
    pub fn own_parts(&self) -> Range<usize> {
        range(self.parts, rank(self.world), ranks(self.world))
    }

    /// The parameters that this rank steps, and whose accumulators it has.
    #[must_use]
    pub fn own(&self) -> Range<usize> {
        range(self.params.len(), rank(self.world), ranks(self.world))
    }

    /// All parameters.
    #[must_use]
    pub fn params(&self) -> &[f32] {
        &self.params
    }

    /// The accumulators of this rank's parameters.
    #[must_use]
    pub fn accumulator(&self) -> &[f32] {
        &self.accumulator
    }
}
