//! What cannot be seen from a playbook yet, and what no picture may break.

use super::layout::{Layout, NODE, Rect};
use super::*;

fn cluster(id: &str, kind: ClusterKind, parent: Option<&str>) -> Cluster {
    Cluster {
        id: id.to_owned(),
        kind,
        title: format!("title of {id}"),
        parent: parent.map(str::to_owned),
        note: None,
        at: Place::default(),
    }
}

fn node(id: &str, cluster: &str) -> Node {
    Node {
        id: id.to_owned(),
        kind: NodeKind::Task,
        title: id.to_owned(),
        module: "ping".to_owned(),
        cluster: cluster.to_owned(),
        barrier: (id == "c").then(|| "waits".to_owned()),
        at: Place::default(),
    }
}

fn edge(from: &str, to: &str, kind: EdgeKind) -> Edge {
    Edge { from: from.to_owned(), to: to.to_owned(), kind, labels: vec!["x".to_owned()] }
}

/// A role in which a file is included, a block after it.
fn graph() -> Graph {
    use EdgeKind::{Data, Notify, Order};
    let mut edges = vec![edge("a", "b", Order), edge("b", "c", Order), edge("c", "d", Order)];
    // More than would find room at a node of the usual height.
    edges.extend(["b", "c", "d"].map(|to| edge("a", to, Data)));
    edges.extend(["b", "c", "d"].map(|to| edge("a", to, Notify)));
    edges.extend([edge("b", "d", Data), edge("c", "d", Data)]);
    Graph {
        clusters: vec![
            cluster("p", ClusterKind::Play, None),
            cluster("r", ClusterKind::Role, Some("p")),
            cluster("i", ClusterKind::Include, Some("r")),
            cluster("k", ClusterKind::Block, Some("p")),
            cluster("empty", ClusterKind::Block, Some("p")),
        ],
        nodes: vec![node("a", "r"), node("b", "i"), node("c", "k"), node("d", "p")],
        edges,
    }
}

#[test]
fn an_include_is_a_box_in_its_role() {
    let text = dot(&graph());
    let at = |words: &str| text.find(words).unwrap_or_else(|| panic!("no {words} in {text}"));
    assert!(at("role: title of r") < at("  a [") && at("  a [") < at("include: title of i"));
    assert!(at("include: title of i") < at("  b [") && at("  b [") < at("block: title of k"));
    assert!(!text.contains("title of empty"));
    assert!(mermaid(&graph()).contains("subgraph i [\"include: title of i\"]\n        b[\"b<br/>ping\"]\n"));
    assert!(json(&graph()).contains("\"kind\": \"include\""));
}

#[test]
fn nothing_lies_on_anything_else() {
    let graph = graph();
    let layout = Layout::new(&graph);
    let column = &layout.columns[0];
    let within = |inner: Rect, outer: Rect| {
        outer.x <= inner.x
            && outer.y < inner.y
            && inner.x + inner.w <= outer.x + outer.w
            && inner.y + inner.h < outer.y + outer.h
    };
    for pair in column.nodes.windows(2) {
        assert!(pair[0].1.y + pair[0].1.h < pair[1].1.y, "{:?}", pair[1].0.id);
    }
    for (node, rect) in &column.nodes {
        assert!(within(*rect, column.area), "{}", node.id);
        if let Some((_, around)) = column.boxes.iter().find(|(cluster, _)| cluster.id == node.cluster) {
            assert!(within(*rect, *around), "{}", node.id);
        }
    }
    assert_eq!(column.curves.len(), 8);
    let left = column.nodes[0].1.x;
    let mut ends: Vec<(i32, i32)> = column.curves.iter().flat_map(|c| [c.from, c.to]).collect();
    assert!(column.curves.iter().all(|c| c.lane < left || c.lane > left + NODE), "a curve crosses the nodes");
    assert!(column.curves.iter().all(|c| column.area.x < c.lane && c.lane < column.area.x + column.area.w));
    ends.sort_unstable();
    assert!(ends.windows(2).all(|w| w[0] != w[1]), "two curves end in one point");
}

#[test]
fn names_mean_nothing_to_the_languages() {
    let mut graph = graph();
    graph.nodes[0].title = "a\"\\N</text>&`#quot;\u{1}\n{{ x }}".to_owned();
    assert!(dot(&graph).contains(r#"label="a\"\\N</text>&`#quot; \n{{ x }}\nping""#));
    assert!(
        mermaid(&graph)
            .contains(r##"a["a#34;#92;N#60;/text#62;#38;#96;#35;quot#59; <br/>#123;#123; x #125;#125;<br/>ping"]"##)
    );
    assert!(svg(&graph).contains("a&quot;\\N&lt;/text&gt;&amp;`#quot;  {{ x }}</text>"));
}
