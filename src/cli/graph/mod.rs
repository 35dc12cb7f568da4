//! `rplay graph`: the task graph of playbooks, drawn or as data.

mod narrow;
mod picture;

use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Parser, ValueEnum};
use tokio::sync::mpsc::unbounded_channel;

use super::options::{Options, VaultOptions};
use super::{complain, parse, playbook, setup};
use crate::diag::{Checked, Diagnostic, ExitCode};
use crate::load::{Environment, Files};
use crate::report::graph::{dot, json, mermaid, svg};

/// In what language the graph is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum, Default)]
pub enum Format {
    /// Graphviz's.
    #[default]
    Dot,
    /// Mermaid's, for Markdown.
    Mermaid,
    /// A picture.
    Svg,
    /// Data: clusters, nodes, edges.
    Json,
}

/// Shows what a playbook's tasks depend on, without contacting a host.
///
/// Plays, roles and blocks are boxes. Edges say why a task comes before another: order, a
/// variable that it sets (data), a handler (notify), a role's dependency, a barrier, at which
/// all hosts wait. `*` is a variable that cannot be told before the run.
#[derive(Debug, Parser)]
#[command(name = "rplay graph", disable_version_flag = true, max_term_width = 100)]
pub struct GraphOptions {
    /// The playbooks.
    #[arg(required = true, value_name = "PLAYBOOK")]
    playbooks: Vec<PathBuf>,
    /// The language of the graph.
    #[arg(long, value_enum, default_value_t)]
    format: Format,
    /// Only what this host runs: its plays, without tasks whose conditions are false there
    /// whatever happens in the run.
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// Inventory: a file, a directory, or a list of hosts with a comma (`host,`).
    #[arg(short = 'i', long = "inventory", visible_alias = "inventory-file", value_name = "INVENTORY")]
    inventory: Vec<String>,
    /// Only hosts that match this pattern, too.
    #[arg(short = 'l', long = "limit", value_name = "SUBSET")]
    limit: Option<String>,
    /// Further variables: key=value, JSON, YAML, or @file.
    #[arg(short = 'e', long = "extra-vars", value_name = "VARS")]
    extra_vars: Vec<String>,
    /// Only plays and tasks with these tags.
    #[arg(short = 't', long = "tags", value_name = "TAGS")]
    tags: Vec<String>,
    /// Only plays and tasks without these tags.
    #[arg(long = "skip-tags", value_name = "TAGS")]
    skip_tags: Vec<String>,
    /// Keys of the vault.
    #[command(flatten)]
    vault: VaultOptions,
}

/// Runs the command; the first argument is its name.
pub fn run(args: &[String]) -> ExitCode {
    match parse::<GraphOptions>(args) {
        Ok(options) => {
            let files = Arc::new(Files::new());
            playbook::ended(try_run(options, &files), &files)
        }
        Err(code) => code,
    }
}

fn try_run(given: GraphOptions, files: &Arc<Files>) -> Checked<ExitCode> {
    let (format, host) = (given.format, given.host.clone());
    let options = Options {
        playbooks: given.playbooks,
        inventory: given.inventory,
        limit: given.limit,
        extra_vars: given.extra_vars,
        tags: given.tags,
        skip_tags: given.skip_tags,
        vault: given.vault,
        ..Options::default()
    };
    let environment = Environment::current();
    let mut loaded = setup::load(&options, &environment, files)?;
    loaded.forget_passwords();
    let (sender, _receiver) = unbounded_channel();
    let (context, warnings) = setup::ready(&options, &environment, &mut loaded, files, sender)?;
    playbook::complain_masked(files, warnings);
    // Numbers of plays stay what they are when some are left out.
    let mut plays: Vec<_> = loaded.plays.into_iter().enumerate().map(|(i, play)| (i + 1, play)).collect();
    if let Some(host) = &host {
        setup::check_host(&context.hosts.inventory(), host)?;
        narrow::to_host(&context, &mut plays, host)?;
        if plays.is_empty() {
            complain(&[Diagnostic::warning(format!("no play selects the host `{host}`"))]);
        }
    }
    let graph = picture::graph(&context, &plays);
    let text = match format {
        Format::Dot => dot(&graph),
        Format::Mermaid => mermaid(&graph),
        Format::Svg => svg(&graph),
        Format::Json => json(&graph),
    };
    // A reader that has gone away (`| head`) is no error.
    let _ = std::io::stdout().write_all(text.as_bytes());
    Ok(ExitCode::Success)
}
