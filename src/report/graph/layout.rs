//! Where everything stands in the picture: a column for each play, a row for each task,
//! boxes around them, lanes for curves on both sides. All in pixels.

use std::collections::HashMap;

use super::{Cluster, Edge, EdgeKind, Graph, Node, Part, Tree};

/// Space around boxes and between rows.
const GAP: i32 = 14;
/// Space for a box's heading.
const HEADING: i32 = 24;
/// A node's width.
pub(super) const NODE: i32 = 300;
/// A node's least height; a barrier has a line more.
const ROW: i32 = 38;
pub(super) const LINE: i32 = 15;
/// Between two curves, and between two ends of curves at a node.
const LANE: i32 = 10;
/// A letter's width in a label.
const LETTER: i32 = 6;
/// Labels of curves are cut to this.
pub(super) const LABEL: usize = 22;
/// Between two plays.
const BETWEEN: i32 = 48;

/// A rectangle.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Rect {
    pub x: i32,
    pub y: i32,
    pub w: i32,
    pub h: i32,
}

/// A curve at the side of a column: out of a node, along a lane, into another.
pub(super) struct Curve<'a> {
    pub edge: &'a Edge,
    pub from: (i32, i32),
    pub to: (i32, i32),
    /// Where it goes up or down.
    pub lane: i32,
}

/// A play's column.
pub(super) struct Column<'a> {
    pub play: &'a Cluster,
    pub area: Rect,
    pub boxes: Vec<(&'a Cluster, Rect)>,
    pub nodes: Vec<(&'a Node, Rect)>,
    pub curves: Vec<Curve<'a>>,
}

/// The whole picture without its legend.
pub(super) struct Layout<'a> {
    pub columns: Vec<Column<'a>>,
    pub width: i32,
    pub height: i32,
}

impl<'a> Layout<'a> {
    /// Lays a graph out.
    pub fn new(graph: &'a Graph) -> Self {
        let tree = Tree::new(graph);
        let mut ends: HashMap<&str, Vec<&Edge>> = HashMap::new();
        for edge in graph.edges.iter().filter(|e| side(e.kind).is_some()) {
            ends.entry(&edge.from).or_default().push(edge);
            ends.entry(&edge.to).or_default().push(edge);
        }
        let (mut x, mut height) = (GAP, 0);
        let mut columns = Vec::new();
        for play in &tree.plays {
            let column = Column::new(&tree, play, &ends, x);
            x += column.area.w + BETWEEN;
            height = height.max(column.area.h + 2 * GAP);
            columns.push(column);
        }
        Self { columns, width: (x - BETWEEN).max(0) + GAP, height }
    }
}

/// On which side an edge runs as a curve: +1 is right, -1 left.
const fn side(kind: EdgeKind) -> Option<i32> {
    match kind {
        EdgeKind::Data => Some(1),
        EdgeKind::Notify | EdgeKind::RoleDependency => Some(-1),
        EdgeKind::Order | EdgeKind::Barrier => None,
    }
}

type Ends<'a> = HashMap<&'a str, Vec<&'a Edge>>;

impl<'a> Column<'a> {
    fn new(tree: &Tree<'a>, play: &'a Cluster, ends: &Ends<'a>, x: i32) -> Self {
        let depth = depth(tree, play);
        let mut column = Self {
            play,
            area: Rect { x, y: GAP, w: 0, h: 0 },
            boxes: Vec::new(),
            nodes: Vec::new(),
            curves: Vec::new(),
        };
        // Rows first, as if the nodes began at 0; the lanes on the left then say where they do.
        let bottom = column.place(tree, play, depth, ends, GAP);
        column.area.h = bottom - GAP;
        let margin = GAP * (depth + 1);
        let (left, right) = column.curve(ends, margin);
        let shift = x + left;
        column.nodes.iter_mut().for_each(|(_, rect)| rect.x += shift);
        column.boxes.iter_mut().for_each(|(_, rect)| rect.x += shift);
        for curve in &mut column.curves {
            curve.from.0 += shift;
            curve.to.0 += shift;
            curve.lane += shift;
        }
        column.area.w = left + NODE + right;
        column
    }

    /// Puts what a cluster holds below its heading at `y`; returns where it ends.
    fn place(&mut self, tree: &Tree<'a>, cluster: &Cluster, room: i32, ends: &Ends<'a>, y: i32) -> i32 {
        let mut y = y + HEADING;
        for part in tree.parts(cluster) {
            match part {
                Part::Node(node) => {
                    let more = if node.barrier.is_some() { LINE } else { 0 };
                    let count = |side_wanted: i32| {
                        let edges = ends.get(node.id.as_str()).into_iter().flatten();
                        edges.filter(|e| side(e.kind) == Some(side_wanted)).count()
                    };
                    let curves = i32::try_from(count(1).max(count(-1))).unwrap_or(i32::MAX / LANE - 1);
                    let h = (ROW + more).max((curves + 1) * LANE);
                    self.nodes.push((node, Rect { x: 0, y, w: NODE, h }));
                    y += h + GAP;
                }
                Part::Cluster(inner) => {
                    let slot = self.boxes.len();
                    // All nodes stand in one line: what is further out is wider.
                    let around = GAP * room;
                    self.boxes.push((inner, Rect { x: -around, y, w: NODE + 2 * around, h: 0 }));
                    let end = self.place(tree, inner, room - 1, ends, y);
                    if let Some((_, rect)) = self.boxes.get_mut(slot) {
                        rect.h = end - y;
                    }
                    y = end + GAP;
                }
            }
        }
        y
    }

    /// Gives each curve its ends and its lane; returns the room that both sides need.
    fn curve(&mut self, ends: &Ends<'a>, margin: i32) -> (i32, i32) {
        let rows: HashMap<&str, Rect> = self.nodes.iter().map(|(node, rect)| (node.id.as_str(), *rect)).collect();
        let labels = ends.values().flatten().filter(|e| e.kind == EdgeKind::Data && rows.contains_key(e.to.as_str()));
        let longest = labels.map(|e| super::edge_label(e).chars().count().min(LABEL)).max().unwrap_or(0);
        let label_room = i32::try_from(longest).unwrap_or(0) * LETTER;
        let mut room = (margin, margin);
        for (way, labels) in [(-1, 0), (1, label_room)] {
            let mut curves = self.ends(ends, &rows, way);
            // The shortest run closest to the nodes.
            curves.sort_by_key(|c| ((c.to.1 - c.from.1).abs(), c.from.1));
            let mut lanes: Vec<Vec<(i32, i32)>> = Vec::new();
            for curve in &mut curves {
                let span = (curve.from.1.min(curve.to.1), curve.from.1.max(curve.to.1));
                let free = |lane: &Vec<(i32, i32)>| lane.iter().all(|s| s.1 < span.0 || span.1 < s.0);
                let lane = lanes.iter().position(free).unwrap_or(lanes.len());
                match lanes.get_mut(lane) {
                    Some(taken) => taken.push(span),
                    None => lanes.push(vec![span]),
                }
                let out = margin + labels + i32::try_from(lane).unwrap_or(0) * LANE;
                curve.lane = if way > 0 { NODE + out } else { -out };
            }
            let lanes = i32::try_from(lanes.len()).unwrap_or(0);
            let needed = if lanes == 0 { margin } else { margin + labels + lanes * LANE };
            if way > 0 {
                room.1 = needed
            } else {
                room.0 = needed
            }
            self.curves.append(&mut curves);
        }
        room
    }

    /// The curves of one side, between nodes of this column, without lanes. The ends at a
    /// node stand one below the other, as the other ends do.
    fn ends(&self, ends: &Ends<'a>, rows: &HashMap<&str, Rect>, way: i32) -> Vec<Curve<'a>> {
        let mut at: HashMap<(&str, &str, EdgeKind, bool), i32> = HashMap::new();
        let mut found: Vec<&Edge> = Vec::new();
        for (node, rect) in &self.nodes {
            let other = |e: &Edge| rows.get(if e.from == node.id { e.to.as_str() } else { e.from.as_str() }).copied();
            let edges = ends.get(node.id.as_str()).into_iter().flatten();
            let mut edges: Vec<(&Edge, Rect)> =
                edges.filter(|e| side(e.kind) == Some(way)).filter_map(|e| Some((*e, other(e)?))).collect();
            edges.sort_by_key(|(_, other)| other.y);
            let step = rect.h / (i32::try_from(edges.len()).unwrap_or(0) + 1);
            let mut y = rect.y;
            for (edge, _) in edges {
                y += step;
                let starts = edge.from == node.id;
                at.insert((&edge.from, &edge.to, edge.kind, starts), y);
                if starts {
                    found.push(edge);
                }
            }
        }
        let x = if way > 0 { NODE } else { 0 };
        let end = |e: &Edge, starts| at.get(&(e.from.as_str(), e.to.as_str(), e.kind, starts)).map(|y| (x, *y));
        let curve = |edge| Some(Curve { edge, from: end(edge, true)?, to: end(edge, false)?, lane: 0 });
        found.into_iter().filter_map(curve).collect()
    }
}

/// How many clusters stand in one another below this one.
fn depth(tree: &Tree<'_>, cluster: &Cluster) -> i32 {
    let inner = tree.parts(cluster).iter().filter_map(|part| match part {
        Part::Cluster(inner) => Some(depth(tree, inner) + 1),
        Part::Node(_) => None,
    });
    inner.max().unwrap_or(0)
}
