//! Passes the linker script, and says where the memories are.

use std::path::Path;
use std::{env, fs};

/// What all of QEMU's mps2-an386 (Cortex-M4F), mps2-an385 (Cortex-M3) and microbit (Cortex-M0) have.
const ARM: &str = "\
MEMORY
{
    FLASH : ORIGIN = 0x00000000, LENGTH = 512K
    RAM : ORIGIN = 0x20000000, LENGTH = 16K
}
";

/// Two parts of the memory of QEMU's virt.
const RISCV: &str = "\
MEMORY
{
    FLASH : ORIGIN = 0x80000000, LENGTH = 512K
    RAM : ORIGIN = 0x80100000, LENGTH = 16K
}
";

fn main() {
    let (out, target) = (env::var("OUT_DIR"), env::var("TARGET"));
    let (Ok(out), Ok(target)) = (out, target) else { panic!("cargo sets both") };
    let memory = if target.starts_with("riscv") { RISCV } else { ARM };
    if let Err(error) = fs::write(Path::new(&out).join("memory.x"), memory) {
        panic!("{out}/memory.x: {error}");
    }
    println!("cargo:rerun-if-changed=build.rs");
    println!("cargo:rerun-if-changed=link.x");
    println!("cargo:rustc-link-search={out}");
    println!("cargo:rustc-link-arg-bins=-T{}/link.x", env!("CARGO_MANIFEST_DIR"));
    println!("cargo:rustc-link-arg-bins=--nmagic");
}
