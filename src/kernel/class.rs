//! Classes of rules: loops have a copy for each, in which the compiler knows what the rule lacks.

use core::marker::PhantomData;

use super::Flags;

/// What rules have in common.
pub(crate) trait Class {
    /// The terms that they lack.
    const WITHOUT: Flags;

    /// Whether they are the rules that most steps have, for which there are most loops.
    const IS_USUAL: bool = false;

    /// Whether they are those, and those with weight decay.
    const IS_DECAYED: bool = false;

    /// Whether their steps may be made of estimates.
    const MAY_BE_FAST: bool = false;

    /// Whether all roots are the divider's, since the other units convert what is loaded and stored: see docs/decisions.md,
    /// "Steps of 16-bit types leave roots to the divider".
    const ROOTS_BY_DIVIDER: bool = false;

    /// Whether what is less than a block is stepped as halves: see docs/decisions.md, "What is more than half a block is one
    /// block".
    const IN_HALVES: bool = false;

    /// How many lanes have copies of loops over short rows for them: see docs/decisions.md, "Weight decay has short loops of its
    /// own".
    const LEAST_LANES: usize = 4;

    /// The class that stands for it on portable lanes and on one.
    type Elsewhere: Class;
}

/// The rules that most steps have.
pub(crate) struct Usual;

/// The same, with weight decay of either kind or without.
pub(crate) struct Decayed;

/// All rules.
pub(crate) struct Any;

/// A class whose steps may be made of estimates.
pub(crate) struct MaybeFast<C>(PhantomData<C>);

/// A class whose steps convert.
#[cfg(feature = "half")]
pub(crate) struct Converting<C>(PhantomData<C>);

#[cfg(feature = "half")]
impl<C: Class> Class for Converting<C> {
    const WITHOUT: Flags = C::WITHOUT;
    const ROOTS_BY_DIVIDER: bool = true;
    const LEAST_LANES: usize = C::LEAST_LANES;

    type Elsewhere = C::Elsewhere;
}

impl<C: Class> Class for MaybeFast<C> {
    const WITHOUT: Flags = C::WITHOUT;
    const MAY_BE_FAST: bool = true;
    const LEAST_LANES: usize = C::LEAST_LANES;

    type Elsewhere = C::Elsewhere;
}

impl Class for Usual {
    const WITHOUT: Flags = Flags::UNUSUAL;
    const IS_USUAL: bool = true;

    type Elsewhere = Usual;
}

impl Class for Decayed {
    const WITHOUT: Flags = Flags::UNUSUAL.set(Flags::DECAY, false);
    const IS_DECAYED: bool = true;
    const IN_HALVES: bool = true;
    const LEAST_LANES: usize = 8;

    type Elsewhere = Any;
}

impl Class for Any {
    const WITHOUT: Flags = Flags::NONE;
    const LEAST_LANES: usize = 8;

    type Elsewhere = Any;
}
