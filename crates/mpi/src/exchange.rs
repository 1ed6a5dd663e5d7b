//! Sends rows to the ranks that own them, and values with them or back.

use adagrad::partition;
use mpi::Count;
use mpi::datatype::{Partition, PartitionMut};
use mpi::traits::{CommunicatorCollectives, Equivalence};

use crate::Error;
use crate::agree::{Same, agree, ranks};
use crate::shape::{Place, count};

/// Who owns which rows, and buffers, which grow to what a call needs and stay.
#[derive(Debug)]
pub(crate) struct Exchange<'c, C> {
    pub(crate) world: &'c C,
    pub(crate) place: Place,
    /// How many rows go to each rank, and how many come from each.
    sends: Vec<usize>,
    receives: Vec<Count>,
    send_rows: Vec<u64>,
    send_values: Vec<f32>,
    /// The rows that came, as indices of this rank's shard: those of rank 0 first, each rank's in its order.
    pub(crate) rows: Vec<u64>,
    /// The values that came with them.
    pub(crate) values: Vec<f32>,
}

impl<'c, C: CommunicatorCollectives> Exchange<'c, C> {
    pub(crate) fn new(world: &'c C, place: Place) -> Self {
        Self {
            world,
            place,
            sends: vec![0; ranks(world)],
            receives: vec![0; ranks(world)],
            send_rows: Vec::new(),
            send_values: Vec::new(),
            rows: Vec::new(),
            values: Vec::new(),
        }
    }

    /// Collective. Sorts `rows` and `values`, `width` of them for each row, by owner, and tells the owners how many rows come.
    /// All ranks agree on whether all of this is valid, with `own` and `same`. The messages that follow may have `dim` values
    /// for each row.
    pub(crate) fn prepare(
        &mut self,
        rows: &[u64],
        values: &[f32],
        width: usize,
        dim: usize,
        own: Result<(), Error>,
        same: Same<'_>,
    ) -> Result<(), Error> {
        self.sends.fill(0);
        let own = own.and_then(|()| {
            count("what this rank sends", rows.len(), dim)?;
            self.send_rows.resize(rows.len(), 0);
            self.send_values.resize(values.len(), 0.0);
            let (to_rows, to_values) = (&mut self.send_rows, &mut self.send_values);
            Ok(partition(rows, values, width, self.place.owners(), to_rows, to_values, &mut self.sends)?)
        });
        let counts: Vec<Count> = self.sends.iter().map(|rows| *rows as Count).collect();
        self.world.all_to_all_into(&counts[..], &mut self.receives[..]);
        let received = self.receives.iter().map(|rows| *rows as usize).sum();
        let own = own.and_then(|()| count("what this rank receives", received, dim).map(drop));
        agree(self.world, own, same)?;
        self.rows.resize(received, 0);
        Ok(())
    }

    /// Collective. Sends the rows that have been prepared to their owners.
    pub(crate) fn send_rows(&mut self) {
        let (sends, receives) = (Parts::new(&self.sends, 1), Parts::new(&self.receives, 1));
        all_to_all(self.world, (&self.send_rows, &sends), (&mut self.rows, &receives));
    }

    /// Collective. Sends the values that have been prepared, `width` for each row, to the rows' owners.
    pub(crate) fn send_values(&mut self, width: usize) {
        self.values.resize(self.rows.len() * width, 0.0);
        let (sends, receives) = (Parts::new(&self.sends, width), Parts::new(&self.receives, width));
        all_to_all(self.world, (&self.send_values, &sends), (&mut self.values, &receives));
    }

    /// Collective. Sends `self.values`, `width` for each row that came, back to where the rows came from. `out` gets them in
    /// the order of `rows`, which are those that were prepared.
    pub(crate) fn answer(&mut self, rows: &[u64], out: &mut [f32], width: usize) {
        self.send_values.resize(rows.len() * width, 0.0);
        let (sends, receives) = (Parts::new(&self.receives, width), Parts::new(&self.sends, width));
        all_to_all(self.world, (&self.values, &sends), (&mut self.send_values, &receives));
        // The rows were sorted by owner. So each is the next one of its owner's.
        let mut next: Vec<usize> = receives.starts.iter().map(|start| *start as usize).collect();
        for (row, out) in rows.iter().zip(out.chunks_exact_mut(width)) {
            if let Some((owner, _)) = self.place.owners().local(*row as usize) {
                out.copy_from_slice(&self.send_values[next[owner]..][..width]);
                next[owner] += width;
            }
        }
    }
}

/// The values for each rank, or of each, and where they start.
pub(crate) struct Parts {
    counts: Vec<Count>,
    starts: Vec<Count>,
}

impl Parts {
    /// So many `rows` for each rank, with `width` values each. MPI can count their sum, which has been checked.
    pub(crate) fn new<T: Copy + TryInto<usize>>(rows: &[T], width: usize) -> Self {
        let mut start = 0;
        let (mut counts, mut starts) = (Vec::with_capacity(rows.len()), Vec::with_capacity(rows.len()));
        for rows in rows {
            let count = ((*rows).try_into().unwrap_or(0) * width) as Count;
            counts.push(count);
            starts.push(start);
            start += count;
        }
        Self { counts, starts }
    }
}

/// Collective. Each rank's part of `from` goes to it, and its part for this rank comes `to` its place.
pub(crate) fn all_to_all<C: CommunicatorCollectives, T: Equivalence>(
    world: &C,
    (from, sends): (&[T], &Parts),
    (to, receives): (&mut [T], &Parts),
) {
    world.all_to_all_varcount_into(
        &Partition::new(from, &sends.counts[..], &sends.starts[..]),
        &mut PartitionMut::new(to, &receives.counts[..], &receives.starts[..]),
    );
}

/// Collective. Each rank's `own` values come to their place in `to`, on all ranks.
pub(crate) fn all_gather<C: CommunicatorCollectives>(world: &C, own: &[f32], to: &mut [f32], parts: &Parts) {
    world.all_gather_varcount_into(own, &mut PartitionMut::new(to, &parts.counts[..], &parts.starts[..]));
}
