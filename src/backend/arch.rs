//! Instructions that need `unsafe` to reach: the only folder with `unsafe`.
//!
//! Where a module's processor is another one, a file without instructions stands for it.

/// NEON. On a big-endian processor the portable backend serves instead.
#[cfg_attr(
    not(all(target_arch = "aarch64", target_feature = "neon", target_endian = "little")),
    path = "arch/aarch64/absent.rs"
)]
pub(super) mod aarch64;

/// Square root and fused multiply-add of one value.
#[cfg_attr(
    all(target_os = "none", any(target_arch = "arm", target_arch = "riscv32", target_arch = "riscv64")),
    path = "arch/bare_metal.rs"
)]
pub(super) mod scalar;

/// Calls with their arguments in registers.
pub(super) mod thin;

/// AVX2 and AVX-512. A target without SSE2 is the kernel of an operating system, which must leave vectors alone.
#[cfg_attr(
    not(all(any(target_arch = "x86", target_arch = "x86_64"), target_feature = "sse2")),
    path = "arch/x86/absent.rs"
)]
pub(super) mod x86;
