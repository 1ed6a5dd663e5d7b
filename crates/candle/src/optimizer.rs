//! The optimizer: its variables, the checks of a call, and which way a step goes.

use std::collections::HashSet;

use adagrad::{Adagrad, Schedule};
use candle_core::backprop::GradStore;
use candle_core::{DType, Error, Result, Tensor, Var, bail};
use candle_nn::{Optimizer, VarMap};

use crate::{Config, in_place, tensors};

/// Adagrad as a [`candle_nn::Optimizer`]. See the [crate](crate) for types, devices and rounding.
///
/// ```
/// use adagrad_candle::{Adagrad, AdagradOptimizer, Config, Optimizer};
/// use candle_core::{Device, Var};
///
/// let w = Var::new(&[1_f32, -1.0], &Device::Cpu)?;
/// let mut optimizer = AdagradOptimizer::new(vec![w.clone()], Config::new(Adagrad::new(0.1)))?;
/// optimizer.backward_step(&w.sqr()?.sum_all()?)?;
/// assert_eq!(w.to_vec1::<f32>()?, [0.9, -0.9]);
/// # Ok::<(), candle_core::Error>(())
/// ```
#[derive(Debug)]
pub struct AdagradOptimizer {
    pub(crate) slots: Vec<Slot>,
    pub(crate) steps: u64,
    options: Adagrad,
    rate: Rate,
    skipped: usize,
    /// Where the storages of variables and accumulators lie, which does not change.
    addresses: HashSet<usize>,
}

/// A variable and what belongs to it.
#[derive(Debug)]
pub(crate) struct Slot {
    pub(crate) name: String,
    pub(crate) accumulator: Var,
    var: Var,
    /// Whether there is a kernel for it.
    in_place: bool,
}

#[derive(Clone, Copy, Debug)]
enum Rate {
    Fixed(f64),
    Schedule(Schedule),
}

/// Making one.
impl AdagradOptimizer {
    /// For the variables of a map, by their names in it, which [`save`](Self::save) uses.
    ///
    /// # Errors
    ///
    /// Those of [`AdagradOptimizer::named`].
    pub fn from_var_map(variables: &VarMap, config: Config) -> Result<Self> {
        let Ok(variables) = variables.data().lock() else { bail!("adagrad: a thread that held the map has panicked") };
        let mut named: Vec<_> = variables.iter().map(|(name, var)| (name.clone(), var.clone())).collect();
        named.sort_by(|a, b| a.0.cmp(&b.0));
        Self::named(named, config)
    }

    /// For variables with names, which [`save`](Self::save) uses. Integers are left out.
    ///
    /// # Errors
    ///
    /// If a hyper-parameter is out of its range, a name or a variable is there twice, or candle cannot do what a step of
    /// such a variable needs. That is tried with one element here, so that training does not find it out.
    pub fn named(variables: Vec<(String, Var)>, config: Config) -> Result<Self> {
        let Config { options, schedule, by_tensors } = config;
        let (mut names, mut ids) = (HashSet::new(), HashSet::new());
        let mut slots = Vec::with_capacity(variables.len());
        for (name, var) in variables {
            if !ids.insert(var.id()) {
                bail!("adagrad: variable {name} is there twice, expected once");
            }
            if !names.insert(name.clone()) {
                bail!("adagrad: name {name} is there twice, expected once");
            }
            if var.dtype().is_float() {
                slots.push(Slot::new(name, var, options.initial_accumulator(), by_tensors)?);
            }
        }
        let rate = schedule.map_or(Rate::Fixed(options.learning_rate().into()), Rate::Schedule);
        let addresses = slots.iter().flat_map(|slot| [address(&slot.var), address(&slot.accumulator)]).collect();
        let optimizer = Self { slots, steps: 0, options, rate, skipped: 0, addresses };
        optimizer.try_out(&optimizer.options())?;
        Ok(optimizer)
    }
}

/// Each variable has its position as its name. `VarMap::all_vars` has another order in each run: for a state that is to be
/// saved, take [`AdagradOptimizer::from_var_map`].
impl Optimizer for AdagradOptimizer {
    type Config = Config;

    /// # Errors
    ///
    /// Those of [`AdagradOptimizer::named`].
    fn new(variables: Vec<Var>, config: Config) -> Result<Self> {
        Self::named(variables.into_iter().enumerate().map(|(i, var)| (i.to_string(), var)).collect(), config)
    }

    /// One step for every variable that has a gradient.
    ///
    /// # Errors
    ///
    /// If the rate is not finite or negative, or a gradient does not fit its variable in shape, device or type. Nothing has been
    /// written then. Behind these checks nothing can fail on the CPU. Another device may fail, as when it has no memory left: then
    /// variables before the one that the error names have been stepped, that one and those after it have not, and the
    /// step is not counted.
    fn step(&mut self, grads: &GradStore) -> Result<()> {
        let (options, rate) = (self.options(), self.learning_rate());
        check(&options)?;
        let mut ready = Vec::with_capacity(self.slots.len());
        for slot in &self.slots {
            if let Some(grad) = grads.get(&slot.var) {
                ready.push((slot, slot.usable(grad, &self.addresses)?));
            }
        }
        let mut skipped = 0;
        for (slot, grad) in ready {
            skipped +=
                slot.step(&options, rate, &grad).map_err(|error| error.context(slot.about("cannot be stepped")))?;
        }
        self.steps += 1;
        self.skipped = skipped;
        Ok(())
    }

    /// The rate of the next step.
    fn learning_rate(&self) -> f64 {
        match self.rate {
            Rate::Fixed(rate) => rate,
            Rate::Schedule(schedule) => schedule.at(self.steps.saturating_add(1)).into(),
        }
    }

    /// Sets the rate of all steps from now on. It replaces a schedule.
    fn set_learning_rate(&mut self, rate: f64) {
        self.rate = Rate::Fixed(rate);
    }
}

/// Between steps.
impl AdagradOptimizer {
    /// The hyper-parameters, at the rate of the next step.
    #[must_use]
    pub fn options(&self) -> Adagrad {
        self.options.with_learning_rate(self.learning_rate() as f32)
    }

    /// Sets all hyper-parameters but the learning rate, as for a
    /// [gradient scale](adagrad::Adagrad::with_gradient_scale) that limits the norm of this step's gradients.
    ///
    /// # Errors
    ///
    /// If one is out of its range, or candle lacks what it needs. Nothing has changed then.
    pub fn set_options(&mut self, options: Adagrad) -> Result<()> {
        let options = options.with_learning_rate(self.options().learning_rate());
        self.try_out(&options)?;
        self.options = options;
        Ok(())
    }

    /// How many steps have been taken.
    #[must_use]
    pub fn steps(&self) -> u64 {
        self.steps
    }

    /// How many elements the last step left as they were, by [`NonFinite::Skip`](adagrad::NonFinite::Skip).
    #[must_use]
    pub fn skipped(&self) -> usize {
        self.skipped
    }

    /// The accumulator of a variable, which has its shape, if it is a variable of this optimizer.
    #[must_use]
    pub fn accumulator(&self, variable: &Var) -> Option<&Var> {
        self.slots.iter().find(|slot| slot.var.id() == variable.id()).map(|slot| &slot.accumulator)
    }

    /// Checks the hyper-parameters, and tries operations of tensors with one element of each type and device.
    fn try_out(&self, options: &Adagrad) -> Result<()> {
        check(options)?;
        let mut tried = HashSet::new();
        for slot in self.slots.iter().filter(|slot| !slot.in_place) {
            if tried.insert((slot.var.dtype(), slot.var.device().location())) {
                let one = |like: &Var| Tensor::ones(1, like.dtype(), like.device());
                let step = || {
                    let (w, a) = (one(&slot.var)?, one(&slot.accumulator)?);
                    tensors::step(options, 1.0, &w, &a.to_dtype(w.dtype())?.to_dtype(a.dtype())?, &a)
                };
                step().map_err(|error| error.context(slot.about("cannot be stepped")))?;
            }
        }
        Ok(())
    }
}

/// The checks of a step, by a step of nothing.
fn check(options: &Adagrad) -> Result<()> {
    options.step(&mut [], &[], &mut []).map_err(Error::wrap)?;
    Ok(())
}

impl Slot {
    fn new(name: String, var: Var, initial: f32, by_tensors: bool) -> Result<Self> {
        if !var.is_contiguous() {
            bail!("adagrad: variable {name} is not contiguous, and cannot be set");
        }
        let narrow = matches!(var.dtype(), DType::F32 | DType::BF16 | DType::F16);
        let in_place = narrow && var.device().is_cpu() && !by_tensors;
        let dtype = if var.dtype() == DType::F64 { DType::F64 } else { DType::F32 };
        let accumulator = Var::from_tensor(&Tensor::full(initial, var.shape(), var.device())?.to_dtype(dtype)?)?;
        Ok(Self { name, accumulator, var, in_place })
    }

    fn about(&self, what: &str) -> String {
        format!("adagrad: variable {} ({:?}, {:?}) {what}", self.name, self.var.dtype(), self.var.shape())
    }

    /// The gradient as the step takes it, or why it does not fit. What is stepped before must not change it, so it gets a copy
    /// if it shares the storage of a variable or an accumulator.
    fn usable(&self, grad: &Tensor, addresses: &HashSet<usize>) -> Result<Tensor> {
        if grad.shape() != self.var.shape() {
            bail!("{}", self.about(&format!("has a gradient of shape {:?}", grad.shape())));
        }
        if !grad.device().same_device(self.var.device()) {
            bail!("{}", self.about(&format!("has a gradient on {:?}", grad.device().location())));
        }
        if !grad.dtype().is_float() {
            bail!("{}", self.about(&format!("has a gradient of type {:?}", grad.dtype())));
        }
        // These share the gradient's storage where there is nothing to do.
        let keeps = self.in_place && grad.dtype() == self.var.dtype();
        let dtype = if keeps { grad.dtype() } else { self.accumulator.dtype() };
        let grad = grad.detach().to_dtype(dtype)?;
        if addresses.contains(&address(&grad)) { grad.force_contiguous() } else { grad.contiguous() }
    }

    /// How many elements were skipped.
    fn step(&self, options: &Adagrad, rate: f64, grad: &Tensor) -> Result<usize> {
        if self.in_place {
            return in_place::step(options, &self.var, grad, &self.accumulator);
        }
        if self.var.elem_count() == 0 {
            return Ok(0); // candle's operations may return what they were given, which a variable cannot be set to
        }
        let [params, accumulator] = [&self.var, &self.accumulator].map(Var::as_detached_tensor);
        let new = tensors::step(options, rate, &params, grad, &accumulator)?;
        self.var.set(&new.params)?;
        self.accumulator.set(&new.accumulator)?;
        Ok(new.skipped)
    }
}

/// Where a tensor's storage lies, to tell whether two tensors share one.
fn address(tensor: &Tensor) -> usize {
    core::ptr::from_ref(&*tensor.storage_and_layout().0).addr()
}
