//! The steps with L1 and L2, one element at a time, as plainly as they can be written.
#![allow(dead_code, reason = "each test uses its own part of this file")]

/// Learning rate, L1 and L2.
#[derive(Clone, Copy, Debug)]
pub struct Rates(pub f32, pub f32, pub f32);

/// The greatest finite value where `x` is infinite; NaN stays.
fn bounded(x: f32) -> f32 {
    if x > f32::MAX { f32::MAX } else { x }
}

fn within(x: f32, limit: f32) -> f32 {
    if x > limit {
        limit
    } else if x < -limit {
        -limit
    } else {
        x
    }
}

pub fn ftrl(Rates(rate, l1, l2): Rates, g: f32, w: &mut f32, a: &mut f32, z: &mut f32) {
    let sum = bounded(*a + g * g);
    let sigma = bounded((sum.sqrt() - a.sqrt()) / rate);
    *z += g - sigma * *w;
    let divisor = bounded(sum.sqrt() / rate + 2.0 * l2);
    if divisor != 0.0 {
        *w = (within(*z, l1) - *z) / divisor;
    }
    *a = sum;
}

pub fn proximal(Rates(rate, l1, l2): Rates, g: f32, w: &mut f32, a: &mut f32) {
    *a = bounded(*a + g * g);
    if *a != 0.0 {
        let rate = bounded(rate / a.sqrt());
        let v = *w - rate * g;
        let threshold = bounded(rate * l1);
        *w = (v - within(v, threshold)) / bounded(1.0 + rate * l2);
    }
}
