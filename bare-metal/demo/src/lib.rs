//! Handwritten digits, learnt by softmax regression: what the boards and the host have in common.
//!
//! No operation here depends on the target: additions, multiplications and divisions of `f32` in a fixed order, `exp` and
//! `log` of `libm`, the conversions of `half`, and [`Adagrad::step`] or [`Adagrad::step_mixed`]. So the weights have the same
//! bits wherever it runs.
#![no_std]

use adagrad::{Adagrad, Error, Rounding};
use half::f16;

/// An image has 8 × 8 pixels.
const PIXELS: usize = 64;
const DIGITS: usize = 10;
/// Each pixel in 0..=16, then the digit.
pub type Image = [u8; PIXELS + 1];

/// All images in the order of the file, packed by build.rs.
const IMAGES: &[Image] = include_bytes!(concat!(env!("OUT_DIR"), "/digits.bin")).as_chunks().0;
/// The first 1,440 are learnt from, the other 357 are held out.
const SPLIT: (&[Image], &[Image]) = IMAGES.split_at(1440);
pub const TRAINING: &[Image] = SPLIT.0;
pub const HELD_OUT: &[Image] = SPLIT.1;

/// So many images make a step.
pub const BATCH: usize = 16;
/// The gradients of a batch are summed; the scale makes that the mean.
const OPT: Adagrad = Adagrad::new(0.2).with_gradient_scale(1.0 / BATCH as f32);

/// What a learner keeps.
pub trait Number: Copy {
    const ZERO: Self;

    /// The nearest.
    fn nearest(value: f32) -> Self;

    fn value(self) -> f32;

    fn bits(self) -> u32;
}

impl Number for f32 {
    const ZERO: Self = 0.0;

    fn nearest(value: f32) -> Self {
        value
    }

    fn value(self) -> f32 {
        self
    }

    fn bits(self) -> u32 {
        self.to_bits()
    }
}

impl Number for f16 {
    const ZERO: Self = Self::ZERO;

    fn nearest(value: f32) -> Self {
        Self::from_f32(value)
    }

    fn value(self) -> f32 {
        self.to_f32()
    }

    fn bits(self) -> u32 {
        self.to_bits().into()
    }
}

/// For each pixel, and for a constant, a value for each digit.
type Matrix<T> = [[T; DIGITS]; PIXELS + 1];

pub const PARAMETERS: usize = DIGITS * (PIXELS + 1);

/// The model and all that learning needs: 7,800 bytes of `f32`, or 3,900 of `f16`.
pub struct Learner<T> {
    weights: Matrix<T>,
    accumulator: Matrix<T>,
    gradient: Matrix<T>,
}

impl<T: Number> Learner<T> {
    const ZEROS: Matrix<T> = [[T::ZERO; DIGITS]; PIXELS + 1];

    #[must_use]
    pub const fn new() -> Self {
        Self { weights: Self::ZEROS, accumulator: Self::ZEROS, gradient: Self::ZEROS }
    }

    /// Sums the gradients of a batch, for the next [`Learner::step`], and its losses.
    pub fn look_at(&mut self, batch: &[Image]) -> f32 {
        self.gradient = Self::ZEROS;
        let mut losses = 0.0;
        for image in batch {
            let (mut errors, digit) = (self.scores(image), digit(image));
            losses += softmax_loss(&mut errors, digit);
            for (input, gradient) in inputs(image).zip(&mut self.gradient) {
                for (gradient, error) in gradient.iter_mut().zip(errors) {
                    *gradient = T::nearest(gradient.value() + input * error);
                }
            }
        }
        losses
    }

    /// How many of the images it takes for the digit that they are.
    #[must_use]
    pub fn right(&self, images: &[Image]) -> usize {
        images.iter().filter(|image| largest(&self.scores(image)) == digit(image)).count()
    }

    /// The bits of the weights, a row for each pixel and one for the constant.
    pub fn bits(&self) -> impl Iterator<Item = [u32; DIGITS]> {
        self.weights.iter().map(|row| row.map(T::bits))
    }

    fn scores(&self, image: &Image) -> [f32; DIGITS] {
        let mut scores = [0.0; DIGITS];
        for (input, weights) in inputs(image).zip(&self.weights) {
            for (score, weight) in scores.iter_mut().zip(weights) {
                *score += input * weight.value();
            }
        }
        scores
    }
}

impl<T: Number> Default for Learner<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl Learner<f32> {
    /// One step of Adagrad for all weights. It stays a function, so that its count of instructions does not depend on
    /// what it is inlined into.
    ///
    /// # Errors
    ///
    /// None: the lengths agree and the hyper-parameters are valid.
    #[inline(never)]
    pub fn step(&mut self) -> Result<(), Error> {
        let Self { weights, accumulator, gradient } = self;
        OPT.step(weights.as_flattened_mut(), gradient.as_flattened(), accumulator.as_flattened_mut())?;
        Ok(())
    }
}

impl Learner<f16> {
    /// The same in 16 bits.
    ///
    /// # Errors
    ///
    /// None: the lengths agree and the hyper-parameters are valid.
    #[inline(never)]
    pub fn step(&mut self, rounding: Rounding) -> Result<(), Error> {
        let Self { weights, accumulator, gradient } = self;
        let (weights, gradient, accumulator) =
            (weights.as_flattened_mut(), gradient.as_flattened(), accumulator.as_flattened_mut());
        OPT.step_mixed(weights, gradient, accumulator, rounding)?;
        Ok(())
    }
}

/// The pixels in 0..=1, then the constant.
fn inputs(image: &Image) -> impl Iterator<Item = f32> {
    image.iter().take(PIXELS).map(|&pixel| f32::from(pixel) / 16.0).chain([1.0])
}

fn digit(&[.., digit]: &Image) -> usize {
    digit.into()
}

/// The first of the largest.
fn largest(scores: &[f32; DIGITS]) -> usize {
    let first = (0, scores[0]);
    scores.iter().copied().enumerate().fold(first, |best, score| if score.1 > best.1 { score } else { best }).0
}

/// Turns scores into their gradient, which is probabilities less 1 for the digit, and returns the loss.
fn softmax_loss(scores: &mut [f32; DIGITS], digit: usize) -> f32 {
    let most = scores[largest(scores)];
    let mut sum = 0.0;
    for score in scores.iter_mut() {
        *score = libm::expf(*score - most);
        sum += *score;
    }
    for score in scores.iter_mut() {
        *score /= sum;
    }
    let loss = -libm::logf(scores[digit]);
    scores[digit] -= 1.0;
    loss
}
