//! Replays the steps with L1 and L2 that TensorFlow recorded, each from the state that was recorded before it.

use adagrad::{Backend, Ftrl, Proximal, Table};
use serde_json::Value;

use crate::files::words;
use crate::json::{parse, text};
use crate::reference::assert_same;

/// How far a parameter of proximal Adagrad may be from the peer's. `TensorFlow` takes `1/√G` from an approximation and then
/// multiplies by the learning rate; the crate divides by the root. So the rates differ by a few roundings, and with them
/// what the step takes off: 4 units of 2⁻²³ are allowed for that. Both round the parameter, too, each time it changes: 2
/// units are allowed for that.
fn tolerance(w: f32, g: f32, a: f32, [rate, l1, l2]: [f32; 3]) -> f64 {
    let [w, g, a, rate, l1, l2] = [w, g, a, rate, l1, l2].map(f64::from);
    let rate = rate / a.sqrt();
    let moved = w.abs() + rate * g.abs();
    (4.0 * rate * (g.abs() + l1 + l2 * moved) + 2.0 * moved) * 2.0_f64.powi(-23)
}

#[test]
fn tf_regularized() {
    for backend in Backend::available() {
        let mut compared = 0;
        for line in include_str!("recordings/tf_regularized.jsonl").lines() {
            let case = parse(line);
            let hyper = case["hyper"].as_array().expect("a list");
            let [rate, l1, l2] = [0, 1, 2].map(|at| words(&hyper[at])[0]);
            let dim = case["dim"].as_u64().expect("a number") as usize;
            let (mut w, mut a) = (words(&case["w0"]), words(&case["acc0"]));
            let mut z = vec![0.0; w.len()];
            let is_ftrl = text(&case["op"]) == "ftrl";
            for step in case["steps"].as_array().expect("a list") {
                let rows: Vec<u64> =
                    step["indices"].as_array().expect("a list").iter().filter_map(Value::as_u64).collect();
                let g = words(&step["g"]);
                let before = w.clone();
                let mut table = Table::new(&mut w, &mut a, dim).expect("its shape fits");
                if is_ftrl {
                    let ftrl = Ftrl::new(rate).with_l1(l1).with_l2(l2).with_backend(backend);
                    ftrl.step_rows(&mut table, &mut z, &rows, &g).expect("valid");
                } else {
                    let proximal = Proximal::new(rate).with_l1(l1).with_l2(l2).with_backend(backend);
                    proximal.step_rows(&mut table, &rows, &g).expect("valid");
                }
                let peer = [words(&step["w"]), words(&step["acc"])];
                let context = format!("{backend}: {line:.60}");
                assert_same(&a, &peer[1], &context);
                if is_ftrl {
                    assert_same(&w, &peer[0], &context);
                    assert_same(&z, &words(&step["linear"]), &context);
                }
                for (position, row) in rows.iter().enumerate().filter(|_| !is_ftrl) {
                    for column in 0..dim {
                        let (i, g) = (*row as usize * dim + column, g[position * dim + column]);
                        let off = (f64::from(w[i]) - f64::from(peer[0][i])).abs();
                        assert!(off <= tolerance(before[i], g, a[i], [rate, l1, l2]), "{context}: {off:e} off at {i}");
                    }
                }
                compared += w.len();
                [w, a] = peer;
            }
        }
        assert_eq!(compared, 2500, "parameters");
    }
}
