//! The steps with L1 and L2, dense and on rows, on one thread and on several, on every backend, against the naive ones.
#![no_main]

#[allow(dead_code, reason = "the other targets use the rest")]
mod input;
#[allow(dead_code, reason = "the other targets use the rest")]
#[path = "../../tests/reference/mod.rs"]
mod reference;
#[path = "../../tests/reference/regularized.rs"]
mod regularized_reference;

use adagrad::{Backend, Error, Ftrl, Proximal, Report, Table};
use input::{Input, count as counted};
use libfuzzer_sys::fuzz_target;
use reference::assert_same;
use regularized_reference::{Rates, ftrl, proximal};

fuzz_target!(|bytes: &[u8]| {
    let mut input = Input::new(bytes);
    let [rate, l1, l2] = [(); 3].map(|()| input.hyperparameter());
    let dense = input.any::<bool>();
    // From 2¹⁸ on, (dim + 16)·count is divided among threads. It takes the fewest values where rows are short.
    let (dim, table_rows, count) = if !dense && input.one_in(512) {
        let dim = 1 + input.below(4);
        (dim, input.below(2000), (1 << 18) / (dim + 16) + input.below(64) - 32)
    } else {
        (input.below(40), input.below(12), input.below(24))
    };
    let len = table_rows * dim;
    let rows: Vec<u32> = match dense {
        true => (0..table_rows as u32).collect(),
        false => (0..count).map(|_| row(&mut input, table_rows) as u32).collect(),
    };
    let padding = if input.one_in(4) { Some(input.below(table_rows + 2)) } else { None };
    let skips = input.one_in(4);
    let pool = input.pool();
    let lengths = [len, len, len, rows.len() * dim].map(|len| input.length(len));
    let [mut w, mut a, mut z, g] = lengths.map(|len| input.numbers(len));

    let g = g.given();
    let bad = |x: f32| !(0.0..=f32::MAX).contains(&x);
    let bad_shape = !dense && (dim == 0 || lengths[0] % dim != 0 || lengths[3] != rows.len() * dim);
    let is_padding = |row: u32| padding == Some(row as usize);
    let inside = |row: u32| (row as usize) < lengths[0].checked_div(dim).unwrap_or(0);
    let outside = if dense { 0 } else { rows.iter().filter(|row| !inside(**row) && !is_padding(**row)).count() };
    let fault = bad(rate) || bad(l1) || bad(l2) || bad_shape || lengths[1] != lengths[0];
    let fault = fault || (dense && lengths[3] != lengths[0]) || (!skips && outside > 0);

    for with_linear in [true, false] {
        let fault = fault || (with_linear && (rate == 0.0 || lengths[2] != lengths[0]));
        let mut expected = [w.given().to_vec(), a.given().to_vec(), z.given().to_vec()];
        if !fault {
            let [w, a, z] = &mut expected;
            let mut one = |at: usize, g: f32| {
                let rates = Rates(rate, l1, l2);
                if with_linear {
                    ftrl(rates, g, &mut w[at], &mut a[at], &mut z[at])
                } else {
                    proximal(rates, g, &mut w[at], &mut a[at])
                }
            };
            for (position, g) in g.iter().enumerate() {
                if dense {
                    one(position, *g);
                } else if inside(rows[position / dim]) && !is_padding(rows[position / dim]) {
                    one(rows[position / dim] as usize * dim + position % dim, *g);
                }
            }
        }
        for (backend, divided) in Backend::available().flat_map(|backend| [(backend, false), (backend, true)]) {
            counted(g.len());
            let (params, accumulator, linear) = (w.fresh(), a.fresh(), z.fresh());
            let table = |params, accumulator| -> Result<Table<'_>, Error> {
                let table = Table::new(params, accumulator, dim)?.with_out_of_range_skipped(skips);
                Ok(if let Some(row) = padding { table.with_padding_row(row) } else { table })
            };
            let result = pool.install(|| {
                let no_report = |()| Report::default();
                if with_linear {
                    let step = Ftrl::new(rate).with_l1(l1).with_l2(l2).with_backend(backend);
                    match (dense, divided) {
                        (true, false) => step.step(params, g, accumulator, linear).map(no_report),
                        (true, true) => step.par_step(params, g, accumulator, linear).map(no_report),
                        (false, false) => step.step_rows(&mut table(params, accumulator)?, linear, &rows, g),
                        (false, true) => step.par_step_rows(&mut table(params, accumulator)?, linear, &rows, g),
                    }
                } else {
                    let step = Proximal::new(rate).with_l1(l1).with_l2(l2).with_backend(backend);
                    match (dense, divided) {
                        (true, false) => step.step(params, g, accumulator).map(no_report),
                        (true, true) => step.par_step(params, g, accumulator).map(no_report),
                        (false, false) => step.step_rows(&mut table(params, accumulator)?, &rows, g),
                        (false, true) => step.par_step_rows(&mut table(params, accumulator)?, &rows, g),
                    }
                }
            });
            assert_eq!(result.is_err(), fault, "{result:?}");
            if fault {
                for buffer in [&w, &a, &z] {
                    buffer.assert_untouched();
                }
            } else {
                assert_eq!(result.map(|report| (report.out_of_range, report.skipped)), Ok((outside, 0)));
                for (buffer, expected) in [&w, &a, &z].into_iter().zip(&expected) {
                    assert_same(buffer.written(), expected, backend);
                }
            }
        }
    }
});

/// Mostly a row of the table, if it has any.
fn row(input: &mut Input<'_>, table_rows: usize) -> usize {
    let outside = usize::from(input.one_in(16));
    input.below((table_rows + outside).max(1))
}
