//! The hyper-parameters that are a choice between several.

/// The place of ε in the denominator `d`.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Epsilon {
    /// `d = √G + ε`: `PyTorch`, TensorFlow, FBGEMM, ONNX.
    OutsideSqrt(f32),
    /// `d = √(G + ε)`: Keras, optax, and most textbooks.
    InsideSqrt(f32),
}

/// How parameters are pulled towards zero.
///
/// Decay is part of the step of an element. A row that appears several times in one call of
/// [`step_rows`](crate::Adagrad::step_rows) decays each time, and a row that does not appear there does not decay.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum WeightDecay {
    /// No decay.
    None,
    /// `g ← g + λ·w`, before the accumulator sees `g`: `PyTorch`'s `weight_decay`.
    L2(f32),
    /// `w ← w − (w·λ)·η`, apart from the gradient: Keras' `weight_decay` (Loshchilov and Hutter, *Decoupled Weight
    /// Decay Regularization*, 2019).
    Decoupled(f32),
}

/// How the accumulator takes in a squared gradient.
///
/// An accumulator is an `f32`. So it stops growing when `g²` is less than half a unit in its last place, and sometimes
/// when it is exactly half a unit. For example, a `G` of 16,777,216 (2²⁴) no longer changes with a gradient of 1, and
/// no `G` above 2²⁵·g² changes with a gradient of `g`. It takes 2²⁴ steps with gradients of 1 to get from 0 to 2²⁴.
/// From then on the rate no longer falls. [`Adagrad::summary`](crate::Adagrad::summary) counts such accumulators.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Accumulation {
    /// `G ← G + g·g`: Adagrad. The whole history counts, and the effective rate only falls.
    Sum,
    /// `G ← ρ·G + g·g`: the sum, forgetting at the rate ρ. For a gradient of constant size it settles at `g²/(1−ρ)`.
    Leaky(f32),
    /// `G ← ρ·G + (1−ρ)·(g·g)`: a moving average, which makes the step that of `RMSProp` (Tieleman and Hinton, 2012;
    /// `torch.optim.RMSprop` with α = ρ). `1−ρ` is rounded to `f32`. A step may move a parameter by up to η/√(1−ρ).
    Ema(f32),
}

/// Which comes first in a step.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Order {
    /// The gradient is added to `G`, then the parameter moves by the new `G`: Adagrad, and all frameworks.
    AccumulateFirst,
    /// The parameter moves by `G` as it was, then the gradient is added: `d` is made of `G` from before the step. `GloVe`
    /// has it so (Pennington, Socher and Manning, 2014; its `glove.c`).
    ///
    /// A step may move a parameter by far more than η: by `η·|g|/d`, where `d` knows nothing of `g`. So `G` must not start
    /// at 0, but at a value of the size of a squared gradient, such as 1.
    StepFirst,
}

/// What a step does with an element whose gradient, accumulator or parameter is infinite or NaN, or would become so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NonFinite {
    /// It is stepped like any other, so infinities and NaNs spread, as in `PyTorch`.
    Propagate,
    /// It is left as it was, and counted in [`Report::skipped`](crate::Report::skipped), unless its `G` was at least 0
    /// (−0 is fine) and its new `G` and new `w` are both finite.
    ///
    /// So a finite gradient is stepped or counted, and no step stores an infinity or a NaN. An accumulator that is
    /// negative or NaN cannot be repaired by any step: it is left alone, and
    /// [`check_accumulator`](crate::check_accumulator) finds it.
    ///
    /// In a row-wise table a row is left and counted as a whole, unless its `G` was at least 0, and its new `G` and all
    /// its new parameters are finite.
    Skip,
}

/// Whether `a·b + c` rounds once or twice. Each choice but [`Arithmetic::Fast`] gives the same bits on every backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Arithmetic {
    /// Twice, after the product and after the sum: TensorFlow, Keras, FBGEMM, and a plain loop.
    Separate,
    /// Once, in `g + λ·w`, in `G + g·g` and, row-wise, in the running sums of `g·g`: `PyTorch` on CPUs with fused
    /// multiply-add.
    ///
    /// With [`Accumulation::Leaky`], in `(ρ·G) + g·g` the product `g·g` is fused with the sum, and `ρ·G` is rounded.
    /// With [`Accumulation::Ema`], in `(ρ·G) + (1−ρ)·(g·g)` the product with `1−ρ` is fused with the sum, and `ρ·G` and
    /// `g·g` are rounded. On a CPU without the instruction, software rounds the same, but takes longer.
    Fused,
    /// As [`Arithmetic::Separate`], but with a faster quotient `(η·g)/d`, made of products and the CPU's estimate of
    /// `1/√G` or `1/√(G+ε)`. Where the exact quotient is a normal number, this one is within [`Arithmetic::FAST_ULPS`]
    /// units in the last place of it. `G` keeps its bits. This is the only option with results that depend on the
    /// backend, on the CPU, on how slices are divided among calls and where they lie in memory, on how a table is laid out,
    /// and on whether its rows are in bags.
    ///
    /// These stay exact, too:
    ///
    /// - [`Backend::Scalar`](crate::Backend::Scalar) and [`Backend::Portable`](crate::Backend::Portable), which have no
    ///   such estimate;
    /// - short slices and some short rows, and with AVX-512 slices of 4 Mi elements or more: it would gain nothing;
    /// - row-wise tables, which divide once per row, and steps of 16-bit types;
    /// - steps with [`Order::StepFirst`], with an η above 2⁶⁰, or with an ε that is not between 2⁻¹⁰⁰ and 2⁶⁰;
    /// - elements with `√G` below 512·ε or `G` below 2⁻⁶⁴.
    Fast,
}

impl Arithmetic {
    /// How far a quotient of [`Arithmetic::Fast`] may be from the exact one, in units in the last place of the latter.
    /// With AVX2 and ε outside the root it may be 5; otherwise it is 4 at most.
    pub const FAST_ULPS: u32 = 5;

    /// The least ε, and the greatest ε and η, for which no estimate overflows or loses bits.
    pub(crate) const LEAST: f32 = f32::from_bits((127 - 100) << 23);
    pub(crate) const GREATEST: f32 = f32::from_bits((127 + 60) << 23);
}
