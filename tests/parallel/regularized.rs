//! Steps with L1 and L2 on several threads: the bits of the naive ones, dense and on rows.

use adagrad::{Backend, Error, Ftrl, Proximal, Table};
use rayon::ThreadPool;

use super::inputs::{Random, State};
use super::reference::assert_same;
use super::regularized_reference::{Rates, ftrl, proximal};
use super::{MIN_DENSE, MIN_ROWS, indices, pool, pools};

const RATES: Rates = Rates(0.1, 0.05, 0.5);

fn steps(backend: Backend) -> (Ftrl, Proximal) {
    let Rates(rate, l1, l2) = RATES;
    let (ftrl, proximal) = (Ftrl::new(rate), Proximal::new(rate));
    (ftrl.with_l1(l1).with_l2(l2).with_backend(backend), proximal.with_l1(l1).with_l2(l2).with_backend(backend))
}

/// Parameters, accumulators and linear terms.
fn slices(len: usize) -> [Vec<f32>; 3] {
    let State { params, accumulator, .. } = State::new(len, 5, Random::sprinkled);
    [params, accumulator, State::new(len, 6, Random::sprinkled).params]
}

#[test]
fn dense() {
    for len in [0, 1, 4095, MIN_DENSE - 1, MIN_DENSE, MIN_DENSE + 333_333] {
        let before = slices(len);
        let grads = State::new(len, 7, Random::sprinkled).grads;
        let (mut with_linear, mut without) = (before.clone(), before.clone());
        for (i, g) in grads.iter().enumerate() {
            let [w, a, z] = &mut with_linear;
            ftrl(RATES, *g, &mut w[i], &mut a[i], &mut z[i]);
            let [w, a, _] = &mut without;
            proximal(RATES, *g, &mut w[i], &mut a[i]);
        }
        let (ftrl, proximal) = steps(Backend::detected());
        for pool in pools() {
            let context = format!("{} threads, {len} elements", pool.current_num_threads());
            let [mut w, mut a, mut z] = before.clone();
            pool.install(|| ftrl.par_step(&mut w, &grads, &mut a, &mut z)).expect("valid");
            assert_same(&[w, a, z].concat(), &with_linear.concat(), &context);
            let [mut w, mut a, z] = before.clone();
            pool.install(|| proximal.par_step(&mut w, &grads, &mut a)).expect("valid");
            assert_same(&[w, a, z].concat(), &without.concat(), &context);
        }
    }
}

/// Rows of a table with a padding row, and their gradients. From one row to the next there are `width` values.
struct Rows {
    table_rows: usize,
    dim: usize,
    width: usize,
    rows: Vec<u32>,
    grads: Vec<f32>,
}

impl Rows {
    fn padding_row(&self) -> usize {
        self.table_rows / 2
    }

    /// Takes the naive steps.
    fn naive(&self, [w, a, z]: &mut [Vec<f32>; 3], is_ftrl: bool) {
        for (row, g) in self.rows.iter().map(|row| *row as usize).zip(self.grads.chunks(self.dim)) {
            if row >= self.table_rows || row == self.padding_row() {
                continue;
            }
            for (i, g) in (row * self.width..).zip(g) {
                match is_ftrl {
                    true => ftrl(RATES, *g, &mut w[i], &mut a[i], &mut z[i]),
                    false => proximal(RATES, *g, &mut w[i], &mut a[i]),
                }
            }
        }
    }

    /// Takes the steps on the pool's threads, of a table in one slice or in two.
    fn divided(
        &self,
        [w, a, z]: &mut [Vec<f32>; 3],
        is_ftrl: bool,
        backend: Backend,
        interleaved: bool,
        pool: &ThreadPool,
    ) {
        let width = self.width;
        let rows = w.chunks(width).zip(a.chunks(width));
        let mut memory: Vec<f32> = rows.flat_map(|(w, a)| [w, a].concat()).collect();
        let table = if interleaved { Table::interleaved(&mut memory, width) } else { Table::new(w, a, width) };
        let table = table.expect("its shape fits").with_padding_row(self.padding_row()).with_out_of_range_skipped(true);
        // A table with as many columns as it has is a plain one no more.
        let plain = self.dim == width;
        let mut table = if plain { table } else { table.with_columns(self.dim).expect("not more than there are") };
        let (ftrl, proximal) = steps(backend);
        let report = pool.install(|| match is_ftrl {
            true => ftrl.par_step_rows(&mut table, z, &self.rows, &self.grads),
            false => proximal.par_step_rows(&mut table, &self.rows, &self.grads),
        });
        let out_of_range = self.rows.iter().filter(|row| **row as usize >= self.table_rows).count();
        assert_eq!(report.expect("valid").out_of_range, out_of_range);
        if interleaved {
            let halves = |from: usize| memory.chunks(2 * width).flat_map(move |row| &row[from..from + width]);
            (*w, *a) = (halves(0).copied().collect(), halves(width).copied().collect());
        }
    }
}

/// Tables whose rows lie one after the other, apart, or with their accumulators in one slice.
#[test]
fn rows() {
    let pools = [pool(1), pool(2), pool(5)];
    for (table_rows, dim) in [(1, 300), (5, 64), (1500, 16), (3000, 4), (9000, 2), (30_000, 1), (1000, 37)] {
        for (skewed, padding) in [(false, 0), (true, 0), (false, 3)] {
            let rows = indices(2 * MIN_ROWS / (dim + 16), table_rows + 2, skewed, dim as u64);
            let grads = State::new(rows.len() * dim, 7, Random::sprinkled).grads;
            let rows = Rows { table_rows, dim, width: dim + padding, rows, grads };
            let before = slices(table_rows * rows.width);
            for is_ftrl in [true, false] {
                let mut expected = before.clone();
                rows.naive(&mut expected, is_ftrl);
                let each_pool = |backend| pools.iter().map(move |pool| (backend, pool));
                for ((backend, pool), interleaved) in
                    Backend::available().flat_map(each_pool).flat_map(|at| [(at, false), (at, true)])
                {
                    let mut actual = before.clone();
                    rows.divided(&mut actual, is_ftrl, backend, interleaved, pool);
                    let context = format!(
                        "{backend}, {} threads, {table_rows} rows of {dim}, skewed {skewed}, {padding} of padding, \
                         interleaved {interleaved}, FTRL {is_ftrl}",
                        pool.current_num_threads()
                    );
                    assert_same(&actual.concat(), &expected.concat(), &context);
                }
            }
        }
    }
}

/// What the serial steps refuse, these refuse.
#[test]
fn errors() {
    let length = |what, expected, actual| Error::Length { what, expected, actual };
    let [mut w, mut a, mut z] = [(); 3].map(|()| vec![1.0; 6]);
    let (ftrl, proximal, g) = (Ftrl::new(0.1), Proximal::new(0.1), [1.0; 6]);
    assert_eq!(ftrl.par_step(&mut w, &g, &mut a, &mut z[1..]), Err(length("linear", 6, 5)));
    assert_eq!(ftrl.par_step(&mut w, &g, &mut a[1..], &mut z), Err(length("accumulator", 6, 5)));
    assert_eq!(proximal.par_step(&mut w, &g[1..], &mut a), Err(length("grads", 6, 5)));
    let hyper = Error::Hyperparameter { what: "l1", value: -1.0, expected: "finite and at least 0" };
    assert_eq!(ftrl.with_l1(-1.0).par_step(&mut w, &g, &mut a, &mut z), Err(hyper));
    assert_eq!(proximal.with_l1(-1.0).par_step(&mut w, &g, &mut a), Err(hyper));
    for backend in Backend::ALL.iter().copied().filter(|backend| !backend.is_available()) {
        let error = Error::Unavailable { backend };
        assert_eq!(ftrl.with_backend(backend).par_step(&mut w, &g, &mut a, &mut z), Err(error));
        assert_eq!(proximal.with_backend(backend).par_step(&mut w, &g, &mut a), Err(error));
        let mut table = Table::new(&mut w, &mut a, 2).expect("3 rows");
        assert_eq!(ftrl.with_backend(backend).par_step_rows(&mut table, &mut z, &[0_u32], &g[..2]), Err(error));
        assert_eq!(proximal.with_backend(backend).par_step_rows(&mut table, &[0_u32], &g[..2]), Err(error));
    }
    let mut table = Table::new(&mut w, &mut a, 2).expect("3 rows");
    let row = Error::Row { position: 1, row: 3, rows: 3 };
    assert_eq!(ftrl.par_step_rows(&mut table, &mut z, &[0_u32, 3], &g[..4]), Err(row));
    assert_eq!(ftrl.par_step_rows(&mut table, &mut z[1..], &[0_u32], &g[..2]), Err(length("linear", 6, 5)));
    assert_eq!(proximal.par_step_rows(&mut table, &[0_u32, 3], &g[..4]), Err(row));
    let mut table = Table::row_wise(&mut w, &mut a[..3], 2).expect("3 rows");
    assert_eq!(proximal.par_step_rows(&mut table, &[0_u32], &g[..2]), Err(length("accumulator", 6, 3)));
    assert_eq!([w, a, z].concat(), [1.0; 18]);
}
