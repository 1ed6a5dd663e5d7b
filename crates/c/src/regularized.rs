//! FTRL-Proximal and proximal Adagrad, with their hyper-parameters as a plain struct.

use adagrad_rs::{Ftrl, Proximal};

use crate::options::{BackendKind, named};
use crate::status::Status;

/// The hyper-parameters of steps with L1 and L2, whose parameters become exactly 0. Make them by adagrad_regularized_new.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct Regularized {
    /// Finite, and at least 0; above 0 for adagrad_ftrl_step.
    pub learning_rate: f32,
    /// The strength of L1: finite and at least 0.
    pub l1: f32,
    /// The strength of L2: finite and at least 0.
    pub l2: f32,
    /// An adagrad_backend.
    pub backend: u8,
    /// Must be 0.
    pub reserved: [u8; 3],
}

impl Regularized {
    fn check(&self) -> Result<(), Status> {
        let is_known = self.backend <= BackendKind::Avx512 as u8 && self.reserved == [0; 3];
        if is_known { Ok(()) } else { Err(Status::Option) }
    }

    pub fn ftrl(&self) -> Result<Ftrl, Status> {
        self.check()?;
        let ftrl = Ftrl::new(self.learning_rate).with_l1(self.l1).with_l2(self.l2);
        Ok(named(self.backend).map_or(ftrl, |backend| ftrl.with_backend(backend)))
    }

    pub fn proximal(&self) -> Result<Proximal, Status> {
        self.check()?;
        let proximal = Proximal::new(self.learning_rate).with_l1(self.l1).with_l2(self.l2);
        Ok(named(self.backend).map_or(proximal, |backend| proximal.with_backend(backend)))
    }
}
