//! The graph in Graphviz's language.

use super::{Cluster, EdgeKind, Graph, Node, NodeKind, Part, Tree, edge_label, heading};

/// The graph as a DOT document.
pub fn dot(graph: &Graph) -> String {
    let mut out = String::from(
        "digraph rplay {\n  graph [rankdir=TB, fontname=\"sans-serif\", newrank=true];\n  \
         node [shape=box, style=rounded, fontname=\"sans-serif\", fontsize=11];\n  \
         edge [fontname=\"sans-serif\", fontsize=9];\n",
    );
    let tree = Tree::new(graph);
    for play in &tree.plays {
        cluster(&tree, play, 1, &mut out);
    }
    for edge in graph.drawn() {
        let mut attributes = style(edge.kind);
        let label = edge_label(edge);
        if !label.is_empty() {
            attributes.push_str(&format!(", label={}", quoted(&label)));
        }
        if !edge.labels.is_empty() {
            attributes.push_str(&format!(", tooltip={}", quoted(&edge.labels.join("; "))));
        }
        out.push_str(&format!("  {} -> {} [{attributes}];\n", edge.from, edge.to));
    }
    legend(&mut out);
    out.push_str("}\n");
    out
}

fn cluster(tree: &Tree<'_>, it: &Cluster, depth: usize, out: &mut String) {
    let pad = "  ".repeat(depth);
    out.push_str(&format!("{pad}subgraph cluster_{} {{\n{pad}  label={};\n", it.id, quoted(&heading(it))));
    out.push_str(&format!("{pad}  style={};\n", if depth == 1 { "solid" } else { "dashed" }));
    for part in tree.parts(it) {
        match part {
            Part::Node(it) => node(it, &format!("{pad}  "), out),
            Part::Cluster(inner) => cluster(tree, inner, depth + 1, out),
        }
    }
    out.push_str(&format!("{pad}}}\n"));
}

fn node(it: &Node, pad: &str, out: &mut String) {
    let label = if it.title == it.module { it.title.clone() } else { format!("{}\n{}", it.title, it.module) };
    let shape = match (&it.barrier, it.kind) {
        (Some(_), _) => format!(", shape=octagon, style=solid, color=\"{}\"", EdgeKind::Barrier.colour()),
        (None, NodeKind::Handler) => ", style=\"rounded,filled\", fillcolor=\"#f0f7f0\"".to_owned(),
        (None, NodeKind::Task) => String::new(),
    };
    let place = format!("{}:{}", it.at.file, it.at.line);
    out.push_str(&format!("{pad}{} [label={}, tooltip={}{shape}];\n", it.id, quoted(&label), quoted(&place)));
    if let Some(reason) = &it.barrier {
        let colour = EdgeKind::Barrier.colour();
        out.push_str(&format!(
            "{pad}{0}_why [label={1}, shape=note, style=solid, fontsize=9, color=\"{colour}\"];\n\
             {pad}{0}_why -> {0} [style=dotted, arrowhead=none, constraint=false, color=\"{colour}\"];\n\
             {pad}{{ rank=same; {0}_why; {0}; }}\n",
            it.id,
            quoted(reason)
        ));
    }
}

fn style(kind: EdgeKind) -> String {
    let more = match kind {
        EdgeKind::Order => "",
        EdgeKind::Data => ", style=dashed, constraint=false",
        EdgeKind::Notify => ", style=dotted, arrowhead=vee, constraint=false",
        EdgeKind::RoleDependency => ", arrowhead=odot, constraint=false",
        EdgeKind::Barrier => ", penwidth=2.5, arrowhead=tee",
    };
    format!("color=\"{0}\", fontcolor=\"{0}\"{more}", kind.colour())
}

fn legend(out: &mut String) {
    out.push_str("  subgraph cluster_legend {\n    label=\"legend\";\n    style=dotted;\n");
    out.push_str("    node [shape=plaintext, fontsize=9];\n");
    for kind in EdgeKind::ALL {
        let id = kind.words().replace(' ', "_");
        out.push_str(&format!("    legend_{id} [label={}];\n    legend_{id}_to [label=\"\"];\n", quoted(kind.words())));
        out.push_str(&format!(
            "    legend_{id} -> legend_{id}_to [{}];\n",
            style(kind).replace(", constraint=false", "")
        ));
    }
    out.push_str(&format!(
        "    legend_barrier_task [label=\"a barrier: hosts wait\", shape=octagon, color=\"{}\"];\n  }}\n",
        EdgeKind::Barrier.colour()
    ));
}

/// A string in quotes. A backslash that stands before a letter would mean something.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            c if c.is_control() => out.push(' '),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}
