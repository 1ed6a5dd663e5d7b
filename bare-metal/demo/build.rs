//! Packs the images, one byte a pixel, and says where a board's memory is.

use core::error::Error;
use std::path::{Path, PathBuf};
use std::{env, fs};

const DIGITS: &str = "../../examples/data/digits.csv";

/// The BBC micro:bit's nRF51822: Cortex-M0.
const MICROBIT: &str = "\
MEMORY
{
    FLASH : ORIGIN = 0x00000000, LENGTH = 256K
    RAM : ORIGIN = 0x20000000, LENGTH = 16K
}
";

/// Arm's MPS2 board with the image AN386: Cortex-M4 with a floating-point unit.
const MPS2: &str = "\
MEMORY
{
    FLASH : ORIGIN = 0x00000000, LENGTH = 4M
    RAM : ORIGIN = 0x20000000, LENGTH = 4M
}
";

/// QEMU's `virt`, which has RAM only: all is loaded there.
const VIRT: &str = "\
MEMORY
{
    RAM : ORIGIN = 0x80000000, LENGTH = 1M
}
REGION_ALIAS(\"REGION_TEXT\", RAM);
REGION_ALIAS(\"REGION_RODATA\", RAM);
REGION_ALIAS(\"REGION_DATA\", RAM);
REGION_ALIAS(\"REGION_BSS\", RAM);
REGION_ALIAS(\"REGION_HEAP\", RAM);
REGION_ALIAS(\"REGION_STACK\", RAM);
";

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build.rs");
    println!("cargo::rerun-if-changed={DIGITS}");
    let out = PathBuf::from(env::var("OUT_DIR")?);
    fs::write(out.join("digits.bin"), images(Path::new(DIGITS))?)?;

    if env::var("CARGO_CFG_TARGET_OS")? == "none" {
        let target = env::var("TARGET")?;
        let memory = match target.as_str() {
            "thumbv6m-none-eabi" => MICROBIT,
            "thumbv7em-none-eabihf" => MPS2,
            "riscv32imac-unknown-none-elf" | "riscv32imafc-unknown-none-elf" => VIRT,
            _ => return Err(format!("no board for {target}").into()),
        };
        fs::write(out.join("memory.x"), memory)?;
        println!("cargo::rustc-link-search={}", out.display());
        // The runtime's script, which includes memory.x; and sections that lie where it says, not at pages.
        println!("cargo::rustc-link-arg=-Tlink.x");
        println!("cargo::rustc-link-arg=--nmagic");
    }
    Ok(())
}

/// The images' bytes: 64 pixels in 0..=16, then the digit.
fn images(path: &Path) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut bytes = Vec::new();
    for (line, number) in fs::read_to_string(path)?.lines().zip(1..) {
        let values = line.split(',').map(str::parse).collect::<Result<Vec<u8>, _>>()?;
        match values.split_last() {
            Some((0..=9, pixels)) if pixels.len() == 64 && pixels.iter().all(|&pixel| pixel <= 16) => {}
            _ => return Err(format!("{}:{number}: not 64 pixels and a digit", path.display()).into()),
        }
        bytes.extend(values);
    }
    Ok(bytes)
}
