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
        .with_src(package.join("src/schedule.rs"))
        .with_src(package.join("src/calls.rs"))
        .with_src(package.join("src/table.rs"))
        .with_src(package.join("src/regularized.rs"))
        .with_src(package.join("src/values.rs"))
        .with_src(package.join("src/abi.rs"))
        .with_src(package.join("src/abi/table.rs"))
        .with_src(package.join("src/abi/regularized.rs"))
        .with_src(package.join("src/rounding.rs"))
        .with_src(package.join("src/abi/bf16.rs"))
        .with_src(package.join("src/abi/f16.rs"))
        .generate()?
        .write(&mut header);
    made("include/adagrad.h", guarded(&String::from_utf8(header)?).as_bytes())
}

/// Puts the declarations of 16-bit types, and those that name one, into `#if defined(ADAGRAD_HALF)`. cbindgen could do it for
/// functions, but not for a table of one type, which has no `cfg` of its own.
fn guarded(header: &str) -> String {
    let mut parts = Vec::new();
    let mut inside = false;
    // A declaration has no empty line, and there is one between any two.
    for part in header.trim_end().split("\n\n") {
        let mut code = part.lines().map(str::trim).filter(|line| !line.starts_with("//"));
        let is_sixteen = code.any(|line| ["bf16", "_f16", "adagrad_round"].iter().any(|name| line.contains(name)));
        if is_sixteen != inside {
            parts.push(if is_sixteen { "#if defined(ADAGRAD_HALF)" } else { "#endif // defined(ADAGRAD_HALF)" });
        }
        inside = is_sixteen;
        parts.push(part);
    }
    parts.join("\n\n") + "\n"
}
