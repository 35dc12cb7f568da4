//! `--list-hosts`, `--list-tasks`, `--list-tags`, in Ansible's layout.

use std::collections::BTreeSet;
use std::sync::Arc;

use super::say;
use crate::compile::{CompiledPlay, CompiledTask, Section};
use crate::diag::Checked;
use crate::schedule::{Context, patterns, select, title};

use super::options::Options;

fn tag_list(tags: &BTreeSet<String>) -> String {
    format!("TAGS: [{}]", tags.iter().map(String::as_str).collect::<Vec<_>>().join(", "))
}

/// Prints what was asked for, of all plays, under the playbooks they came from.
///
/// # Errors
/// When a play's hosts cannot be worked out.
pub fn print(options: &Options, context: &Context, plays: &[Arc<CompiledPlay>]) -> Checked<()> {
    for (index, playbook) in options.playbooks.iter().enumerate() {
        say(&format!("\nplaybook: {}", playbook.display()));
        for (number, play) in plays.iter().filter(|p| p.playbook == index).enumerate() {
            print_play(options, context, play, number + 1)?;
        }
    }
    Ok(())
}

fn print_play(options: &Options, context: &Context, play: &CompiledPlay, number: usize) -> Checked<()> {
    let patterns = patterns(context, play)?;
    let name = title(context, play);
    say(&format!("\n  play #{number} ({}): {name}\t{}", patterns.join(","), tag_list(&play.tags)));
    if options.list_hosts {
        let hosts = select(context, play)?;
        say(&format!("    pattern: [{}]", patterns.iter().map(|p| format!("'{p}'")).collect::<Vec<_>>().join(", ")));
        say(&format!("    hosts ({}):", hosts.len()));
        hosts.iter().for_each(|h| say(&format!("      {h}")));
    }
    let listed: Vec<&CompiledTask> = play.tasks.iter().map(|t| &**t).filter(|task| is_listed(task)).collect();
    if options.list_tasks {
        say("    tasks:");
        for task in &listed {
            let role = task
                .role
                .and_then(|r| play.roles.get(r))
                .filter(|_| task.name.is_some() && task.action.module.name != "include_role");
            let role = role.map(|r| format!("{} : ", r.name)).unwrap_or_default();
            say(&format!("      {role}{}\t{}", task.title().as_str(), tag_list(&task.tags)));
        }
    }
    if options.list_tags {
        let all: BTreeSet<String> = listed.iter().flat_map(|t| t.tags.iter().cloned()).collect();
        say(&format!("      TASK {}", tag_list(&all)));
    }
    Ok(())
}

/// What Ansible lists: not the gathering of facts, and not what runs only after a failure
/// or as the end of a block.
fn is_listed(task: &CompiledTask) -> bool {
    task.title().as_str() != "Gathering Facts" && task.path.iter().all(|(_, section)| *section == Section::Main)
}
