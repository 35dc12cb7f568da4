//! The graph in Mermaid's language, which Markdown viewers draw.

use super::{Cluster, EdgeKind, Graph, Node, NodeKind, Part, Tree, edge_label, heading};

/// The graph as a Mermaid flowchart.
pub fn mermaid(graph: &Graph) -> String {
    let mut out = String::from("flowchart TB\n");
    let tree = Tree::new(graph);
    for play in &tree.plays {
        cluster(&tree, play, 1, &mut out);
    }
    let mut styled: Vec<(EdgeKind, Vec<usize>)> = EdgeKind::ALL.map(|kind| (kind, Vec::new())).into();
    let mut number = 0;
    let mut add = |kind: EdgeKind, line: String, out: &mut String| {
        out.push_str(&line);
        if let Some((_, numbers)) = styled.iter_mut().find(|(k, _)| *k == kind) {
            numbers.push(number);
        }
        number += 1;
    };
    for edge in graph.drawn() {
        let label = edge_label(edge);
        let label = if label.is_empty() { String::new() } else { format!("|{}|", quoted(&label)) };
        add(edge.kind, format!("  {} {}{label} {}\n", edge.from, arrow(edge.kind), edge.to), &mut out);
    }
    out.push_str("  subgraph legend [\"legend\"]\n    direction LR\n");
    out.push_str("    legend_barrier_task{{\"a barrier: hosts wait\"}}:::barrier\n");
    for kind in EdgeKind::ALL {
        let id = kind.words().replace(' ', "_");
        let line = format!("    legend_{id}[\"{}\"] {} legend_{id}_to[\" \"]\n", kind.words(), arrow(kind));
        add(kind, line, &mut out);
    }
    out.push_str("  end\n");
    for (kind, numbers) in styled {
        let numbers: Vec<String> = numbers.iter().map(ToString::to_string).collect();
        out.push_str(&format!("  linkStyle {} stroke:{}\n", numbers.join(","), kind.colour()));
    }
    out.push_str(&format!("  classDef barrier stroke:{},stroke-width:2px\n", EdgeKind::Barrier.colour()));
    out.push_str(&format!("  classDef handler stroke:{}\n", EdgeKind::Notify.colour()));
    out
}

fn cluster(tree: &Tree<'_>, it: &Cluster, depth: usize, out: &mut String) {
    let pad = "  ".repeat(depth);
    out.push_str(&format!("{pad}subgraph {} [{}]\n", it.id, quoted(&heading(it))));
    for part in tree.parts(it) {
        match part {
            Part::Node(it) => node(it, &format!("{pad}  "), out),
            Part::Cluster(inner) => cluster(tree, inner, depth + 1, out),
        }
    }
    out.push_str(&format!("{pad}end\n"));
}

fn node(it: &Node, pad: &str, out: &mut String) {
    let mut label = it.title.clone();
    if it.title != it.module {
        label = format!("{label}\n{}", it.module);
    }
    let line = match (&it.barrier, it.kind) {
        (Some(reason), _) => format!("{{{{{}}}}}:::barrier", quoted(&format!("{label}\nbarrier: {reason}"))),
        (None, NodeKind::Handler) => format!("([{}]):::handler", quoted(&label)),
        (None, NodeKind::Task) => format!("[{}]", quoted(&label)),
    };
    out.push_str(&format!("{pad}{}{line}\n", it.id));
}

const fn arrow(kind: EdgeKind) -> &'static str {
    match kind {
        EdgeKind::Order => "-->",
        EdgeKind::Data => "-.->",
        EdgeKind::Notify => "-.-o",
        EdgeKind::RoleDependency => "--o",
        EdgeKind::Barrier => "==>",
    }
}

/// A string in quotes: all that could mean something to Mermaid, Markdown or HTML as a number.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '\n' => out.push_str("<br/>"),
            c if c.is_alphanumeric() || " .,:/()-_=+'[]|!?@".contains(c) => out.push(c),
            c if c.is_control() => out.push(' '),
            c => out.push_str(&format!("#{};", u32::from(c))),
        }
    }
    out.push('"');
    out
}
