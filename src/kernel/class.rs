//! Classes of rules: loops have a copy for each, in which the compiler knows what the rule lacks.

use super::Flags;

/// What rules have in common.
pub(crate) trait Class {
    /// The terms that they lack.
    const WITHOUT: Flags;
}

/// The rules that most steps have.
pub(crate) struct Usual;

/// The same, with weight decay of either kind or without.
pub(crate) struct Decayed;

/// All rules.
pub(crate) struct Any;

impl Class for Usual {
    const WITHOUT: Flags = Flags::UNUSUAL;
}

impl Class for Decayed {
    const WITHOUT: Flags = Flags::UNUSUAL.set(Flags::DECAY, false);
}

impl Class for Any {
    const WITHOUT: Flags = Flags::NONE;
}
