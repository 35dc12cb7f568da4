//! Which block is open where a template ends too early or ends another one.

/// A statement that opens a block, as it is written, and its name.
struct Opened<'s> {
    text: &'s str,
    name: &'s str,
}

/// What the parser stopped at says of the blocks around it: nothing where they are not the matter.
pub(super) fn hint(source: &str, problem: &str, at: usize) -> Option<String> {
    let ends = problem.starts_with("unexpected end of input");
    let closes = problem.starts_with("unknown statement end");
    let read = if ends { source } else { source.get(..at).unwrap_or(source) };
    if !ends && !closes {
        return None;
    }
    match open(read).pop() {
        Some(Opened { text, name }) if ends => Some(format!("`{text}` is not closed by `{{% end{name} %}}`")),
        Some(Opened { text, name }) => {
            Some(format!("the innermost open block is `{text}`, which `{{% end{name} %}}` closes"))
        }
        None => closes.then(|| "no block is open here".to_owned()),
    }
}

/// The blocks that a text leaves open, the innermost last.
fn open(source: &str) -> Vec<Opened<'_>> {
    let mut open: Vec<Opened<'_>> = Vec::new();
    let mut rest = source;
    while let Some((_, after)) = rest.split_once("{%") {
        let Some(end) = after.find("%}") else { break };
        let (inside, next) = after.split_at(end);
        let start = source.len() - after.len() - 2;
        let text = source.get(start..start + end + 4).unwrap_or_default();
        rest = next;
        let inside = inside.trim_matches(['-', '+']).trim();
        let name = inside.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap_or_default();
        let whole = name == "set" && !inside.contains('=');
        if matches!(name, "if" | "for" | "macro" | "call" | "filter" | "with" | "block" | "autoescape") || whole {
            open.push(Opened { text, name });
        } else if name == "raw" {
            rest = rest.find("endraw").and_then(|at| rest.get(at..)).unwrap_or_default();
        } else if open.last().is_some_and(|last| name.strip_prefix("end") == Some(last.name)) {
            open.pop();
        }
    }
    open
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_innermost_block_is_named() {
        let ended = |source: &str| hint(source, "unexpected end of input, expected end of block", source.len());
        assert_eq!(
            ended("{% if x %}a{% for y in z %}b").unwrap(),
            "`{% for y in z %}` is not closed by `{% endfor %}`"
        );
        assert_eq!(
            ended("{%- if x -%}a{% for y in z %}b{% endfor %}").unwrap(),
            "`{%- if x -%}` is not closed by `{% endif %}`"
        );
        assert_eq!(ended("{% set x %}b").unwrap(), "`{% set x %}` is not closed by `{% endset %}`");
        assert_eq!(ended("{% set x = 1 %}{% raw %}{% if %}{% endraw %}"), None);
        let other = "{% for x in y %}{% if a %}{% endif %}";
        let said = hint(other, "unknown statement endif", other.len()).unwrap();
        assert_eq!(said, "the innermost open block is `{% for x in y %}`, which `{% endfor %}` closes");
        assert_eq!(hint("a", "unknown statement endif", 1).unwrap(), "no block is open here");
        assert_eq!(hint("{% if x %}", "unexpected identifier", 10), None);
    }
}
