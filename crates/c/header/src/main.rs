//! Writes `include/adagrad.h` from the library's source; with `--check`, fails if another one is there.

use std::error::Error;
use std::fs;
use std::path::Path;

fn main() -> Result<(), Box<dyn Error>> {
    let package = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let path = package.join("include/adagrad.h");
    let configuration = cbindgen::Config::from_file(package.join("cbindgen.toml"))?;
    let mut header = Vec::new();
    cbindgen::Builder::new()
        .with_config(configuration)
        .with_src(package.join("src/status.rs"))
        .with_src(package.join("src/options.rs"))
        .with_src(package.join("src/schedule.rs"))
        .with_src(package.join("src/calls.rs"))
        .with_src(package.join("src/table.rs"))
        .with_src(package.join("src/regularized.rs"))
        .with_src(package.join("src/values.rs"))
        .with_src(package.join("src/abi.rs"))
        .with_src(package.join("src/abi/table.rs"))
        .with_src(package.join("src/abi/regularized.rs"))
        .generate()?
        .write(&mut header);
    if std::env::args().any(|argument| argument == "--check") {
        if fs::read(&path)? != header {
            return Err("include/adagrad.h is out of date: run `cargo run -p header` in crates/c".into());
        }
    } else {
        fs::write(&path, header)?;
    }
    Ok(())
}
