//! The graph as a picture: SVG, drawn here.

use std::collections::HashMap;

use super::layout::{Column, Curve, LABEL, LINE, Layout, NODE, Rect};
use super::{Cluster, Edge, EdgeKind, Graph, Node, NodeKind, edge_label, heading};

/// Letters that fit into a node, and of the smaller ones.
const LETTERS: usize = 42;
const SMALL_LETTERS: usize = 50;
/// A bold letter's width in a heading.
const LETTER: i32 = 7;
/// Where a node's arrow to the next one leaves, from its left: beside the headings' text.
const ARROW: i32 = NODE - 24;
/// Height of the legend.
const LEGEND: i32 = 54;

/// The graph as an SVG document.
pub fn svg(graph: &Graph) -> String {
    let layout = Layout::new(graph);
    let width = layout.width.max(760);
    let height = layout.height + LEGEND;
    let mut out = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" \
         height=\"{height}\" viewBox=\"0 0 {width} {height}\" font-family=\"sans-serif\" font-size=\"12\">\n\
         <title>rplay graph</title>\n<defs>\n"
    );
    for kind in EdgeKind::ALL {
        out.push_str(&format!(
            "<marker id=\"{0}\" viewBox=\"0 0 8 8\" refX=\"8\" refY=\"4\" markerWidth=\"7\" markerHeight=\"7\" \
             markerUnits=\"userSpaceOnUse\" orient=\"auto\"><path d=\"M0,0 L8,4 L0,8 z\" fill=\"{1}\"/></marker>\n",
            id(kind),
            kind.colour()
        ));
    }
    out.push_str("</defs>\n<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>\n");
    for column in &layout.columns {
        boxes(column, &mut out);
    }
    edges(graph, &layout, &mut out);
    for column in &layout.columns {
        column.nodes.iter().for_each(|(node, rect)| draw_node(node, *rect, &mut out));
    }
    legend(layout.height, &mut out);
    out.push_str("</svg>\n");
    out
}

fn boxes(column: &Column<'_>, out: &mut String) {
    let fill = |cluster: &Cluster| if cluster.parent.is_none() { "#f6f8fa" } else { "#ffffff" };
    for (cluster, rect) in std::iter::once(&(column.play, column.area)).chain(&column.boxes) {
        let Rect { x, y, w, h } = rect;
        let text = heading(cluster);
        out.push_str(&format!(
            "<g class=\"cluster\" id=\"{}\"><title>{}</title><rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" \
             rx=\"6\" fill=\"{}\" stroke=\"#8c959f\"/><text x=\"{}\" y=\"{}\" font-weight=\"bold\">{}</text></g>\n",
            escape(&cluster.id),
            escape(&text),
            fill(cluster),
            x + 8,
            y + 16,
            escape(&cut(&text, usize::try_from((w - 48) / LETTER).unwrap_or(LETTERS))),
        ));
    }
}

fn edges(graph: &Graph, layout: &Layout<'_>, out: &mut String) {
    let rows: HashMap<&str, (usize, Rect)> = layout
        .columns
        .iter()
        .enumerate()
        .flat_map(|(column, c)| c.nodes.iter().map(move |(node, rect)| (node.id.as_str(), (column, *rect))))
        .collect();
    for edge in graph.drawn().filter(|e| matches!(e.kind, EdgeKind::Order | EdgeKind::Barrier)) {
        let (Some((a, from)), Some((b, to))) = (rows.get(edge.from.as_str()), rows.get(edge.to.as_str())) else {
            continue;
        };
        let path = if a == b {
            format!("M{},{} V{}", from.x + ARROW, from.y + from.h, to.y)
        } else {
            // From play to play: between their headings.
            let area = |at: &usize| layout.columns.get(*at).map(|c| c.area).unwrap_or_default();
            format!("M{},{} H{}", area(a).x + area(a).w, area(a).y + 12, area(b).x)
        };
        draw_edge(edge, &path, out);
    }
    for curve in layout.columns.iter().flat_map(|c| &c.curves) {
        draw_edge(curve.edge, &curved(curve), out);
    }
    for curve in layout.columns.iter().flat_map(|c| &c.curves).filter(|c| c.edge.kind == EdgeKind::Data) {
        out.push_str(&format!(
            "<text x=\"{}\" y=\"{}\" font-size=\"9\" fill=\"{}\" stroke=\"#ffffff\" stroke-width=\"3\" \
             paint-order=\"stroke\">{}</text>\n",
            curve.to.0 + 10,
            curve.to.1 - 2,
            curve.edge.kind.colour(),
            escape(&cut(&edge_label(curve.edge), LABEL)),
        ));
    }
}

/// Out of a node, round a corner into the lane, and round another into the other node.
fn curved(curve: &Curve<'_>) -> String {
    let Curve { from, to, lane, .. } = curve;
    let down = (to.1 - from.1).signum() * 5.min((to.1 - from.1).abs() / 2);
    let out = (lane - from.0).signum() * 5;
    format!(
        "M{},{} H{} Q{lane},{} {lane},{} V{} Q{lane},{} {},{} H{}",
        from.0,
        from.1,
        lane - out,
        from.1,
        from.1 + down,
        to.1 - down,
        to.1,
        lane - out,
        to.1,
        to.0
    )
}

fn draw_edge(edge: &Edge, path: &str, out: &mut String) {
    let words = if edge.labels.is_empty() {
        edge.kind.words().to_owned()
    } else {
        format!("{}: {}", edge.kind.words(), edge.labels.join(", "))
    };
    out.push_str(&format!(
        "<path class=\"{0}\" d=\"{path}\" {1}><title>{2}</title></path>\n",
        id(edge.kind),
        line(edge.kind),
        escape(&words)
    ));
}

fn draw_node(node: &Node, rect: Rect, out: &mut String) {
    let Rect { x, y, w, h } = rect;
    let place = format!("{}:{}:{}", node.at.file, node.at.line, node.at.column);
    out.push_str(&format!("<g class=\"node\" id=\"{}\"><title>{}</title>", escape(&node.id), escape(&place)));
    let colour = match node.kind {
        NodeKind::Task => "#57606a",
        NodeKind::Handler => EdgeKind::Notify.colour(),
    };
    match node.barrier {
        // Its corners are cut off.
        Some(_) => out.push_str(&format!(
            "<path d=\"M{},{y} H{} L{},{} V{} L{},{} H{} L{x},{} V{} z\" fill=\"#ffebe9\" stroke=\"{}\" \
             stroke-width=\"2\"/>",
            x + 10,
            x + w - 10,
            x + w,
            y + 10,
            y + h - 10,
            x + w - 10,
            y + h,
            x + 10,
            y + h - 10,
            y + 10,
            EdgeKind::Barrier.colour()
        )),
        None => out.push_str(&format!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{w}\" height=\"{h}\" rx=\"8\" fill=\"#ffffff\" stroke=\"{colour}\"/>"
        )),
    }
    let mut text = |line: i32, more: &str, words: &str| {
        out.push_str(&format!("<text x=\"{}\" y=\"{}\"{more}>{}</text>", x + 12, y + 1 + LINE * line, escape(words)));
    };
    text(1, "", &cut(&node.title, LETTERS));
    if node.title != node.module {
        text(2, " font-size=\"10\" fill=\"#57606a\"", &cut(&node.module, SMALL_LETTERS));
    }
    if let Some(reason) = &node.barrier {
        let more = format!(" font-size=\"10\" fill=\"{}\"", EdgeKind::Barrier.colour());
        text(3, &more, &cut(&format!("barrier: {reason}"), SMALL_LETTERS));
    }
    out.push_str("</g>\n");
}

fn legend(y: i32, out: &mut String) {
    out.push_str("<g class=\"legend\" font-size=\"10\">");
    let y = y + 16;
    for (kind, x) in EdgeKind::ALL.into_iter().zip((14..).step_by(125)) {
        out.push_str(&format!("<path d=\"M{x},{y} H{}\" {}/>", x + 28, line(kind)));
        out.push_str(&format!("<text x=\"{}\" y=\"{}\">{}</text>", x + 33, y + 4, kind.words()));
    }
    out.push_str(&format!(
        "<text x=\"14\" y=\"{}\">A barrier has its corners cut off, and tells its reason. Data is named where it is \
         read; * is what cannot be told before the run.</text></g>\n",
        y + 24
    ));
}

fn line(kind: EdgeKind) -> String {
    let more = match kind {
        EdgeKind::Order => "",
        EdgeKind::Data => " stroke-dasharray=\"5 3\"",
        EdgeKind::Notify => " stroke-dasharray=\"2 3\"",
        EdgeKind::RoleDependency => " stroke-dasharray=\"8 3 2 3\"",
        EdgeKind::Barrier => " stroke-width=\"3\"",
    };
    format!("fill=\"none\" stroke=\"{}\"{more} marker-end=\"url(#{})\"", kind.colour(), id(kind))
}

const fn id(kind: EdgeKind) -> &'static str {
    match kind {
        EdgeKind::RoleDependency => "role-dependency",
        other => other.words(),
    }
}

/// A text of at most so many letters.
fn cut(text: &str, letters: usize) -> String {
    if text.chars().count() <= letters {
        return text.to_owned();
    }
    text.chars().take(letters.saturating_sub(1)).chain(['…']).collect()
}

/// A text as XML; what XML has no place for becomes a blank.
fn escape(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            c if c.is_control() || matches!(c, '\u{fffe}' | '\u{ffff}') => out.push(' '),
            c => out.push(c),
        }
    }
    out
}
