//! Role dependency edges: from the last task of a dependency to the first of the role that
//! needs it.

use super::{Context, EdgeKind, TaskGraph};

pub(super) fn connect(context: &Context<'_>, graph: &mut TaskGraph) {
    let play = context.play;
    for (index, role) in play.roles.iter().enumerate() {
        let Some(first) = play.tasks.iter().position(|t| t.role == Some(index)) else { continue };
        for name in &role.dependencies {
            let is_dependency = |r: usize| play.roles.get(r).is_some_and(|role| role.name == *name);
            let last = play.tasks.iter().take(first).rposition(|t| t.role.is_some_and(is_dependency));
            if let Some(last) = last {
                graph.connect(last, first, EdgeKind::RoleDependency, Some(name.clone()));
            }
        }
    }
}
