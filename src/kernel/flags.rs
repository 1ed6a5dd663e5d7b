//! Which terms of the update are on, and which hyper-parameters are out of range.

/// A set of bits, so that one test tells whether any of several is on.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flags(u32);

impl Flags {
    pub(crate) const NONE: Self = Self(0);

    // Terms of the update.
    pub(crate) const FUSED: Self = Self(1 << 0);
    pub(crate) const EPSILON_INSIDE: Self = Self(1 << 1);
    pub(crate) const EPSILON_IS_ZERO: Self = Self(1 << 2);
    pub(crate) const SCALE: Self = Self(1 << 3);
    pub(crate) const CLIP: Self = Self(1 << 4);
    pub(crate) const L2: Self = Self(1 << 5);
    pub(crate) const DECOUPLED: Self = Self(1 << 6);
    pub(crate) const FORGET: Self = Self(1 << 7);
    pub(crate) const AVERAGE: Self = Self(1 << 8);
    pub(crate) const SKIP: Self = Self(1 << 9);
    /// The scale's sign is turned. Kernels do not look at it.
    pub(crate) const MAXIMIZE: Self = Self(1 << 10);

    /// The denominator is made of `G` from before this step.
    pub(crate) const STEP_FIRST: Self = Self(1 << 15);

    /// A backend is named. Kernels do not look at it.
    pub(crate) const FORCED: Self = Self(1 << 14);

    /// `Arithmetic::Fast` is asked for; and hyper-parameters that keep it from being done.
    pub(crate) const FAST: Self = Self(1 << 11);
    pub(crate) const RATE_TOO_LARGE: Self = Self(1 << 12);
    pub(crate) const EPSILON_TOO_FAR: Self = Self(1 << 13);

    /// What is in the way of estimates. Where the step comes first a quotient may be infinite, or nearly, of which products
    /// would make NaN.
    const NOT_FOR_FAST: Self = Self(Self::RATE_TOO_LARGE.0 | Self::EPSILON_TOO_FAR.0 | Self::STEP_FIRST.0);

    // Hyper-parameters out of range.
    pub(crate) const BAD_LEARNING_RATE: Self = Self(1 << 16);
    pub(crate) const BAD_EPSILON: Self = Self(1 << 17);
    pub(crate) const BAD_WEIGHT_DECAY: Self = Self(1 << 18);
    pub(crate) const BAD_GRADIENT_SCALE: Self = Self(1 << 19);
    pub(crate) const BAD_CLIP_VALUE: Self = Self(1 << 20);
    pub(crate) const BAD_ACCUMULATION: Self = Self(1 << 21);
    pub(crate) const BAD_INITIAL_ACCUMULATOR: Self = Self(1 << 22);

    /// All hyper-parameters out of range.
    pub(crate) const BAD: Self = Self(0xFFFF << 16);

    /// The terms that usual rules lack: see [`Class`](super::Class).
    pub(crate) const UNUSUAL: Self = Self(
        Self::EPSILON_IS_ZERO.0
            | Self::GRADIENT.0
            | Self::DECOUPLED.0
            | Self::FORGET.0
            | Self::AVERAGE.0
            | Self::STEP_FIRST.0
            | Self::SKIP.0,
    );

    /// Either weight decay.
    pub(crate) const DECAY: Self = Self(Self::L2.0 | Self::DECOUPLED.0);

    /// What a step of a few elements, without detection, is not for: the build may lack a fused multiply-add, which takes
    /// longer in software (see the instructions in docs/bare-metal.md), and a bad hyper-parameter is an error.
    pub(crate) const NOT_FOR_FEW: Self =
        Self((Self::UNUSUAL.0 & !Self::DECAY.0) | Self::FUSED.0 | Self::FORCED.0 | Self::BAD.0);

    /// What changes the gradient.
    pub(crate) const GRADIENT: Self = Self(Self::SCALE.0 | Self::CLIP.0 | Self::L2.0);

    /// All that are in either set.
    #[inline(always)]
    pub(crate) const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// With all of another set on or off.
    #[inline(always)]
    pub(crate) const fn set(self, flags: Self, on: bool) -> Self {
        if on { Self(self.0 | flags.0) } else { Self(self.0 & !flags.0) }
    }

    /// Whether any of another set is on.
    #[inline(always)]
    pub(crate) const fn any(self, of: Self) -> bool {
        self.0 & of.0 != 0
    }

    /// With nothing in the way of estimates.
    #[inline(always)]
    pub(crate) const fn fast(self) -> Self {
        Self(self.0 & !Self::NOT_FOR_FAST.0 | Self::FAST.0)
    }

    /// Whether quotients come from estimates, on lanes that have them: the one place that says where `Arithmetic::Fast`
    /// is done.
    #[inline(always)]
    pub(crate) const fn is_fast(self) -> bool {
        self.0 & (Self::FAST.0 | Self::NOT_FOR_FAST.0) == Self::FAST.0
    }
}
