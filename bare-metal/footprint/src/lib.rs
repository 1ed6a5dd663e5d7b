//! What the images share: where they start, what they are given, and how they end.
//!
//! Each image defines a function [`call`], which `reset` calls once. Slices, options and lengths come from memory that
//! the compiler cannot see through, so no image is optimized for one input.
//!
//! No image links if a panic is reachable in it: the panic handler calls a function that does not exist. With
//! `--cfg panics_link` it links all the same, so that the panic can be found.
#![no_std]

pub mod decode;

use core::hint::black_box;
use core::panic::PanicInfo;
use core::ptr;

use adagrad::{Adagrad, Arithmetic, Error, Report};
use half::{bf16, f16};

#[cfg(panics_link)]
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    finish()
}

#[cfg(not(panics_link))]
#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    // SAFETY: no linked image calls it, because it is nowhere defined.
    unsafe extern "C" {
        safe fn a_panic_is_reachable() -> !;
    }
    a_panic_is_reachable()
}

/// Words that stand at the start of RAM before an image runs. `bare-metal/footprint/measure` has a debugger's way to put them there.
pub struct Words {
    next: *const u32,
}

impl Words {
    /// The next word.
    pub fn word(&mut self) -> u32 {
        // SAFETY: RAM begins here on every board that an image runs on, is aligned, and any bits are an integer.
        let word = unsafe { ptr::read_volatile(self.next) };
        self.next = self.next.wrapping_add(1);
        word
    }

    /// The next word as a number.
    pub fn float(&mut self) -> f32 {
        f32::from_bits(self.word())
    }

    /// The next word as yes or no.
    pub fn flag(&mut self) -> bool {
        self.word() != 0
    }

    /// A slice at the address, and of the length, of the next two words.
    pub fn slice<T: Plain>(&mut self) -> &'static mut [T] {
        let (start, len) = (self.word() as usize, self.word() as usize);
        // SAFETY: whoever wrote the words wrote them for slices that are valid, aligned and apart from each other.
        unsafe { core::slice::from_raw_parts_mut(start as *mut T, len) }
    }
}

/// Types for which any bits are a value.
pub trait Plain: Copy + 'static {}
impl Plain for f32 {}
impl Plain for bf16 {}
impl Plain for f16 {}
impl Plain for u32 {}
impl Plain for u64 {}
impl Plain for usize {}
impl Plain for i32 {}
impl Plain for i64 {}

/// What a step is given.
pub struct Memory {
    /// Unknown to the compiler.
    pub options: Adagrad,
    /// The parameters.
    pub params: &'static mut [f32],
    /// The gradients.
    pub grads: &'static mut [f32],
    /// The accumulators.
    pub accumulator: &'static mut [f32],
    /// Row indices.
    pub rows: &'static mut [u32],
    /// Columns.
    pub dim: usize,
    /// What follows.
    pub words: Words,
}

/// What a step returns.
pub type Outcome = Result<Report, Error>;

// SAFETY: each image defines it with this type.
unsafe extern "Rust" {
    /// What an image is about. It must be `#[inline(never)]`: sizes, stacks and instructions are those of this call.
    safe fn call(memory: &mut Memory) -> Outcome;
}

/// Where RAM begins: see build.rs.
const RAM: usize = if cfg!(target_arch = "arm") { 0x2000_0000 } else { 0x8010_0000 };

#[cfg(target_arch = "arm")]
core::arch::global_asm!(".section .vectors, \"a\"", ".word top_of_stack", ".word reset");
#[cfg(not(target_arch = "arm"))]
core::arch::global_asm!(".section .vectors, \"ax\"", "la sp, top_of_stack", "j reset");

/// Where the processor starts.
#[unsafe(no_mangle)]
extern "C" fn reset() -> ! {
    enable_fpu();
    run();
    finish()
}

/// Apart from `reset`, which must not use the floating-point unit before it is on.
#[inline(never)]
fn run() {
    let mut words = Words { next: RAM as *const u32 };
    let arithmetic = if words.flag() { Arithmetic::Fused } else { Arithmetic::Separate };
    let mut memory = black_box(Memory {
        options: Adagrad::new(0.1).with_arithmetic(arithmetic),
        params: words.slice(),
        grads: words.slice(),
        accumulator: words.slice(),
        rows: words.slice(),
        dim: words.word() as usize,
        words,
    });
    let _ = black_box(call(&mut memory));
}

fn enable_fpu() {
    #[cfg(all(target_arch = "arm", target_abi = "eabihf"))]
    {
        let cpacr = 0xE000_ED88 as *mut u32;
        // SAFETY: the register exists on every Cortex-M with a floating-point unit; these bits turn the unit on.
        unsafe {
            ptr::write_volatile(cpacr, ptr::read_volatile(cpacr) | 0b1111 << 20);
            core::arch::asm!("dsb", "isb");
        }
    }
}

/// Ends the emulator.
fn finish() -> ! {
    #[cfg(target_arch = "arm")]
    // SAFETY: semihosting's SYS_EXIT with ADP_Stopped_ApplicationExit.
    unsafe {
        core::arch::asm!("bkpt #0xAB", in("r0") 0x18, in("r1") 0x2_0026);
    }
    #[cfg(not(target_arch = "arm"))]
    // SAFETY: QEMU's virt has a device there that ends it.
    unsafe {
        ptr::write_volatile(0x10_0000 as *mut u32, 0x5555);
    }
    loop {
        core::hint::spin_loop();
    }
}
