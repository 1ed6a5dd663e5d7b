//! The hyper-parameters of other implementations.

use super::{Adagrad, Arithmetic, Epsilon, Order};

/// Presets: the hyper-parameters of other implementations. The steps then have their bits.
impl Adagrad {
    /// `torch.optim.Adagrad(fused=True)`: ε = 1e-10 outside the root, [`Arithmetic::Fused`]. Accumulators start at 0.
    ///
    /// Bit-identical to `PyTorch`'s fused CPU kernel on x86-64 with AVX2 or AVX-512. Its kernel for other CPUs rounds
    /// products separately: add `.with_arithmetic(Arithmetic::Separate)` for its bits. Its `weight_decay` is
    /// [`WeightDecay::L2`](crate::WeightDecay::L2).
    ///
    /// ```
    /// use adagrad::{Adagrad, Arithmetic, Epsilon};
    ///
    /// let same = Adagrad::new(0.01).with_epsilon(Epsilon::OutsideSqrt(1e-10)).with_arithmetic(Arithmetic::Fused);
    /// assert_eq!(Adagrad::pytorch(0.01), same);
    /// ```
    #[must_use]
    #[inline(always)]
    pub const fn pytorch(learning_rate: f32) -> Self {
        Self::new(learning_rate).with_epsilon(Epsilon::OutsideSqrt(1e-10)).with_arithmetic(Arithmetic::Fused)
    }

    /// TensorFlow's `ApplyAdagradV2` and `SparseApplyAdagradV2`: ε = 1e-7 outside the root. Accumulators start at 0.1.
    ///
    /// Bit-identical to them, except where they flush denormals to zero.
    ///
    /// ```
    /// use adagrad::{Adagrad, Epsilon};
    ///
    /// let same = Adagrad::new(0.01).with_epsilon(Epsilon::OutsideSqrt(1e-7)).with_initial_accumulator(0.1);
    /// assert_eq!(Adagrad::tensorflow(0.01), same);
    /// ```
    #[must_use]
    #[inline(always)]
    pub const fn tensorflow(learning_rate: f32) -> Self {
        Self::new(learning_rate).with_epsilon(Epsilon::OutsideSqrt(1e-7)).with_initial_accumulator(0.1)
    }

    /// `keras.optimizers.Adagrad` of Keras 3: ε = 1e-7 inside the root. Accumulators start at 0.1. Its
    /// `weight_decay` is [`WeightDecay::Decoupled`](crate::WeightDecay::Decoupled).
    ///
    /// Bit-identical to it on TensorFlow, except where that flushes denormals to zero.
    ///
    /// ```
    /// use adagrad::{Adagrad, Epsilon};
    ///
    /// let same = Adagrad::new(0.01).with_epsilon(Epsilon::InsideSqrt(1e-7)).with_initial_accumulator(0.1);
    /// assert_eq!(Adagrad::keras(0.01), same);
    /// ```
    #[must_use]
    #[inline(always)]
    pub const fn keras(learning_rate: f32) -> Self {
        Self::new(learning_rate).with_epsilon(Epsilon::InsideSqrt(1e-7)).with_initial_accumulator(0.1)
    }

    /// FBGEMM's sparse and, with [`Table::row_wise`](crate::Table::row_wise), row-wise Adagrad: ε = 1e-8 outside the
    /// root. Accumulators start at 0.
    ///
    /// Bit-identical to its CPU kernels; its table-batched embedding operator sums duplicate rows first, see
    /// [`coalesce`](crate::coalesce()). For tables with one accumulator per element that operator also fuses `G + g·g`, as
    /// [`Arithmetic::Fused`] does, and now and then a parameter differs from that in the last bit.
    ///
    /// ```
    /// use adagrad::Adagrad;
    ///
    /// assert_eq!(Adagrad::fbgemm(0.01), Adagrad::new(0.01));
    /// ```
    #[must_use]
    #[inline(always)]
    pub const fn fbgemm(learning_rate: f32) -> Self {
        Self::new(learning_rate).with_epsilon(Epsilon::OutsideSqrt(1e-8))
    }

    /// `optax.adagrad`: ε = 1e-7 inside the root. Accumulators start at 0.1.
    ///
    /// Equal to it, except that its reciprocal square root is approximate. Where `G` is 0, optax makes no update and
    /// this crate makes the tiny one of the formula.
    ///
    /// ```
    /// use adagrad::{Adagrad, Epsilon};
    ///
    /// let same = Adagrad::new(0.01).with_epsilon(Epsilon::InsideSqrt(1e-7)).with_initial_accumulator(0.1);
    /// assert_eq!(Adagrad::optax(0.01), same);
    /// ```
    #[must_use]
    #[inline(always)]
    pub const fn optax(learning_rate: f32) -> Self {
        Self::new(learning_rate).with_epsilon(Epsilon::InsideSqrt(1e-7)).with_initial_accumulator(0.1)
    }

    /// The step of `GloVe`'s `glove.c` at the rate η (Pennington, Socher and Manning, *`GloVe`: Global Vectors for Word
    /// Representation*, 2014), in `f32`. Accumulators start at 1.
    ///
    /// It multiplies gradients by η first: it accumulates `(η·g)²`, and moves by `η·g/√G` with `G` from before the step. So
    /// η is the gradient scale here, the rate is 1, ε is 0, and the order is [`Order::StepFirst`]. A new rate is set by
    /// [`Adagrad::with_gradient_scale`]. A step may move a parameter by more than η.
    ///
    /// ```
    /// use adagrad::{Adagrad, Epsilon, Order};
    ///
    /// let same = Adagrad::new(1.0)
    ///     .with_gradient_scale(0.05)
    ///     .with_epsilon(Epsilon::OutsideSqrt(0.0))
    ///     .with_order(Order::StepFirst)
    ///     .with_initial_accumulator(1.0);
    /// assert_eq!(Adagrad::glove(0.05), same);
    /// ```
    #[must_use]
    #[inline(always)]
    pub const fn glove(learning_rate: f32) -> Self {
        Self::new(1.0)
            .with_gradient_scale(learning_rate)
            .with_epsilon(Epsilon::OutsideSqrt(0.0))
            .with_order(Order::StepFirst)
            .with_initial_accumulator(1.0)
    }
}
