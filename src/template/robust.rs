//! No text makes the layer panic: random sequences of what templates are made of.

use std::sync::Arc;

use proptest::prelude::*;

use super::checks::Vars;
use super::{Engine, NoOutside, Templar, TemplateOptions};
use crate::model::{Map, Text, Value};

const WORDS: &[&str] = &[
    "{{",
    "}}",
    "{%",
    "%}",
    "{#",
    "#}",
    "{{-",
    "-%}",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    ",",
    ":",
    ".",
    "|",
    "~",
    "+",
    "-",
    "*",
    "**",
    "/",
    "//",
    "%",
    "==",
    "<",
    "=",
    "'",
    "\"",
    "\\",
    "\n",
    " ",
    "é",
    "😀",
    "0",
    "-1",
    "99999999999999999999999",
    "1e309",
    "0.1",
    "'a'",
    "'%d'",
    "'{:>9}'",
    "s",
    "n",
    "xs",
    "d",
    "t",
    "none",
    "true",
    "omit",
    "nope",
    "loop",
    "self",
    "if",
    "else",
    "elif",
    "endif",
    "for",
    "in",
    "endfor",
    "recursive",
    "set",
    "endset",
    "macro",
    "endmacro",
    "call",
    "endcall",
    "filter",
    "endfilter",
    "raw",
    "endraw",
    "block",
    "endblock",
    "include",
    "import",
    "with",
    "context",
    "is",
    "not",
    "and",
    "or",
    "default",
    "map",
    "'upper'",
    "join",
    "format",
    "int",
    "round",
    "sort",
    "batch",
    "slice",
    "indent",
    "truncate",
    "regex_replace",
    "regex_search",
    "'('",
    "to_yaml",
    "to_json",
    "from_json",
    "combine",
    "zip",
    "human_to_bytes",
    "strftime",
    "to_datetime",
    "ipaddr",
    "ipsubnet",
    "nthhost",
    "cidr_merge",
    "'::/0'",
    "'10.0.0.0/8'",
    "'255.255.255.255/32'",
    "json_query",
    "'[?a]'",
    "password_hash",
    "'md5'",
    "wordwrap",
    "urlize",
    "random_mac",
    "version_sort",
    "lookup",
    "'sequence'",
    "'1-3'",
    "range",
    "dict",
    "namespace",
    "defined",
    "version",
    "divisibleby",
    "update",
    "append",
    "pop",
    "center",
    "zfill",
    "expandtabs",
    "find",
];

fn vars() -> Map {
    let mut map = Map::new();
    map.insert("s", Value::from("text"));
    map.insert("n", Value::Int(3));
    map.insert("xs", Value::list([1, 2]));
    map.insert("d", Value::from([("a", 1), ("b", 2)].into_iter().collect::<Map>()));
    map.insert("t", Value::Str(Text::template("{{ s }}{{ n }}", None)));
    map
}

fn evaluate(text: &str) {
    let templar = Templar::new(Arc::new(Engine::new(Arc::new(NoOutside))), Arc::new(Vars(vars())));
    let template = Text::template(text, None);
    drop(templar.render(&Value::Str(template.clone())));
    drop(templar.condition(&Value::Str(template.clone())));
    drop(templar.text(&template, TemplateOptions::default()));
    drop(templar.handlebars(&template));
}

fn word() -> impl Strategy<Value = &'static str> {
    prop::sample::select(WORDS)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_sequence_of_words_makes_a_template_panic(words in prop::collection::vec(word(), 0..24)) {
        evaluate(&words.join(" "));
        evaluate(&words.concat());
    }

    #[test]
    fn no_filter_panics_whatever_it_is_given(
        input in word(),
        filter in prop::sample::select(super::filters::names().collect::<Vec<_>>()),
        args in prop::collection::vec(word(), 0..4),
    ) {
        // Rounds of hashing are slow, and products grow.
        prop_assume!(!matches!(filter, "password_hash" | "vault" | "product" | "permutations" | "combinations" | "powerset"));
        evaluate(&format!("{{{{ {input} | {filter}({}) }}}}", args.join(", ")));
    }
}
