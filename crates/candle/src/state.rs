//! The state: accumulators and the number of steps, saved and loaded.

use std::collections::HashMap;
use std::path::Path;

use candle_core::{DType, Device, Result, Tensor, bail, safetensors};

use crate::AdagradOptimizer;
use crate::optimizer::Slot;

const STEPS: &str = "steps";
const ACCUMULATOR: &str = "accumulator.";

/// The state, which is `accumulator.NAME` for each variable, and `steps`, a number in `I64`. Hyper-parameters and the parameters
/// themselves are no part of it.
///
/// ```
/// use adagrad_candle::{Adagrad, AdagradOptimizer, Config, Optimizer};
/// use candle_core::{Device, Var};
/// use candle_nn::{Init, VarMap};
///
/// let variables = VarMap::new();
/// let w = variables.get(3, "w", Init::Const(1.0), candle_core::DType::F32, &Device::Cpu)?;
/// let mut optimizer = AdagradOptimizer::from_var_map(&variables, Config::new(Adagrad::new(0.1)))?;
/// optimizer.backward_step(&w.sqr()?.sum_all()?)?;
///
/// let path = std::env::temp_dir().join("adagrad-candle-example.safetensors");
/// optimizer.save(&path)?; // and variables.save(…)
/// let mut resumed = AdagradOptimizer::from_var_map(&variables, Config::new(Adagrad::new(0.1)))?;
/// resumed.load(&path)?;
/// assert_eq!(resumed.steps(), 1);
/// # std::fs::remove_file(path)?;
/// # Ok::<(), candle_core::Error>(())
/// ```
impl AdagradOptimizer {
    /// Writes the state as safetensors.
    ///
    /// # Errors
    ///
    /// If the file cannot be written.
    pub fn save(&self, path: impl AsRef<Path>) -> Result<()> {
        safetensors::save(&self.shared()?, path)
    }

    /// Reads a state that [`save`](Self::save) has written.
    ///
    /// # Errors
    ///
    /// If the file cannot be read, and those of [`load_state`](Self::load_state).
    pub fn load(&mut self, path: impl AsRef<Path>) -> Result<()> {
        self.load_state(&safetensors::load(path, &Device::Cpu)?)
    }

    /// A copy of the state.
    ///
    /// # Errors
    ///
    /// If a device has no memory left.
    pub fn state(&self) -> Result<HashMap<String, Tensor>> {
        self.shared()?.into_iter().map(|(name, tensor)| Ok((name, tensor.force_contiguous()?))).collect()
    }

    /// Sets the state. Other entries of the map, such as parameters, are not looked at.
    ///
    /// # Errors
    ///
    /// If an accumulator or `steps` is missing, an accumulator has another shape or type, or is of no variable here, or one of its
    /// values is negative, infinite or NaN. Nothing has been written then. If a device fails, some of the
    /// accumulators may have been set.
    pub fn load_state(&mut self, state: &HashMap<String, Tensor>) -> Result<()> {
        let of_a_variable = |name: &str| self.slots.iter().any(|slot| slot.name == name);
        if let Some(name) =
            state.keys().filter_map(|key| key.strip_prefix(ACCUMULATOR)).find(|name| !of_a_variable(name))
        {
            bail!("adagrad: {ACCUMULATOR}{name} is of no variable here");
        }
        let get = |key: &str| match state.get(key) {
            Some(tensor) => Ok(tensor),
            None => bail!("adagrad: {key} is missing"),
        };
        let steps = get(STEPS)?;
        let steps = match (steps.dtype(), steps.rank()) {
            (DType::I64, 0) => u64::try_from(steps.to_scalar::<i64>()?).ok(),
            _ => None,
        };
        let Some(steps) = steps else { bail!("adagrad: {STEPS} is no number in I64 that is at least 0") };
        let mut new = Vec::with_capacity(self.slots.len());
        for slot in &self.slots {
            let key = format!("{ACCUMULATOR}{}", slot.name);
            new.push(checked(slot, &key, get(&key)?)?);
        }
        for (slot, new) in self.slots.iter().zip(new) {
            slot.accumulator.set(&new)?;
        }
        self.steps = steps;
        Ok(())
    }

    /// The state, whose tensors share the storage of the accumulators.
    fn shared(&self) -> Result<HashMap<String, Tensor>> {
        let mut state = HashMap::with_capacity(self.slots.len() + 1);
        for slot in &self.slots {
            state.insert(format!("{ACCUMULATOR}{}", slot.name), slot.accumulator.as_detached_tensor());
        }
        state.insert(STEPS.into(), Tensor::new(self.steps as i64, &Device::Cpu)?);
        Ok(state)
    }
}

/// A new accumulator on its variable's device.
fn checked(slot: &Slot, key: &str, new: &Tensor) -> Result<Tensor> {
    let old = &slot.accumulator;
    if new.shape() != old.shape() || new.dtype() != old.dtype() {
        let [new, old] = [new, old].map(|tensor| format!("{:?} {:?}", tensor.dtype(), tensor.shape()));
        bail!("adagrad: {key} is {new}, expected {old}");
    }
    let bad = |value: &f64| !(value.is_finite() && *value >= 0.0);
    let values = new.to_device(&Device::Cpu)?.to_dtype(DType::F64)?.flatten_all()?.to_vec1::<f64>()?;
    if let Some(position) = values.iter().position(bad) {
        bail!("adagrad: {key}[{position}] is {}, expected finite and at least 0", values[position]);
    }
    // A copy where it is one of these accumulators.
    new.to_device(old.device())?.force_contiguous()
}
