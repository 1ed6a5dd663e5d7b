//! What steps do with slices, once C's pointers have been checked: those of floats here, those of 16 bits in `sixteen.rs`.

use adagrad_rs::{Adagrad, Bags as RustBags, Error, RowIndex, Table as RustTable};

use crate::calls::{self, Outcome};
use crate::table::{Bags, Over, Table, Value};

/// The crate's form of a table.
type Rust<'a, P, A> = <Table<P, A> as Over<P, A>>::Rust<'a>;

/// The steps of parameters, gradients and accumulators of these types. A trait and not closures, since these are not inlined
/// where code is optimized for size.
pub trait Steps<P: Value, G, A: Value>: Sized
where
    Table<P, A>: Over<P, A>,
{
    fn dense(self, options: &Adagrad, params: &mut [P], grads: &[G], sums: &mut [A]) -> Outcome;

    fn rows<I: RowIndex>(self, options: &Adagrad, table: &mut Rust<'_, P, A>, rows: &[I], grads: &[G]) -> Outcome;

    fn bags<I: RowIndex>(
        self,
        options: &Adagrad,
        table: &mut Rust<'_, P, A>,
        bags: Result<RustBags<'_, I>, Error>,
        grads: &[G],
        scratch: &mut [f32],
    ) -> Outcome;

    /// How many values `scratch` has in a step of bags.
    fn room<I>(table: &Table<P, A>, bags: &Bags<I>) -> usize;
}

pub struct Floats;

impl Steps<f32, f32, f32> for Floats {
    #[inline(always)]
    fn dense(self, options: &Adagrad, params: &mut [f32], grads: &[f32], sums: &mut [f32]) -> Outcome {
        calls::step(options, params, grads, sums)
    }

    #[inline(always)]
    fn rows<I: RowIndex>(self, options: &Adagrad, table: &mut RustTable<'_>, rows: &[I], grads: &[f32]) -> Outcome {
        calls::outcome(options.step_rows(table, rows, grads))
    }

    #[inline(always)]
    fn bags<I: RowIndex>(
        self,
        options: &Adagrad,
        table: &mut RustTable<'_>,
        bags: Result<RustBags<'_, I>, Error>,
        grads: &[f32],
        scratch: &mut [f32],
    ) -> Outcome {
        calls::outcome(bags.and_then(|bags| options.step_bags(table, &bags, grads, scratch)))
    }

    /// Without a factor, gradients are used where they are.
    #[inline(always)]
    fn room<I>(table: &Table<f32, f32>, bags: &Bags<I>) -> usize {
        if bags.are_scaled() { table.columns } else { 0 }
    }
}
