//! `--list-hosts`, `--list-tasks`, `--list-tags`, in Ansible's layout.

use std::collections::BTreeSet;

use super::say;
use crate::compile::{CompiledPlay, Stage};
use crate::diag::Checked;
use crate::schedule::{Context, select};

use super::options::Options;

fn tag_list(tags: &BTreeSet<String>) -> String {
    format!("TAGS: [{}]", tags.iter().map(String::as_str).collect::<Vec<_>>().join(", "))
}

/// Prints what was asked for, of all plays.
///
/// # Errors
/// When a play's hosts cannot be worked out.
pub fn print(options: &Options, context: &Context, plays: &[CompiledPlay], playbook: &str) -> Checked<()> {
    say(&format!("\nplaybook: {playbook}"));
    for (index, play) in plays.iter().enumerate() {
        let patterns: Vec<&str> = play.hosts.iter().map(|h| h.as_str()).collect();
        let play_tags: BTreeSet<String> =
            crate::compile::texts(play.keywords.value("tags"), true).iter().map(|t| t.as_str().to_owned()).collect();
        say(&format!(
            "\n  play #{} ({}): {}\t{}",
            index + 1,
            patterns.join(","),
            play.title.as_str(),
            tag_list(&play_tags)
        ));
        if options.list_hosts {
            let hosts = select(context, play)?;
            say(&format!(
                "    pattern: [{}]",
                patterns.iter().map(|p| format!("'{p}'")).collect::<Vec<_>>().join(", ")
            ));
            say(&format!("    hosts ({}):", hosts.len()));
            hosts.iter().for_each(|h| say(&format!("      {h}")));
        }
        let own = play.stages.iter().filter_map(|stage| match stage {
            Stage::Task(id) => play.tasks.get(*id),
            Stage::Flush => None,
        });
        let own = own.filter(|t| t.title().as_str() != "Gathering Facts");
        if options.list_tasks {
            say("    tasks:");
            for task in own.clone() {
                let role = task.role.and_then(|r| play.roles.get(r)).map(|r| format!("{} : ", r.name));
                say(&format!("      {}{}\t{}", role.unwrap_or_default(), task.title().as_str(), tag_list(&task.tags)));
            }
        }
        if options.list_tags {
            let all: BTreeSet<String> = own.flat_map(|t| t.tags.iter().cloned()).collect();
            say(&format!("      TASK {}", tag_list(&all)));
        }
    }
    Ok(())
}
