//! Steps of 16-bit types and with L1 and L2, for `.ci/run`, which looks for calls in their loops: generic functions are
//! compiled where they are used.

use adagrad::{Adagrad, Bags, Error, Ftrl, MixedTable, Proximal, Report, Rounding, Table};
use half::{bf16, f16};

macro_rules! steps {
    ($($name:ident: $P:ty, $G:ty, $A:ty;)*) => {$(
        pub mod $name {
            use super::*;

            pub fn dense(opt: &Adagrad, w: &mut [$P], g: &[$G], a: &mut [$A], by: Rounding) -> Result<Report, Error> {
                opt.step_mixed(w, g, a, by)
            }

            pub fn rows(
                opt: &Adagrad,
                table: &mut MixedTable<'_, $P, $A>,
                rows: &[u32],
                g: &[$G],
                by: Rounding,
            ) -> Result<Report, Error> {
                opt.step_mixed_rows(table, rows, g, by)
            }

            pub fn bags(
                opt: &Adagrad,
                table: &mut MixedTable<'_, $P, $A>,
                bags: &Bags<'_, u32>,
                g: &[$G],
                scratch: &mut [f32],
                by: Rounding,
            ) -> Result<Report, Error> {
                opt.step_mixed_bags(table, bags, g, scratch, by)
            }
        }
    )*};
}
steps! {
    all_bf16: bf16, bf16, bf16;
    all_f16: f16, f16, f16;
    one_of_each: f32, bf16, f16;
}

pub fn ftrl(step: &Ftrl, slices: [&mut [f32]; 3], g: &[f32]) -> Result<(), Error> {
    let [w, a, z] = slices;
    step.step(w, g, a, z)
}

pub fn ftrl_rows(step: &Ftrl, table: &mut Table<'_>, z: &mut [f32], rows: &[u32], g: &[f32]) -> Result<Report, Error> {
    step.step_rows(table, z, rows, g)
}

pub fn proximal(step: &Proximal, w: &mut [f32], a: &mut [f32], g: &[f32]) -> Result<(), Error> {
    step.step(w, g, a)
}

pub fn proximal_rows(step: &Proximal, table: &mut Table<'_>, rows: &[u32], g: &[f32]) -> Result<Report, Error> {
    step.step_rows(table, rows, g)
}
