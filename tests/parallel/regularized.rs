//! Steps with L1 and L2 on several threads: the bits of the naive ones, dense and on rows.

use adagrad::{Backend, Error, Ftrl, Proximal, Table};

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

/// Tables with a padding row and rows that are skipped, whose rows lie one after the other, apart, or in one slice.
#[test]
fn rows() {
    let pools = [pool(1), pool(2), pool(5)];
    for (table_rows, dim) in [(1, 300), (5, 64), (1500, 16), (3000, 4), (9000, 2), (30_000, 1), (1000, 37)] {
        for (skewed, padding) in [(false, 0), (true, 0), (false, 3)] {
            let rows = indices(2 * MIN_ROWS / (dim + 16), table_rows + 2, skewed, dim as u64);
            let (width, padding_row) = (dim + padding, table_rows / 2);
            let before = slices(table_rows * width);
            let grads = State::new(rows.len() * dim, 7, Random::sprinkled).grads;
            let (mut with_linear, mut without) = (before.clone(), before.clone());
            for (row, g) in rows.iter().map(|row| *row as usize).zip(grads.chunks(dim)) {
                if row >= table_rows || row == padding_row {
                    continue;
                }
                for (i, g) in (row * width..).zip(g) {
                    let [w, a, z] = &mut with_linear;
                    ftrl(RATES, *g, &mut w[i], &mut a[i], &mut z[i]);
                    let [w, a, _] = &mut without;
                    proximal(RATES, *g, &mut w[i], &mut a[i]);
                }
            }
            let out_of_range = rows.iter().filter(|row| **row as usize >= table_rows).count();
            for backend in Backend::available() {
                let (ftrl, proximal) = steps(backend);
                for pool in &pools {
                    let context = format!(
                        "{backend}, {} threads, {table_rows} rows of {dim}, skewed {skewed}, {padding} of padding",
                        pool.current_num_threads()
                    );
                    for interleaved in [false, true] {
                        for is_ftrl in [true, false] {
                            let [mut w, mut a, mut z] = before.clone();
                            if interleaved {
                                w = w.chunks(width).zip(a.chunks(width)).flat_map(|(w, a)| [w, a].concat()).collect();
                            }
                            let table = if interleaved {
                                Table::interleaved(&mut w, width)
                            } else {
                                Table::new(&mut w, &mut a, width)
                            };
                            let table = table.expect("its shape fits").with_padding_row(padding_row);
                            let mut table = table.with_out_of_range_skipped(true);
                            if padding > 0 {
                                table = table.with_columns(dim).expect("not more than there are");
                            }
                            let report = pool.install(|| match is_ftrl {
                                true => ftrl.par_step_rows(&mut table, &mut z, &rows, &grads),
                                false => proximal.par_step_rows(&mut table, &rows, &grads),
                            });
                            assert_eq!(report.expect("valid").out_of_range, out_of_range, "{context}");
                            if interleaved {
                                let halves =
                                    |from: usize| w.chunks(2 * width).flat_map(move |row| &row[from..from + width]);
                                (w, a) = (halves(0).copied().collect(), halves(width).copied().collect());
                            }
                            let expected = if is_ftrl { &with_linear } else { &without };
                            assert_same(&[w, a, z].concat(), &expected.concat(), &context);
                        }
                    }
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
