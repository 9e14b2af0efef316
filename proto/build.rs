//! Compiles the contracts with protox and turns the access option of every RPC into a table and a page.
//!
//! An RPC without the option, or whose option contradicts itself, fails the build: there is no default access.

#[path = "build/access.rs"]
mod access;

use std::path::{Path, PathBuf};

type Error = Box<dyn std::error::Error>;

fn main() -> Result<(), Error> {
    println!("cargo:rerun-if-changed=osallisuus");
    let out = PathBuf::from(std::env::var("OUT_DIR")?);
    let files = contracts(Path::new("osallisuus"))?;

    let mut compiler = protox::Compiler::new(["."])?;
    compiler.include_source_info(true).include_imports(true).open_files(&files)?;
    // The plain descriptor set would lose the option's values: prost drops what it does not know.
    let encoded = compiler.encode_file_descriptor_set();
    std::fs::write(out.join("descriptors.bin"), &encoded)?;

    let pool = prost_reflect::DescriptorPool::decode(encoded.as_slice())?;
    let entries = access::entries(&pool)?;
    std::fs::write(out.join("access_table.rs"), access::table(&entries))?;
    std::fs::write(out.join("ACCESS.md"), access::page(&entries))?;

    let mut names = tonic_prost_build::Config::new();
    names.enable_type_names();
    tonic_prost_build::configure()
        .emit_rerun_if_changed(false)
        .compile_fds_with_config(compiler.file_descriptor_set(), names)?;
    Ok(())
}

/// Every .proto file below `folder`, in a stable order.
fn contracts(folder: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            found.extend(contracts(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "proto") {
            found.push(path);
        }
    }
    found.sort();
    Ok(found)
}
