//! A shared library with an undefined symbol does not link: so none can reach a panic, see src/abi.rs.

fn main() {
    println!("cargo::rerun-if-changed=build.rs");
    if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|os| os == "linux") {
        println!("cargo::rustc-cdylib-link-arg=-Wl,-z,defs");
        println!("cargo::rustc-cdylib-link-arg=-lc"); // memcpy and memset
        // Below 1.0 a new minor version may break programs, and has another name: as cargo-c does it.
        let (major, minor) = (env!("CARGO_PKG_VERSION_MAJOR"), env!("CARGO_PKG_VERSION_MINOR"));
        println!("cargo::rustc-cdylib-link-arg=-Wl,-soname,libadagrad.so.{major}.{minor}");
    }
}
