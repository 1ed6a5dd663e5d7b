//! How near `f32` is to `f64`.

use core::ops::{Add, Div, Mul, Neg, Sub};

use crate::WIDEST_BOUND;

/// A value in `f64`, and how far from it the same computation in `f32` may be (running error analysis: Higham, *Accuracy
/// and Stability of Numerical Algorithms*, 3.3).
///
/// Each operation passes on its operands' errors, in full, not only to first order. Then it rounds its result `x` once:
/// that adds at most [`Near::UNIT`]`·|x|`, and half the smallest denormal where it underflows.
#[derive(Clone, Copy)]
pub struct Near {
    pub value: f64,
    error: f64,
}

impl Near {
    /// Half an ulp of 1. The small excess is for the rounding of the `f64` computation itself.
    const UNIT: f64 = 0.5 * f32::EPSILON as f64 * (1.0 + 1e-6);
    /// Half the smallest denormal.
    const UNDERFLOW: f64 = 0.5 * f32::from_bits(1) as f64;

    pub fn exact(value: f64) -> Self {
        Self { value, error: 0.0 }
    }

    /// A hyper-parameter, which `f32` rounds.
    pub fn constant(value: f64) -> Self {
        Self::exact(value).rounded()
    }

    /// A value of which the `f32` computation starts from the rounded one.
    pub fn stored(value: f64) -> Self {
        Self { value, error: (value - f64::from(value as f32)).abs() }
    }

    fn rounded(self) -> Self {
        let largest = self.value.abs() + self.error;
        let overflows = largest > f64::from(f32::MAX);
        let error = self.error + Self::UNIT * largest + Self::UNDERFLOW;
        Self { value: self.value, error: if overflows { f64::INFINITY } else { error } }
    }

    pub fn sqrt(self) -> Self {
        let value = self.value.sqrt();
        let below = value - (self.value - self.error).max(0.0).sqrt();
        let above = (self.value + self.error).sqrt() - value;
        Self { value, error: below.max(above) }.rounded()
    }

    /// The error, or infinity if it is too large beside `scale` to say anything. Errors among the denormals are not.
    pub fn bound(self, scale: f64) -> f64 {
        let widest = WIDEST_BOUND * scale + f64::from(f32::MIN_POSITIVE);
        if self.error <= widest { self.error } else { f64::INFINITY }
    }
}

impl Neg for Near {
    type Output = Self;

    fn neg(self) -> Self {
        Self { value: -self.value, ..self }
    }
}

impl Add for Near {
    type Output = Self;

    fn add(self, other: Self) -> Self {
        Self { value: self.value + other.value, error: self.error + other.error }.rounded()
    }
}

impl Sub for Near {
    type Output = Self;

    fn sub(self, other: Self) -> Self {
        self + -other
    }
}

impl Mul for Near {
    type Output = Self;

    fn mul(self, other: Self) -> Self {
        let error = self.value.abs() * other.error + other.value.abs() * self.error + self.error * other.error;
        Self { value: self.value * other.value, error }.rounded()
    }
}

impl Div for Near {
    type Output = Self;

    fn div(self, other: Self) -> Self {
        let value = self.value / other.value;
        let smallest = other.value.abs() - other.error;
        let error = if smallest > 0.0 { (self.error + value.abs() * other.error) / smallest } else { f64::INFINITY };
        Self { value, error }.rounded()
    }
}

/// The distance from the `f32` nearest to `|x|` to the next one.
pub fn ulp(x: f64) -> f64 {
    let x = (x as f32).abs();
    f64::from(x.next_up()) - f64::from(x)
}
