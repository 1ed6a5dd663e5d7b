//! Instructions that need `unsafe` to reach, and the only file with `unsafe`.
//!
//! On x86: AVX2 with FMA, and AVX-512F. Each instruction set is a row of the macro at the end. The list of features in it
//! feeds the detection, which is the only way to a token, and every `#[target_feature]`, so the two cannot drift apart.
//!
//! On bare metal: the square root and the fused multiply-add of the processor, if it has them.
#![cfg_attr(
    any(
        any(target_arch = "x86", target_arch = "x86_64"),
        all(target_os = "none", any(target_arch = "arm", target_arch = "riscv32", target_arch = "riscv64")),
    ),
    expect(
        unsafe_code,
        reason = "instructions that only some CPUs have, and functions of the runtime; see each proof"
    )
)]

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
pub(super) use x86::{Avx2, Avx512};

/// `√a`, correctly rounded, if there is a better way than [`scalar`](super::scalar)'s own.
#[cfg(not(all(target_os = "none", any(target_arch = "arm", target_arch = "riscv32", target_arch = "riscv64"))))]
#[inline(always)]
pub(super) fn sqrt(a: f32) -> Option<f32> {
    Some(libm::sqrtf(a))
}

/// `√a`, correctly rounded, if the processor has an instruction for it. It is called as the runtime's function, in whose
/// place the compiler puts the instruction.
#[cfg(all(target_os = "none", any(target_arch = "arm", target_arch = "riscv32", target_arch = "riscv64")))]
#[inline(always)]
pub(super) fn sqrt(a: f32) -> Option<f32> {
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

/// 0, of which the compiler does not know it. It drops a promise that a comparison implies before it has any use for it,
/// so [`sqrt`] compares with this. Loops keep it in a register.
#[cfg(all(target_os = "none", any(target_arch = "arm", target_arch = "riscv32", target_arch = "riscv64")))]
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
/// the control registers that come with the unit, from Rust 1.94 on, until `f` is stable. Where this is wrong the results
/// are right all the same: `false` takes the root in software, and `true` calls the runtime's function.
#[cfg(all(target_os = "none", any(target_arch = "arm", target_arch = "riscv32", target_arch = "riscv64")))]
const HAS_FPU: bool =
    cfg!(any(all(target_arch = "arm", target_abi = "eabihf"), target_feature = "f", target_feature = "zicsr"));

/// `a·b + c`, rounded once, if the processor has an instruction for it that stable Rust can reach.
///
/// The compiler never puts an instruction in the place of the runtime's `fmaf`, which computes in `f64`, in software on
/// most of these processors. RISC-V's instruction must not be executed without its extension `f`, which Rust shows to be
/// there only from the release on that has `target_feature = "f"` stable (rust-lang/rust#161385). Before, as on 1.95,
/// nothing is certain: the target's name is known to build scripts only, its ABI has no name, and `zicsr` may be there
/// without `f`.
#[inline(always)]
pub(super) fn mul_add(a: f32, b: f32, c: f32) -> Option<f32> {
    // Each Cortex-M with a floating-point unit has the instruction; older Cortex-R and Cortex-A, which unlike a
    // Cortex-M have atomics of 64 bits, do not.
    #[cfg(all(target_arch = "arm", target_os = "none", target_abi = "eabihf", not(target_has_atomic = "64")))]
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
    #[cfg(all(any(target_arch = "riscv32", target_arch = "riscv64"), target_os = "none", target_feature = "f"))]
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
    #[cfg(not(all(
        target_os = "none",
        any(
            all(target_arch = "arm", target_abi = "eabihf", not(target_has_atomic = "64")),
            all(any(target_arch = "riscv32", target_arch = "riscv64"), target_feature = "f"),
        )
    )))]
    {
        let _ = (a, b, c);
        None
    }
}

/// What stands for the x86 tokens on other CPUs: types without values.
#[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
mod absent {
    use crate::lanes::Kernel;

    pub(crate) enum Absent {}

    impl Absent {
        pub(crate) fn detect() -> Option<Self> {
            None
        }

        pub(crate) fn enter<K: Kernel>(self, _: K) -> K::Output {
            match self {}
        }
    }
}
#[cfg(not(any(target_arch = "x86", target_arch = "x86_64")))]
pub(super) use absent::{Absent as Avx2, Absent as Avx512};

#[cfg(any(target_arch = "x86", target_arch = "x86_64"))]
mod x86 {
    #[cfg(target_arch = "x86")]
    use core::arch::x86::*;
    #[cfg(target_arch = "x86_64")]
    use core::arch::x86_64::*;

    use crate::lanes::{Kernel, Lanes};

    /// A function compiled for the listed features.
    macro_rules! with_features {
        ([$($feature:tt),+] $($function:tt)+) => {
        $(#[target_feature(enable = $feature)])+
        $($function)+
    };
}

    /// A module whose `get` says whether the CPU has the listed features.
    macro_rules! detection {
    ($module:ident, [$($feature:tt),+]) => {
        cpufeatures::new!($module, $($feature),+);
    };
}

    /// The first type, or the second where there is no first.
    macro_rules! or_else {
        (, $Default:ty) => {
            $Default
        };
        ($Type:ty, $Default:ty) => {
            $Type
        };
    }

    macro_rules! instruction_set {
    (
        $(#[$doc:meta])*
        $Token:ident $(detected as $detection:ident)?, $features:tt, $Vector:ident, $lanes:literal,
        $(narrower $Narrower:ident,)?
        $(const $CONSTANT:ident: $Constant:ty = $value:expr;)*
        $(fn $operation:ident($($argument:ident $(: $Argument:ty)?),*) $(-> $Result:ty)? = $body:expr;)*
    ) => {
        $(detection!($detection, $features);)?

        $(#[$doc])*
        ///
        /// Invariant: it exists only if the CPU, and the operating system, have the features.
        #[derive(Clone, Copy)]
        pub(crate) struct $Token(());

        $(
            impl $Token {
                /// The token, if the CPU has the features and the target uses vector registers at all: one without SSE
                /// is an operating system's kernel, which must leave them alone.
                #[inline(always)]
                pub(crate) fn detect() -> Option<Self> {
                    (cfg!(target_feature = "sse2") && $detection::get()).then_some(Self(()))
                }

                /// Runs a kernel, compiled for the features: all of it is inlined here.
                #[inline(always)]
                pub(crate) fn enter<K: Kernel>(self, kernel: K) -> K::Output {
                    with_features! { $features
                        fn inside<K: Kernel>(lanes: $Token, kernel: K) -> K::Output {
                            kernel.run(lanes)
                        }
                    }
                    // SAFETY: `inside` is safe but for its features, and by the token's invariant the CPU has them.
                    unsafe { inside(self, kernel) }
                }
            }
        )?

        impl Lanes<$lanes> for $Token {
            type Vector = $Vector;

            $(const $CONSTANT: $Constant = $value;)*

            #[inline(always)]
            fn load(self, from: &[f32; $lanes]) -> $Vector {
                bytemuck::must_cast(*from)
            }

            #[inline(always)]
            fn store(self, v: $Vector, to: &mut [f32; $lanes]) {
                *to = bytemuck::must_cast(v);
            }

            #[inline(always)]
            fn splat(self, x: f32) -> $Vector {
                bytemuck::must_cast([x; $lanes])
            }

            $(
                const HAS_NARROWER: bool = true;

                #[inline(always)]
                fn on_narrower<K: Kernel>(self, kernel: K) -> K::Output {
                    // It has the same features, so the invariant holds for it, too.
                    kernel.run($Narrower(()))
                }
            )?

            const CAN_PREFETCH: bool = true;

            #[inline(always)]
            fn prefetch(self, values: &[f32]) {
                prefetch(values);
            }

            $(
                #[inline(always)]
                fn $operation(self, $($argument: or_else!($($Argument)?, $Vector)),*) -> or_else!($($Result)?, $Vector) {
                    with_features! { $features
                        #[inline]
                        fn inside($($argument: or_else!($($Argument)?, $Vector)),*) -> or_else!($($Result)?, $Vector) {
                            $body
                        }
                    }
                    // SAFETY: `inside` is safe but for its features, and by the token's invariant the CPU has them.
                    unsafe { inside($($argument),*) }
                }
            )*
        }
    };
}

    /// Asks for the lines of 64 bytes that a slice is in.
    #[inline(always)]
    fn prefetch(values: &[f32]) {
        for line in values.chunks(16) {
            // SAFETY: a prefetch changes nothing but the caches, and whatever the address it does not fail. It belongs to
            // SSE, which every token stands for.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(line.as_ptr().cast()) };
        }
        if let Some(last) = values.last() {
            // SAFETY: as above. This line is another one if the slice begins in the midst of one.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(core::ptr::from_ref(last).cast()) };
        }
    }

    instruction_set! {
        /// AVX2 and FMA.
        Avx2 detected as cpu_has_avx2, ["avx2", "fma"], __m256, 8,
        narrower Avx2Narrow,
        const ESTIMATE_ERROR: f32 = 1.5 / 4096.0;
        fn add(a, b) = _mm256_add_ps(a, b);
        fn sub(a, b) = _mm256_sub_ps(a, b);
        fn mul(a, b) = _mm256_mul_ps(a, b);
        fn div(a, b) = _mm256_div_ps(a, b);
        fn sqrt(a) = _mm256_sqrt_ps(a);
        fn mul_add(a, b, c) = _mm256_fmadd_ps(a, b, c);
        fn min(a, b) = _mm256_min_ps(a, b);
        fn max(a, b) = _mm256_max_ps(a, b);
        fn if_zero(test, zero, other) = _mm256_blendv_ps(other, zero, _mm256_cmp_ps::<_CMP_EQ_OQ>(test, _mm256_setzero_ps()));
        // The difference of a value and itself is 0, or NaN where the value is not finite.
        fn if_finite(test, finite, other) = _mm256_blendv_ps(other, finite, _mm256_cmp_ps::<_CMP_ORD_Q>(_mm256_sub_ps(test, test), test));
        fn count_non_finite(a) -> usize = _mm256_movemask_ps(_mm256_cmp_ps::<_CMP_UNORD_Q>(_mm256_sub_ps(a, a), a)).count_ones() as usize;
        // One less in the exponent, which makes infinity finite.
        fn rsqrt_and_half(a) -> Option<(__m256, __m256)> = Some((_mm256_rsqrt_ps(a), _mm256_castsi256_ps(_mm256_sub_epi32(_mm256_castps_si256(a), _mm256_set1_epi32(1 << 23)))));
        fn reciprocal(a) -> Option<__m256> = Some(_mm256_rcp_ps(a));
    }

    instruction_set! {
        /// AVX2 and FMA, on half a register.
        Avx2Narrow, ["avx2", "fma"], __m128, 4,
        const ESTIMATE_ERROR: f32 = 1.5 / 4096.0;
        fn add(a, b) = _mm_add_ps(a, b);
        fn sub(a, b) = _mm_sub_ps(a, b);
        fn mul(a, b) = _mm_mul_ps(a, b);
        fn div(a, b) = _mm_div_ps(a, b);
        fn sqrt(a) = _mm_sqrt_ps(a);
        fn mul_add(a, b, c) = _mm_fmadd_ps(a, b, c);
        fn min(a, b) = _mm_min_ps(a, b);
        fn max(a, b) = _mm_max_ps(a, b);
        fn if_zero(test, zero, other) = _mm_blendv_ps(other, zero, _mm_cmpeq_ps(test, _mm_setzero_ps()));
        fn if_finite(test, finite, other) = _mm_blendv_ps(other, finite, _mm_cmpord_ps(_mm_sub_ps(test, test), test));
        fn count_non_finite(a) -> usize = _mm_movemask_ps(_mm_cmpunord_ps(_mm_sub_ps(a, a), a)).count_ones() as usize;
        fn rsqrt_and_half(a) -> Option<(__m128, __m128)> = Some((_mm_rsqrt_ps(a), _mm_castsi128_ps(_mm_sub_epi32(_mm_castps_si128(a), _mm_set1_epi32(1 << 23)))));
        fn reciprocal(a) -> Option<__m128> = Some(_mm_rcp_ps(a));
    }

    instruction_set! {
        /// AVX-512F, and AVX2 and FMA, which every CPU with it has.
        Avx512 detected as cpu_has_avx512, ["avx512f", "avx2", "fma"], __m512, 16,
        narrower Avx2,
        const ESTIMATE_ERROR: f32 = 1.0 / 16384.0;
        const ROOT_OF_PRODUCTS: bool = true;
        fn all_zero_or_at_least(a, least: f32) -> bool = {
            let zero = _mm512_cmp_ps_mask::<_CMP_EQ_OQ>(a, _mm512_setzero_ps());
            let at_least = _mm512_cmp_ps_mask::<_CMP_GE_OQ>(a, _mm512_set1_ps(least));
            let finite = _mm512_cmp_ps_mask::<_CMP_LE_OQ>(a, _mm512_set1_ps(f32::MAX));
            (zero | at_least) & finite == 0xFFFF
        };
        fn add(a, b) = _mm512_add_ps(a, b);
        fn sub(a, b) = _mm512_sub_ps(a, b);
        fn mul(a, b) = _mm512_mul_ps(a, b);
        fn div(a, b) = _mm512_div_ps(a, b);
        fn sqrt(a) = _mm512_sqrt_ps(a);
        fn mul_add(a, b, c) = _mm512_fmadd_ps(a, b, c);
        fn min(a, b) = _mm512_min_ps(a, b);
        fn max(a, b) = _mm512_max_ps(a, b);
        fn if_zero(test, zero, other) = _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_EQ_OQ>(test, _mm512_setzero_ps()), other, zero);
        fn if_finite(test, finite, other) = _mm512_mask_blend_ps(_mm512_cmp_ps_mask::<_CMP_ORD_Q>(_mm512_sub_ps(test, test), test), other, finite);
        fn count_non_finite(a) -> usize = _mm512_cmp_ps_mask::<_CMP_UNORD_Q>(_mm512_sub_ps(a, a), a).count_ones() as usize;
        // One less in the exponent, which makes infinity finite.
        fn rsqrt_and_half(a) -> Option<(__m512, __m512)> = Some((_mm512_rsqrt14_ps(a), _mm512_castsi512_ps(_mm512_sub_epi32(_mm512_castps_si512(a), _mm512_set1_epi32(1 << 23)))));
        fn reciprocal(a) -> Option<__m512> = Some(_mm512_rcp14_ps(a));
    }
}
