//! YAML's less common tags, as they come out of variables in ansible-core: `!!set`, `!!omap` and
//! `!!pairs` are lists, `!!binary` is text.

use base64::Engine;

use super::node::{Node, NodeKind};
use crate::diag::Diagnostic;

/// The text that stands encoded.
///
/// # Errors
/// When it is no Base64, or what it encodes is no text: values here are text.
pub(super) fn binary(encoded: &str) -> Result<String, Diagnostic> {
    let packed: String = encoded.split_whitespace().collect();
    let bytes = base64::engine::general_purpose::STANDARD
        .decode(packed)
        .map_err(|e| Diagnostic::error(format!("this is not Base64: {e}")))?;
    String::from_utf8(bytes).map_err(|_| {
        Diagnostic::error("what `!!binary` encodes here is not text in UTF-8")
            .hint("keep it encoded in a string, and write it with `content: \"{{ … | b64decode }}\"` or from a file")
    })
}

/// Makes a list of a set, or pairs of mappings of one entry; false where it is something else.
pub(super) fn make_list(node: &mut Node, kind: &str) -> bool {
    let origin = node.origin.clone();
    let items = match (&mut node.kind, kind) {
        (NodeKind::Map(entries), "set") => std::mem::take(entries).into_iter().map(|(key, _)| key).collect(),
        (NodeKind::Seq(items), "omap" | "pairs") => {
            let Some(pairs) = std::mem::take(items).into_iter().map(pair).collect::<Option<Vec<_>>>() else {
                return false;
            };
            pairs
        }
        _ => return false,
    };
    *node = Node { origin, kind: NodeKind::Seq(items) };
    true
}

/// `{key: value}` as `[key, value]`.
fn pair(item: Node) -> Option<Node> {
    let NodeKind::Map(entries) = item.kind else { return None };
    let [(key, value)] = <[(Node, Node); 1]>::try_from(entries).ok()?;
    Some(Node { origin: item.origin, kind: NodeKind::Seq(vec![key, value]) })
}
