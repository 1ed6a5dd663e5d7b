//! Writes `src/abi/f16.rs` from `bf16.rs`, and `include/adagrad.h` from the library's source; with `--check`, fails if others
//! are there.

use std::error::Error;
use std::fs;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let package = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let check = std::env::args().any(|argument| argument == "--check");
    let made = |path: &str, content: &[u8]| -> Result<(), Box<dyn Error>> {
        let path = package.join(path);
        if !check {
            fs::write(path, content)?;
        } else if fs::read(&path)? != content {
            return Err(format!("{} is out of date: run `cargo run -p header` in crates/c", path.display()).into());
        }
        Ok(())
    };

    let functions = fs::read_to_string(package.join("src/abi/bf16.rs"))?;
    let (_, functions) = functions.split_once('\n').ok_or("src/abi/bf16.rs is empty")?;
    let first = "//! The functions that C calls for `f16`. Made of `bf16.rs` by `header/`: do not edit.\n";
    made("src/abi/f16.rs", (first.to_owned() + &functions.replace("bf16", "f16")).as_bytes())?;

    let mut header = Vec::new();
    cbindgen::Builder::new()
        .with_config(cbindgen::Config::from_file(package.join("cbindgen.toml"))?)
        .with_src(package.join("src/status.rs"))
        .with_src(package.join("src/options.rs"))
        .with_src(package.join("src/rounding.rs"))
        .with_src(package.join("src/schedule.rs"))
        .with_src(package.join("src/calls.rs"))
        .with_src(package.join("src/table.rs"))
        .with_src(package.join("src/regularized.rs"))
        .with_src(package.join("src/values.rs"))
        .with_src(package.join("src/abi.rs"))
        .with_src(package.join("src/abi/table.rs"))
        .with_src(package.join("src/abi/regularized.rs"))
        .with_src(package.join("src/abi/bf16.rs"))
        .with_src(package.join("src/abi/f16.rs"))
        .generate()?
        .write(&mut header);
    made("include/adagrad.h", &header)
}
