//! What a connection costs the controller in CPU: the system's ssh beside russh in-process.
//!
//!     spike-russh ADDRESS USER KEY [COUNT]
//!
//! Host keys are not checked here: this measures, and talks to a host of the lab only. Each
//! connection logs in with the key and runs `true`. CPU is this process's and its ended
//! children's, user and system, from /proc: 10 ms steps over all connections together.

use std::borrow::Cow;
use std::error::Error;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

use russh::keys::{PrivateKey, PrivateKeyWithHashAlg, load_secret_key};
use russh::{ChannelMsg, Disconnect, Preferred, client, kex};

type Res<T> = Result<T, Box<dyn Error>>;

struct Anyone;

impl client::Handler for Anyone {
    type Error = russh::Error;

    async fn check_server_key(
        &mut self,
        _: &russh::keys::PublicKeyOrCertificate,
    ) -> Result<bool, Self::Error> {
        Ok(true)
    }
}

/// Milliseconds of CPU that this process and its ended children have used.
fn cpu() -> Res<f64> {
    let stat = std::fs::read_to_string("/proc/self/stat")?;
    let after_name = stat.rsplit_once(')').ok_or("stat")?.1;
    let ticks: u64 = after_name.split_whitespace().skip(11).take(4).filter_map(|n| n.parse::<u64>().ok()).sum();
    Ok(ticks as f64 * 10.0)
}

/// Runs it so many times, and prints what one cost.
fn report(name: &str, count: u32, mut one: impl FnMut(u32) -> Res<()>) -> Res<()> {
    one(count)?; // Warm: what is loaded and looked up once.
    let (started, used) = (Instant::now(), cpu()?);
    for i in 0..count {
        one(i)?;
    }
    let used = (cpu()? - used) / f64::from(count);
    let wall = started.elapsed().as_secs_f64() * 1000.0 / f64::from(count);
    println!("| {name} | {used:.1} | {wall:.1} |");
    Ok(())
}

async fn russh_once(address: &str, user: &str, key: Arc<PrivateKey>, kex: Option<kex::Name>) -> Res<()> {
    let mut preferred = Preferred::default();
    if let Some(kex) = kex {
        preferred.kex = Cow::Owned(vec![kex]);
    }
    let config = Arc::new(client::Config { preferred, ..Default::default() });
    let mut session = client::connect(config, (address, 22), Anyone).await?;
    if !session.authenticate_publickey(user, PrivateKeyWithHashAlg::new(key, None)).await?.success() {
        return Err("the key was not accepted".into());
    }
    let mut channel = session.channel_open_session().await?;
    channel.exec(true, "true").await?;
    let mut code = None;
    while let Some(message) = channel.wait().await {
        if let ChannelMsg::ExitStatus { exit_status } = message {
            code = Some(exit_status);
        }
    }
    if code != Some(0) {
        return Err("true did not run".into());
    }
    session.disconnect(Disconnect::ByApplication, "", "").await?;
    Ok(())
}

fn ssh(words: &[&str]) -> Res<()> {
    let status = Command::new("ssh").args(words).stdin(Stdio::null()).stderr(Stdio::null()).status()?;
    if status.success() { Ok(()) } else { Err("ssh failed".into()) }
}

fn main() -> Res<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let (Some(address), Some(user), Some(key)) = (args.first(), args.get(1), args.get(2)) else {
        return Err("usage: spike-russh ADDRESS USER KEY [COUNT]".into());
    };
    let count = args.get(3).map_or(Ok(50), |n| n.parse())?;
    let at = format!("{user}@{address}");
    let base = [
        "-F", "/dev/null", "-i", key, "-o", "BatchMode=yes", "-o", "StrictHostKeyChecking=no",
        "-o", "UserKnownHostsFile=/dev/null", "-o", "IdentitiesOnly=yes",
    ];
    let with = |more: &[&str], last: &[&str]| ssh(&[&base[..], more, &[&at], last].concat());
    let plain = ["-o", "KexAlgorithms=curve25519-sha256"];
    println!("| {count} connections, one after the other | CPU ms each | wall ms each |");
    println!("|---|---|---|");
    report("`ssh HOST true`", count, |_| with(&[], &["true"]))?;
    report("`ssh HOST true`, key exchange curve25519", count, |_| with(&plain, &["true"]))?;
    let dir = std::env::temp_dir().join(format!("spike-{}", std::process::id()));
    std::fs::create_dir_all(&dir)?;
    // As rplay does: a master that goes to the background once it is connected. What it uses
    // there is not counted (nor is its end); the exchange of keys comes before.
    let socket = |i: u32| dir.join(i.to_string()).display().to_string();
    report("`ssh -M -N -f HOST`, a master", count, |i| {
        with(&["-M", "-N", "-f", "-S", &socket(i), "-o", "ControlPersist=60s"], &[])
    })?;
    for i in 0..=count {
        let _ = ssh(&["-S", &socket(i), "-O", "exit", &at]);
    }
    std::fs::remove_dir_all(&dir)?;
    report("`ssh -V`: starting the program alone", count, |_| ssh(&["-V"]))?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let key = Arc::new(load_secret_key(key, None)?);
    let mut russh = |name: &str, kex: Option<kex::Name>| {
        report(name, count, |_| runtime.block_on(russh_once(address, user, Arc::clone(&key), kex)))
    };
    russh("russh, its own order of algorithms", None)?;
    russh("russh, key exchange curve25519", Some(kex::CURVE25519))?;
    Ok(())
}
