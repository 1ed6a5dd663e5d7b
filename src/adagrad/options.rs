//! The choices among which the hyper-parameters are made.

/// Where ε stands in the denominator `d`.
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
/// It is part of each step of an element. A row that stands several times in one `step_rows` decays as often; a row that
/// does not stand there does not decay.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum WeightDecay {
    /// Not at all.
    None,
    /// `g ← g + λ·w`, before the accumulator sees `g`: `PyTorch`'s `weight_decay`.
    L2(f32),
    /// `w ← w − (w·λ)·η`, beside the step: Keras' `weight_decay` (Loshchilov and Hutter, *Decoupled Weight Decay
    /// Regularization*, 2019).
    Decoupled(f32),
}

/// How the accumulator takes in a squared gradient.
///
/// An accumulator is an `f32`, and so stops growing when `g²` is less than half a unit in its last place: `G` of
/// 16,777,216 (2²⁴) stays where it is with a gradient of 1, and with any gradient from `G` = 2²⁴·g² on. That takes 2²⁴
/// steps of equal gradients; `G` is then what it should be, and from there on the rate no longer falls.
/// [`Adagrad::summary`](crate::Adagrad::summary) counts such accumulators.
#[derive(Clone, Copy, Debug, PartialEq)]
#[non_exhaustive]
pub enum Accumulation {
    /// `G ← G + g·g`: Adagrad. The whole history counts, and the effective rate only falls.
    Sum,
    /// `G ← ρ·G + g·g`: the sum, forgetting at the rate ρ. For a gradient of constant size it settles at `g²/(1−ρ)`.
    Leaky(f32),
    /// `G ← ρ·G + (1−ρ)·(g·g)`: an average, which makes the step that of `RMSProp` (`torch.optim.RMSprop` with α = ρ;
    /// Tieleman and Hinton, 2012). `1−ρ` is an `f32`. A parameter may move by up to η/√(1−ρ).
    Ema(f32),
}

/// What becomes of an element whose gradient, accumulator or parameter is not finite, or would no longer be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum NonFinite {
    /// It is stepped as arithmetic has it, as `PyTorch` does.
    Propagate,
    /// It is left as it was, and counted in [`Report::skipped`](crate::Report::skipped), unless its `G` was not negative
    /// and its new `G` and new `w` are both finite. So a finite gradient is stepped or counted, nothing that is infinite
    /// or NaN is ever stored, and a state that no step can repair, a negative or NaN accumulator, is left alone
    /// ([`check_accumulator`](crate::check_accumulator) finds it).
    ///
    /// In a row-wise table this is said of a row: its `G` and all its parameters.
    Skip,
}

/// Whether `a·b + c` rounds once or twice. Each choice but [`Arithmetic::Fast`] gives the same bits on every backend.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Arithmetic {
    /// Twice, after the product and after the sum: TensorFlow, Keras, FBGEMM, and plain scalar code.
    Separate,
    /// Once in `g + λ·w`, `G + g·g` and, row-wise, the running sums of `g·g`: `PyTorch` on CPUs with fused multiply-add.
    /// With [`Accumulation::Leaky`] it is the sum in `(ρ·G) + g·g` that is fused with `g·g`, and with
    /// [`Accumulation::Ema`] the sum in `(ρ·G) + (1−ρ)·(g·g)` with the product by `1−ρ`; `ρ·G` and `g·g` are rounded.
    /// Without the instruction it is done in software, correctly rounded, and slow.
    Fused,
    /// As [`Arithmetic::Separate`], but `(η·g)/d` may differ from its value there by [`Arithmetic::FAST_ULPS`] units in
    /// the last place where that is a normal number: it comes from an estimate of `1/√G`, or of `1/√(G+ε)`, and products.
    /// `G` keeps its bits. This is the one option with results that depend on the backend, on the CPU, and on how
    /// slices are divided among calls.
    ///
    /// Backends without such an estimate stay exact: [`Backend::Scalar`](crate::Backend::Scalar) and
    /// [`Backend::Portable`](crate::Backend::Portable). So do row-wise tables, which divide once per row, steps with an
    /// ε beyond 2⁻¹⁰⁰ … 2⁶⁰ or an η above 2⁶⁰, and elements with `√G` below 512·ε or `G` below 2⁻⁶⁴.
    Fast,
}

impl Arithmetic {
    /// How far a quotient of [`Arithmetic::Fast`] may be from that of [`Arithmetic::Separate`], in units in the last
    /// place of the latter.
    pub const FAST_ULPS: u32 = 4;

    /// The least ε, and the greatest ε and η, with which no estimate overflows or loses bits.
    pub(crate) const LEAST: f32 = f32::from_bits((127 - 100) << 23);
    pub(crate) const GREATEST: f32 = f32::from_bits((127 + 60) << 23);
}
