//! Square root and fused multiply-add of processors without an operating system, if they have them.
#![expect(unsafe_code, reason = "instructions, and a function of the runtime; see each proof")]

/// `√a`, correctly rounded, if the processor has an instruction for it. It is called as the runtime's function, in whose
/// place the compiler puts the instruction.
#[inline(always)]
pub(in crate::backend) fn sqrt(a: f32) -> Option<f32> {
    // SAFETY: this is C's function, with C's types. Rust's `compiler_builtins` defines it wherever there is no
    // operating system. It is pure: any argument is fine, and nothing is read or written.
    unsafe extern "C" {
        safe fn sqrtf(a: f32) -> f32;
    }

    /// NaN from memory: a constant would be put in place for every element, in case that it is needed.
    #[cold]
    fn nan() -> f32 {
        core::hint::black_box(f32::NAN)
    }

    if !HAS_FPU {
        return None;
    }
    if a < zero() {
        return Some(nan());
    }
    // SAFETY: `a` is not below 0, by the comparison before.
    unsafe { core::hint::assert_unchecked(a >= 0.0 || a.is_nan()) };
    // C's function reports negative values, so the compiler keeps a call of the runtime beside the instruction, which
    // links 500 bytes, unless it sees that there are none.
    Some(sqrtf(a))
}

/// Zero, opaque to the compiler. It drops a promise that a comparison implies before it can use it, so [`sqrt`] compares
/// with this. Loops keep it in a register.
#[inline(always)]
fn zero() -> f32 {
    let bits: u32;
    // SAFETY: this does nothing but write the register that it is given, and flags.
    unsafe {
        #[cfg(target_arch = "arm")]
        core::arch::asm!("movs {}, #0", out(reg) bits, options(pure, nomem, nostack));
        #[cfg(not(target_arch = "arm"))]
        core::arch::asm!("li {}, 0", out(reg) bits, options(pure, nomem, nostack));
    }
    f32::from_bits(bits)
}

/// Whether the processor has a floating-point unit. Stable Rust does not say so itself: on Arm the ABI tells; on RISC-V
/// the control registers that come with the unit, from Rust 1.94 on, until `f` is stable. Where this is wrong the results stay
/// right: `false` takes the root in software, and `true` calls the runtime's function.
pub(in crate::backend) const HAS_FPU: bool =
    cfg!(any(all(target_arch = "arm", target_abi = "eabihf"), target_feature = "f", target_feature = "zicsr"));

/// `a·b + c`, rounded once, if the processor has an instruction for it that stable Rust can reach.
///
/// The compiler never puts an instruction in the place of the runtime's `fmaf`, which computes in `f64`, in software on
/// most of these processors. RISC-V's instruction must not be executed without its extension `f`, which Rust shows to be
/// there only from the release on that has `target_feature = "f"` stable (rust-lang/rust#161385). Before, as on 1.95,
/// nothing is certain: the target's name is known to build scripts only, its ABI has no name, and `zicsr` may be there
/// without `f`.
#[inline(always)]
pub(in crate::backend) fn mul_add(a: f32, b: f32, c: f32) -> Option<f32> {
    // Each Cortex-M with a floating-point unit has the instruction; older Cortex-R and Cortex-A, which unlike a
    // Cortex-M have atomics of 64 bits, do not.
    #[cfg(all(target_arch = "arm", target_abi = "eabihf", not(target_has_atomic = "64")))]
    {
        let mut bits = c.to_bits();
        // SAFETY: the ABI says that the unit is there. Only the listed registers change. They are moved because stable
        // Rust has no name for a register of a single-precision unit as an operand.
        unsafe {
            core::arch::asm!(
                "vmov s0, {sum}",
                "vmov s1, {a}",
                "vmov s2, {b}",
                "vfma.f32 s0, s1, s2",
                "vmov {sum}, s0",
                sum = inout(reg) bits,
                a = in(reg) a.to_bits(),
                b = in(reg) b.to_bits(),
                out("s0") _,
                out("s1") _,
                out("s2") _,
                options(pure, nomem, nostack, preserves_flags),
            );
        }
        Some(f32::from_bits(bits))
    }
    #[cfg(all(any(target_arch = "riscv32", target_arch = "riscv64"), target_feature = "f"))]
    {
        let sum: f32;
        // SAFETY: the extension is there, and only the listed register changes.
        unsafe {
            core::arch::asm!(
                "fmadd.s {sum}, {a}, {b}, {c}",
                sum = lateout(freg) sum,
                a = in(freg) a,
                b = in(freg) b,
                c = in(freg) c,
                options(pure, nomem, nostack, preserves_flags),
            );
        }
        Some(sum)
    }
    #[cfg(not(any(
        all(target_arch = "arm", target_abi = "eabihf", not(target_has_atomic = "64")),
        all(any(target_arch = "riscv32", target_arch = "riscv64"), target_feature = "f"),
    )))]
    {
        let _ = (a, b, c);
        None
    }
}
