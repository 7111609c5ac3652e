fn main() {
    // The library has a thread of its own, so it must stay mapped when the VM
    // purges the module: an unmapped running thread is a crash.
    println!("cargo:rustc-cdylib-link-arg=-Wl,-z,nodelete");
    println!("cargo:rerun-if-changed=build.rs");
}
