//! `rplay vault`, under the name `ansible-vault` too: encrypts, decrypts, shows and edits files.

mod crypt;
mod disk;
mod edit;
mod editor;
mod info;
mod options;
mod rekey;
mod session;

use super::{complain, parse, say};
use crate::diag::{Checked, ExitCode, Severity};
use crate::load::{Config, Environment, Files};
use options::{Action, Cli};
use session::Session;

/// Runs `rplay vault` with the arguments after it. Under Ansible's name its format is the
/// default one.
pub fn run(args: &[String], ansible: bool) -> ExitCode {
    let name = if ansible { "ansible-vault" } else { "rplay vault" };
    let args: Vec<String> = std::iter::once(name.to_owned()).chain(args.iter().cloned()).collect();
    let cli: Cli = match parse(&args) {
        Ok(cli) => cli,
        Err(code) => return code,
    };
    match act(&cli, ansible) {
        Ok(code) => code,
        Err(findings) => {
            complain(&findings);
            findings.iter().find(|d| d.severity == Severity::Error).map_or(ExitCode::Error, |d| d.exit)
        }
    }
}

/// The command as clap knows it, for completions.
pub fn command() -> clap::Command {
    <Cli as clap::CommandFactory>::command().name("vault")
}

fn act(cli: &Cli, ansible: bool) -> Checked<ExitCode> {
    let environment = Environment::current();
    let config = Config::load(&Files::new(), &environment)?;
    let Some(action) = &cli.action else {
        say(&format!("rplay vault {}", env!("CARGO_PKG_VERSION")));
        return Ok(ExitCode::Success);
    };
    let session = |keys, write, new| Session::new(keys, write, &config, &environment, ansible, new);
    match action {
        Action::Encrypt(a) => crypt::encrypt(&mut session(&a.keys, &a.write, true)?, &a.files, a.output.as_deref()),
        Action::Decrypt(a) => {
            crypt::decrypt(&mut session(&a.keys, &Default::default(), false)?, &a.files, a.output.as_deref())
        }
        Action::View(a) => crypt::view(&mut session(&a.keys, &Default::default(), false)?, &a.files, a.textconv),
        Action::EncryptString(a) => crypt::encrypt_string(&mut session(&a.keys, &a.write, true)?, a),
        Action::Create(a) => edit::create(&mut session(&a.keys, &a.write, true)?, &a.files),
        Action::Edit(a) => edit::edit(&mut session(&a.keys, &a.write, false)?, &a.files),
        Action::Rekey(a) => rekey::rekey(&mut session(&a.keys, &a.write, false)?, a),
        Action::Info(a) => info::info(&a.files),
    }
}
