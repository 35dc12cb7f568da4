//! Getting a worker started on a host: one `sh` script that finds it, or takes it
//! from the same stream, checks it, puts it in place and becomes it.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::LinkError;
use super::program::Program;

/// Printed by the script before it becomes the worker; frames follow.
pub const GO: &str = "RPLAY-GO";
/// Printed when the worker is not there: architecture and `gzip` or `plain` follow.
pub(super) const NEED: &str = "RPLAY-NEED";
/// Printed when nothing can be put anywhere: the reason follows.
pub(super) const STUCK: &str = "RPLAY-STUCK";

/// The command that makes `rplay` itself a worker; so does a name that starts with `worker-`.
pub const WORKER_COMMAND: &str = "worker";

/// The worker programs that are installed with this rplay, by `uname -m`.
pub struct Workers {
    programs: BTreeMap<String, Arc<Program>>,
    searched: Vec<PathBuf>,
}

impl Workers {
    /// Finds the programs: in `RPLAY_WORKER_DIR`, beside this program, in `../lib/rplay`. What
    /// is found out about them is kept in the directory `cache` for the next run.
    pub fn find(cache: &Path) -> Self {
        let exe = std::env::current_exe().ok().and_then(|p| p.canonicalize().ok());
        let beside = exe.as_deref().and_then(Path::parent).map(Path::to_owned);
        let mut searched: Vec<PathBuf> = std::env::var_os("RPLAY_WORKER_DIR").map(PathBuf::from).into_iter().collect();
        searched.extend(beside.iter().cloned());
        searched.extend(beside.iter().filter_map(|b| Some(b.parent()?.join("lib/rplay"))));
        let mut programs: BTreeMap<String, Program> = BTreeMap::new();
        for dir in &searched {
            for arch in ["x86_64", "aarch64", "armv7l", "riscv64", "ppc64le", "s390x"] {
                let named = dir.join(format!("rplay-worker-{arch}"));
                let plain = dir.join("rplay-worker");
                let path = if named.is_file() {
                    named
                } else if arch == std::env::consts::ARCH && plain.is_file() {
                    plain
                } else {
                    continue;
                };
                programs.entry(arch.to_owned()).or_insert_with(|| Program::new(path, "", cache));
            }
        }
        // This program can do a worker's work itself, where none stands beside it.
        if let Some(exe) = exe {
            programs
                .entry(std::env::consts::ARCH.to_owned())
                .or_insert_with(|| Program::new(exe, WORKER_COMMAND, cache));
        }
        let programs = programs.into_iter().map(|(arch, program)| (arch, Arc::new(program))).collect();
        Self { programs, searched }
    }

    /// The program for hosts of an architecture.
    ///
    /// # Errors
    /// When none is installed; the words say how to provide one.
    pub(super) fn program(&self, arch: &str) -> Result<&Arc<Program>, LinkError> {
        self.programs.get(arch).ok_or_else(|| {
            let dirs: Vec<String> = self.searched.iter().map(|d| d.display().to_string()).collect();
            LinkError::Failed(format!(
                "no worker program for architecture {arch}: build `rplay-worker` for it and put it as `rplay-worker-{arch}` into one of {} (or set RPLAY_WORKER_DIR)",
                dirs.join(", ")
            ))
        })
    }

    /// The script. Its protocol: `RPLAY-GO` and frames follow; or `RPLAY-NEED arch how`,
    /// whereupon it reads a line `size` and that many bytes.
    ///
    /// # Errors
    /// When a program cannot be read.
    pub(super) fn script(&self) -> Result<String, LinkError> {
        let mut arms = String::new();
        for (arch, program) in &self.programs {
            arms.push_str(&format!("{arch}) h={};;", program.hash()?));
        }
        // A directory that another user made in /tmp is not trusted (-O); one that is
        // mounted noexec is found out by trying.
        Ok(SCRIPT.replace("@ARMS@", &arms).replace("@GO@", GO).replace("@NEED@", NEED).replace("@STUCK@", STUCK))
    }
}

const SCRIPT: &str = r#"m=`umask`; umask 077
a=`uname -m`; h=; case $a in @ARMS@ esac
u=`id -u`
dirs="${XDG_CACHE_HOME:-${HOME:-/nonexistent}/.cache}/rplay /var/tmp/rplay-$u /tmp/rplay-$u /dev/shm/rplay-$u /run/user/$u/rplay"
for d in $dirs; do f=$d/worker-$h
if [ -n "$h" ] && [ -x "$f" ] && [ -O "$f" ]; then umask $m; echo @GO@; exec "$f"; fi; done
if command -v gzip >/dev/null 2>&1; then z=gzip; else z=plain; fi
echo "@NEED@ $a $z"
read -r n || exit 1
for d in $dirs; do
mkdir -p "$d" 2>/dev/null && [ -O "$d" ] && [ -w "$d" ] || continue
t=$d/.new-$$
(printf '#!/bin/sh\nexit 0\n' >"$t" && chmod 700 "$t" && "$t") 2>/dev/null || { rm -f "$t"; continue; }
f=$d/worker-$h
if [ $z = gzip ]; then head -c "$n" | gzip -dc >"$t"; else head -c "$n" >"$t"; fi
if command -v sha256sum >/dev/null 2>&1; then
s=`sha256sum <"$t"`; [ "${s%% *}" = "$h" ] || { rm -f "$t"; echo "@STUCK@ the worker was damaged on its way (no space in $d?)"; exit 1; }
fi
chmod 700 "$t" && mv -f "$t" "$f" && umask $m && echo @GO@ && exec "$f"
echo "@STUCK@ cannot start $f"; exit 1
done
echo "@STUCK@ no directory for the worker: tried $dirs (missing, not ours, full, or mounted noexec)"; exit 1
"#;
