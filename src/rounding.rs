//! What the 16-bit steps take beside slices: the types of elements, and how values are rounded to them.

use half::{bf16, f16};

use crate::kernel::Storage;

/// A type of parameters, gradients and accumulators: `f32`, and with the feature `half` that crate's `bf16` and `f16`.
///
/// This trait is sealed: it cannot be implemented for other types.
#[expect(private_bounds, reason = "the trait is sealed by one that is private, so that no name of its methods clashes")]
pub trait Element: Copy + Send + Sync + Storage {}

impl Element for f32 {}
impl Element for bf16 {}
impl Element for f16 {}

/// How [`Adagrad::step_mixed`](crate::Adagrad::step_mixed) and its kin round the results, which are `f32`, to what they
/// store.
///
/// | | `bf16`, `f16` | `f32` |
/// |---|---|---|
/// | nearest | nearest even | as it is |
/// | stochastic | up or down by chance | parameters as they are; accumulators up or down by chance |
///
/// For both, infinities stay, what is beyond the greatest finite value becomes that value or infinity, whichever is
/// nearer, denormals are values as any other, and NaN becomes the NaN without sign and payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Rounding {
    /// To the nearest value, of two the one whose last bit is 0.
    ///
    /// What is less than half of the distance between two values is lost, each time: a `bf16` accumulator of gradients 1
    /// stops at 256, one in `f16` at 2,048, and one in `f32` at 16,777,216.
    Nearest,
    /// To one of the two neighbours, each with a chance in proportion to how near it is. So the expected result is the
    /// exact one, and what is small adds up.
    ///
    /// Chances are multiples of 2⁻²³ or finer, rounded down, where the distance is divided more finely than that. An `f32`
    /// accumulator is rounded by what the sum of `G` and what is added to it lost.
    Stochastic(Counter),
}

impl Rounding {
    /// The same for a slice that begins so many elements further on.
    #[cfg(feature = "rayon")]
    pub(crate) fn after(self, elements: usize) -> Self {
        match self {
            Self::Nearest => self,
            Self::Stochastic(counter) => {
                Self::Stochastic(counter.with_first(counter.first.wrapping_add(elements as u64)))
            }
        }
    }
}

/// What the random bits of [`Rounding::Stochastic`] are a function of, beside the element's own place in the call. There
/// is no hidden state: the same counter gives the same bits, whatever the backend, and however a call is split.
///
/// | | dense | rows |
/// |---|---|---|
/// | seed, step | all bits differ | all bits differ |
/// | first | index of the slice's first element | index of the table's first row in the whole table |
/// | position | not used | place of the call's first row index among those of the step, or none |
///
/// So a step of half a slice takes the counter `with_first(half)`. Parameters and accumulators have streams of their own.
///
/// With positions, a row that gets two steps has other bits in each; whoever divides a step's rows into calls says
/// where each begins. [`without_positions`](Self::without_positions) is for rows that each have one gradient in the step,
/// as [`coalesce`](crate::coalesce()) makes them: then the bits do not depend on the order of the rows, nor on the calls,
/// threads or processes ([`partition`](crate::partition)) that they are divided among.
///
/// The generator is `pcg3d` (Jarzynski and Olano, *Hash Functions for GPU Rendering*, Journal of Computer Graphics
/// Techniques 9, 2020), whose key `SplitMix64` (Steele, Lea and Flood, 2014) makes of seed, step, row and position. It is
/// not for cryptography.
///
/// ```
/// use adagrad::{Adagrad, Counter, Rounding};
/// use half::bf16;
///
/// let (mut params, grads, mut accumulator) = ([bf16::ZERO; 2000], [bf16::ONE; 2000], [bf16::ZERO; 2000]);
/// for step in 0..1000 {
///     let rounding = Rounding::Stochastic(Counter::new(7, step));
///     Adagrad::new(0.1).step_mixed(&mut params, &grads, &mut accumulator, rounding)?;
/// }
/// let mean = accumulator.iter().map(|a| f64::from(*a)).sum::<f64>() / 2000.0;
/// assert!((mean - 1000.0).abs() < 10.0); // to the nearest, all would have stopped at 256
/// # Ok::<(), adagrad::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Counter {
    pub(crate) seed: u64,
    pub(crate) step: u64,
    pub(crate) first: u64,
    pub(crate) position: Option<u64>,
}

impl Counter {
    /// That of a step, from the first element or row, and the first row index, on.
    #[must_use]
    pub const fn new(seed: u64, step: u64) -> Self {
        Self { seed, step, first: 0, position: Some(0) }
    }

    /// From this element, or this row of the whole table, on.
    #[must_use]
    pub const fn with_first(self, first: u64) -> Self {
        Self { first, ..self }
    }

    /// From this row index of the step on, where a call for rows has not all of them.
    #[must_use]
    pub const fn with_position(self, position: u64) -> Self {
        Self { position: Some(position), ..self }
    }

    /// For rows that each have one gradient in the step. One that has two gets the same random bits for both, and so moves
    /// too often by both or by none.
    #[must_use]
    pub const fn without_positions(self) -> Self {
        Self { position: None, ..self }
    }
}
