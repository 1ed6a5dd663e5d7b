//! The pages of `docs/`, to be read where the documentation is. This module exists only while documentation is built:
//! no program contains it.
//!
//! - [`architecture`]: how a call gets from [`Adagrad::step`](crate::Adagrad::step) to the instructions.
//! - [`bare_metal`]: a program for a microcontroller, and what a step costs there.
//! - [`benchmarks`]: how fast the steps are.
//! - [`decisions`]: what was measured, and what was decided by it.
//! - [`scaling`]: threads, processes and machines, and a model of time and memory for up to 10¹² parameters.
//! - [`trust`]: checks from outside, bounds, exhaustive tests and mutants, with what came of them.

/// A page names the file that a label stands for, at its end. What stands first counts: here the label is a module.
macro_rules! labels {
    () => {
        "[architecture.md]: crate::guide::architecture
[bare-metal.md]: crate::guide::bare_metal
[benchmarks.md]: crate::guide::benchmarks
[decisions.md]: crate::guide::decisions
[scaling.md]: crate::guide::scaling
[trust.md]: crate::guide::trust
"
    };
}

#[doc = labels!()]
#[doc = include_str!("../docs/architecture.md")]
pub mod architecture {}

#[doc = labels!()]
#[doc = include_str!("../docs/bare-metal.md")]
pub mod bare_metal {}

// A chart is no file here: the page's own images are hidden, and the charts follow at its end.
#[doc = labels!()]
#[doc = include_str!("../docs/benchmarks.md")]
#[doc = "\n# Charts\n"]
#[doc = "<style>img[src^='charts/'] { display: none } .docblock svg { max-width: 100%; height: auto }</style>\n"]
#[doc = include_str!("../docs/charts/dense.svg")]
#[doc = ""]
#[doc = include_str!("../docs/charts/rows.svg")]
#[doc = ""]
#[doc = include_str!("../docs/charts/calls.svg")]
pub mod benchmarks {}

#[doc = labels!()]
#[doc = include_str!("../docs/decisions.md")]
pub mod decisions {}

#[doc = labels!()]
#[doc = include_str!("../docs/scaling.md")]
pub mod scaling {}

#[doc = labels!()]
#[doc = include_str!("../docs/trust.md")]
pub mod trust {}
