//! Where it runs: how it starts and ends, its output, its arguments, and its count of instructions.

#[cfg(target_os = "none")]
pub use semihosting::println;
#[cfg(not(target_os = "none"))]
pub use std::println;

#[cfg(all(target_os = "none", target_arch = "arm"))]
pub use cortex_m::counted;
#[cfg(not(target_os = "none"))]
pub use host::counted;
#[cfg(all(target_os = "none", target_arch = "riscv32"))]
pub use riscv::counted;

#[cfg(all(target_os = "none", target_arch = "arm"))]
mod cortex_m {
    use core::sync::atomic::{Ordering, compiler_fence};

    use cortex_m::peripheral::{SYST, syst::SystClkSource};

    /// What `SysTick` counts by: the processor's clock, which is that of the nRF51822 where there is no floating-point
    /// unit, and that of AN386 where there is one.
    const MEGAHERTZ: u64 = if cfg!(target_abi = "eabihf") { 25 } else { 16 };
    /// `SysTick` has 24 bits.
    const MOST: u32 = 0x00FF_FFFF;

    #[cortex_m_rt::entry]
    fn start() -> ! {
        if let Some(mut peripherals) = cortex_m::Peripherals::take() {
            peripherals.SYST.set_clock_source(SystClkSource::Core);
            peripherals.SYST.set_reload(MOST);
            peripherals.SYST.clear_current();
            peripherals.SYST.enable_counter();
        }
        super::bare_metal::run()
    }

    /// Runs `work`, and says how many instructions it took, to one tick: 40, or 62 on the nRF51822.
    pub fn counted<T>(work: impl FnOnce() -> T) -> (T, u64) {
        let start = SYST::get_current();
        // Reading a register does not keep the compiler from moving the work past it.
        compiler_fence(Ordering::SeqCst);
        let result = work();
        compiler_fence(Ordering::SeqCst);
        let ticks = start.wrapping_sub(SYST::get_current()) & MOST; // it counts down
        (result, u64::from(ticks) * 1000 / MEGAHERTZ)
    }
}

#[cfg(all(target_os = "none", target_arch = "riscv32"))]
mod riscv {
    use riscv::register::minstret;

    #[riscv_rt::entry]
    fn start() -> ! {
        super::bare_metal::run()
    }

    /// Runs `work`, and says how many instructions it took.
    pub fn counted<T>(work: impl FnOnce() -> T) -> (T, u64) {
        let start = minstret::read();
        let result = work();
        (result, minstret::read().wrapping_sub(start) as u64)
    }
}

#[cfg(target_os = "none")]
mod bare_metal {
    use semihosting::experimental::env;
    use semihosting::process;

    pub fn run() -> ! {
        let is_given = |word| env::args::<64>().is_ok_and(|arguments| (&arguments).any(|given| given == Ok(word)));
        let good = crate::run(is_given("bits"), is_given("count"));
        process::exit(if good { 0 } else { 1 })
    }
}

#[cfg(not(target_os = "none"))]
mod host {
    /// Runs `work`. Nothing counts.
    pub fn counted<T>(work: impl FnOnce() -> T) -> (T, u64) {
        (work(), 0)
    }
}
