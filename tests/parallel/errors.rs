//! What a serial step refuses, a divided one refuses.

use adagrad::{Adagrad, Backend, Error, Report, Table, WeightDecay};

use super::inputs::{Random, State};
use super::reference::assert_same;
use super::{MIN_DENSE, pool};

/// The errors are those of the serial steps, in their order, and leave all as it was.
#[test]
fn errors_write_nothing() {
    let pool = pool(2);
    let len = MIN_DENSE + 64;
    let state = State::new(len, 4, Random::ordinary);
    for &backend in Backend::ALL {
        for opt in [Adagrad::new(0.1), Adagrad::new(-1.0), Adagrad::new(0.1).with_weight_decay(WeightDecay::L2(-1.0))] {
            let opt = opt.with_backend(backend);
            let fine = backend.is_available() && opt == Adagrad::new(0.1).with_backend(backend);
            for (grads, accumulator) in [(len, len), (len - 1, len), (len, len - 1), (0, 0)] {
                if fine && (grads, accumulator) == (len, len) {
                    continue; // no error
                }
                let mut actual = state.clone();
                let (g, a) = (&state.grads[..grads], &mut actual.accumulator[..accumulator]);
                let error = opt.step(&mut actual.params, g, a).expect_err("an error");
                let result = pool.install(|| opt.par_step(&mut actual.params, g, a));
                assert_eq!(result, Err(error));
                assert_same(&actual.params, &state.params, error);
                assert_same(&actual.accumulator, &state.accumulator, error);
            }
            for bad in [None, Some((0, -1)), Some((9999, 64)), Some((5000, i64::MAX))] {
                for missing_grads in [0, 1] {
                    if fine && bad.is_none() && missing_grads == 0 {
                        continue;
                    }
                    let mut rows = vec![3_i64; 10_000];
                    if let Some((position, row)) = bad {
                        rows[position] = row;
                    }
                    let mut actual = state.clone();
                    let grads = &vec![1.0; 10_000 * 32][missing_grads..];
                    let (w, a) = (&mut actual.params[..64 * 32], &mut actual.accumulator[..64 * 32]);
                    let mut table = Table::new(w, a, 32).expect("valid");
                    let error = opt.step_rows(&mut table, &rows, grads).expect_err("an error");
                    let result = pool.install(|| opt.par_step_rows(&mut table, &rows, grads));
                    assert_eq!(result, Err(error));
                    assert_same(&actual.params, &state.params, error);
                    assert_same(&actual.accumulator, &state.accumulator, error);
                }
            }
        }
    }
    let overflow = Error::Overflow { rows: 2, dim: usize::MAX };
    let mut table = Table::new(&mut [], &mut [], usize::MAX).expect("valid");
    assert_eq!(Adagrad::new(0.1).par_step_rows(&mut table, &[0_u32, 0], &[]), Err(overflow));
    assert_eq!(Adagrad::new(0.1).par_step(&mut [], &[], &mut []), Ok(Report::default()));
}
