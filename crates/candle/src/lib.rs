//! Adagrad for [candle](https://github.com/huggingface/candle): a [`candle_nn::Optimizer`] whose step changes parameters and
//! accumulators in place, by the kernels of [`adagrad`].
//!
//! ```
//! use adagrad_candle::{Adagrad, AdagradOptimizer, Config, Optimizer, Schedule};
//! use candle_core::{DType, Device, Tensor};
//! use candle_nn::{Init, Linear, Module, VarBuilder, VarMap};
//!
//! let variables = VarMap::new();
//! let builder = VarBuilder::from_varmap(&variables, DType::F32, &Device::Cpu);
//! let weight = builder.get_with_hints((1, 2), "weight", Init::Const(0.0))?;
//! let bias = builder.get_with_hints(1, "bias", Init::Const(0.0))?;
//! let model = Linear::new(weight, Some(bias));
//! let config = Config::new(Adagrad::pytorch(0.5)).with_schedule(Schedule::constant(0.5).with_linear_cool_down(100, 100, 0.0));
//! let mut optimizer = AdagradOptimizer::from_var_map(&variables, config)?;
//!
//! // Learn y = 2·a − b + 1.
//! let x = Tensor::new(&[[0_f32, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]], &Device::Cpu)?;
//! let y = Tensor::new(&[[1_f32], [0.0], [3.0], [2.0]], &Device::Cpu)?;
//! let loss = || candle_nn::loss::mse(&model.forward(&x)?, &y);
//! for _ in 0..200 {
//!     optimizer.backward_step(&loss()?)?;
//! }
//! assert!(loss()?.to_scalar::<f32>()? < 1e-4);
//! # Ok::<(), candle_core::Error>(())
//! ```
//!
//! The formula, and what each hyper-parameter does, is at [`adagrad::Adagrad`]. All of them are supported, for all types and
//! devices.
//!
//! # Types, devices, and what is rounded when
//!
//! | parameters | accumulators | a step |
//! |---|---|---|
//! | `F32` on the CPU | `F32` | [`adagrad::Adagrad::step`], in place, with its bits |
//! | `BF16`, `F16` on the CPU | `F32` | the same, in place, on blocks of 1,024 values that are made `f32`; the new parameter is rounded once |
//! | `F64`, other floating-point types, other devices | `F64` for `F64`, else `F32` | operations of tensors by the same formula, then a copy |
//! | integers | none | they are left alone, as candle's own optimizers do |
//!
//! - A 16-bit parameter is made `f32` exactly. The formula is done in `f32`. The new parameter is rounded to the nearest 16-bit
//!   value, to an even one at a tie. So an update below half a unit in the last place of `w` is lost: for `BF16` that
//!   is `|w|·2⁻⁹`, for `F16` `|w|·2⁻¹²`. Where that matters keep the parameters in `F32`.
//! - With [`NonFinite::Skip`](adagrad::NonFinite::Skip) an element is left as it was also where its new parameter is rounded to an
//!   infinity.
//! - A gradient is in any floating-point type. It is made the accumulator's type first, which rounds only from `F64` to `f32`.
//! - Operations of tensors round each product and each sum, so there [`Arithmetic`](adagrad::Arithmetic) is always `Separate`.
//!   On the CPU they give the bits of the kernels. Other devices were not tested; they may round differently.
//! - Hyper-parameters are `f32`, and so are the rates of a [`Schedule`]. A rate of
//!   [`set_learning_rate`](candle_nn::Optimizer::set_learning_rate) is used as it is for `F64`, and rounded to `f32` for others.
//!
//! # Gradients
//!
//! They need not be contiguous: those that are not are copied first. A variable that has no gradient is left as it is: it does
//! not decay either. Gradients of embeddings are dense in candle: rows that were not looked up have a gradient of 0, which
//! changes neither them nor their accumulators, unless there is weight decay, or the accumulator forgets.
//!
//! # Errors
//!
//! All that can be wrong with a call is found before anything is written: see
//! [`AdagradOptimizer::step`](AdagradOptimizer#method.step).
//!
//! # Features
//!
//! `rayon`: steps of 2¹⁹ or more `F32` parameters run on several threads, in rayon's pool, which candle uses, too. The bits are
//! the same.

mod config;
mod in_place;
mod narrow;
mod optimizer;
mod state;
mod tensors;

pub use adagrad::{self, Adagrad, Schedule};
pub use candle_nn::Optimizer;
pub use config::Config;
pub use optimizer::AdagradOptimizer;

/// The code of the README, and of the page on `ndarray`, compiled.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../README.md")]
    struct Readme;
    #[doc = include_str!("../../../docs/ndarray.md")]
    struct Ndarray;
}
