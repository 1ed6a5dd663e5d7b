//! 16-bit types: the crate's forms of their tables, and what their steps do with slices.

use adagrad_rs::{Adagrad, Bags as RustBags, Element, Error, MixedTable, Rounding, RowIndex};
use half::{bf16, f16};

use crate::calls::{self, Outcome};
use crate::steps::Steps;
use crate::table::{Bags, Layout, Over, Table, over};

macro_rules! sixteen_bits {
    ($($T:ty)*) => {$(
        impl Over<$T, $T> for Table<$T, $T> {
            type Rust<'a> = MixedTable<'a, $T, $T>;

            fn over<'a>(&self, params: &'a mut [$T], accumulator: &'a mut [$T]) -> Result<Self::Rust<'a>, Error> {
                over!(self, MixedTable, params, accumulator, {
                    if self.layout == Layout::Interleaved as u8 {
                        MixedTable::interleaved(params, self.dim)
                    } else {
                        MixedTable::interleaved_row_wise(params, self.dim)
                    }
                })
            }
        }

        impl Over<$T, f32> for Table<$T, f32> {
            type Rust<'a> = MixedTable<'a, $T, f32>;

            fn over<'a>(&self, params: &'a mut [$T], accumulator: &'a mut [f32]) -> Result<Self::Rust<'a>, Error> {
                // `lengths` has refused the other layouts.
                over!(self, MixedTable, params, accumulator, Err(Error::ZeroDim))
            }
        }
    )*};
}
sixteen_bits!(bf16 f16);

/// The steps that round so.
pub struct Rounded(pub Rounding);

impl<P: Element, G: Element, A: Element> Steps<P, G, A> for Rounded
where
    Table<P, A>: for<'a> Over<P, A, Rust<'a> = MixedTable<'a, P, A>>,
{
    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn dense(self, options: &Adagrad, params: &mut [P], grads: &[G], sums: &mut [A]) -> Outcome {
        calls::outcome(options.step_mixed(params, grads, sums, self.0))
    }

    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn rows<I: RowIndex>(
        self,
        options: &Adagrad,
        table: &mut MixedTable<'_, P, A>,
        rows: &[I],
        grads: &[G],
    ) -> Outcome {
        calls::outcome(options.step_mixed_rows(table, rows, grads, self.0))
    }

    #[cfg_attr(target_os = "none", inline(never))]
    #[cfg_attr(not(target_os = "none"), inline(always))]
    fn bags<I: RowIndex>(
        self,
        options: &Adagrad,
        table: &mut MixedTable<'_, P, A>,
        bags: Result<RustBags<'_, I>, Error>,
        grads: &[G],
        scratch: &mut [f32],
    ) -> Outcome {
        calls::outcome(bags.and_then(|bags| options.step_mixed_bags(table, &bags, grads, scratch, self.0)))
    }

    #[inline(always)]
    fn room<I>(table: &Table<P, A>, _: &Bags<I>) -> usize {
        table.columns
    }
}
