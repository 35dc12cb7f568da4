//! `serial`: how many hosts run a play at the same time.

use super::parse::Findings;
use crate::diag::Diagnostic;
use crate::model::Value;
use crate::yaml::Node;

/// The number of hosts that one value means, of so many; 0 is all of them. Nothing for what is
/// neither a number nor a percentage.
pub fn batch_size(value: &Value, total: usize) -> Option<usize> {
    match value {
        Value::Int(i) => Some(usize::try_from(*i).unwrap_or(0)),
        Value::Str(t) => match t.trim().strip_suffix('%') {
            Some(percent) => {
                let percent: usize = percent.trim().parse().ok()?;
                Some((total * percent / 100).max(1))
            }
            None => t.trim().parse().ok().map(|i: i64| usize::try_from(i).unwrap_or(0)),
        },
        _ => None,
    }
}

/// Findings in what is written; templates are looked at when their play begins.
pub(super) fn check(node: &Node, findings: &mut Findings) {
    let items = node.as_seq().unwrap_or(std::slice::from_ref(node));
    for item in items.iter().filter(|item| !item.is_null()) {
        let value = item.to_value().unwrap_or_default();
        let template = value.as_str().is_some_and(|text| text.contains("{{") || text.contains("{%"));
        if !template && batch_size(&value, 1).is_none() {
            findings.push(
                Diagnostic::error(format!("`serial` takes numbers and percentages, not {}", item.describe()))
                    .at(item.origin.clone())
                    .hint("for example `serial: 5`, `serial: \"30%\"` or `serial: [1, 5, \"30%\"]`"),
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_percentages() {
        let size = |value: Value| batch_size(&value, 10);
        assert_eq!(size(3.into()), Some(3));
        assert_eq!(size("3".into()), Some(3));
        assert_eq!((size(0.into()), size(Value::from(-1)), size("-2".into())), (Some(0), Some(0), Some(0)));
        assert_eq!((size("34%".into()), size("1%".into()), size("0%".into())), (Some(3), Some(1), Some(1)));
        assert_eq!((size("all".into()), size("x%".into()), size(Value::Null)), (None, None, None));
    }
}
