//! Builds what is measured.

use std::error::Error;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

use fs_err as fs;

use crate::command;
use crate::options::Nif;

type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// Modules in Erlang that are compiled together.
struct Modules {
    sources: &'static str,
    /// What else they are made of.
    headers: &'static [&'static str],
    ebin: &'static str,
}

const LIBRARY: Modules =
    Modules { sources: "src_erl/*.erl", headers: &["include/*.hrl"], ebin: "_build/bench/ebin" };
const CASES: Modules = Modules {
    sources: "bench/erl/*.erl",
    headers: &["bench/erl/*.hrl", "include/*.hrl"],
    ebin: "_build/bench/erl",
};
/// An application directory for each build of the library: `NAME/gen_sctp_nif/{ebin,priv}`.
const APPLICATIONS: &str = "_build/bench/apps";

/// The library, the cases, and the applications of our own build and of others.
pub(crate) fn all(others: &[Nif]) -> Result<()> {
    command::run(&mut Command::new("scripts/build-nif"))?;
    compile(&LIBRARY)?;
    fs::copy("src_erl/gen_sctp_nif.app.src", Path::new(LIBRARY.ebin).join("gen_sctp_nif.app"))?;
    compile(&CASES)?;
    application("nif", Path::new("priv/gen_sctp_nif.so"))?;
    for Nif { name, file } in others {
        application(name, file)?;
    }
    Ok(())
}

/// Compiles them if anything is newer than the last time.
fn compile(modules: &Modules) -> Result<()> {
    let done = Path::new(modules.ebin).join(".done");
    let sources = files(modules.sources)?;
    let mut all = sources.clone();
    for headers in modules.headers {
        all.extend(files(headers)?);
    }
    if is_newer(&all, &done)? {
        fs::create_dir_all(modules.ebin)?;
        let mut erlc = Command::new("erlc");
        command::run(erlc.args(["-I", "include", "-o", modules.ebin]).args(sources))?;
        fs::write(done, "")?;
    }
    Ok(())
}

fn files(pattern: &str) -> Result<Vec<PathBuf>> {
    Ok(glob::glob(pattern)?.collect::<std::result::Result<_, _>>()?)
}

/// Is any of the files newer than `done`, or is that not there?
fn is_newer(files: &[PathBuf], done: &Path) -> Result<bool> {
    if !done.exists() {
        return Ok(true);
    }
    let done = fs::metadata(done)?.modified()?;
    for file in files {
        if fs::metadata(file)?.modified()? > done {
            return Ok(true);
        }
    }
    Ok(false)
}

fn application(name: &str, library: &Path) -> Result<()> {
    let application = Path::new(APPLICATIONS).join(name).join("gen_sctp_nif");
    fs::create_dir_all(application.join("priv"))?;
    let ebin = application.join("ebin");
    if !ebin.is_symlink() {
        symlink("../../../ebin", &ebin).map_err(|error| format!("{}: {error}", ebin.display()))?;
    }
    fs::copy(library, application.join("priv/gen_sctp_nif.so"))?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, SystemTime};

    use super::*;

    #[test]
    fn modules_are_compiled_again_if_a_source_is_newer() {
        let dir = std::env::temp_dir().join(format!("sctp-bench-{}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        let (done, files) = (dir.join("done"), [dir.join("one"), dir.join("two")]);
        let at = |file: &Path, seconds| {
            let time = SystemTime::UNIX_EPOCH + Duration::from_secs(seconds);
            fs::File::create(file).unwrap().into_file().set_modified(time).unwrap();
        };
        at(&files[0], 10);
        at(&files[1], 20);
        assert!(is_newer(&files, &done).unwrap(), "not compiled yet");
        at(&done, 20);
        assert!(!is_newer(&files, &done).unwrap());
        at(&files[1], 21);
        assert!(is_newer(&files, &done).unwrap());
        fs::remove_file(&files[0]).unwrap();
        at(&done, 30);
        let error = is_newer(&files, &done).unwrap_err().to_string();
        assert!(error.contains("one"), "{error}");
        fs::remove_dir_all(dir).unwrap();
    }
}
