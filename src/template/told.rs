//! Tests of what is said of errors: the words, the place, the way that led there, what was meant.

use std::sync::Arc;

use super::checks::Vars;
use super::{Engine, NoOutside, Templar, TemplateOptions};
use crate::diag::Diagnostic;
use crate::model::{Map, Origin, Source, Text, Value};

/// The diagnostic of a failure: message, place, and all that is told besides.
struct Told {
    message: String,
    at: String,
    more: Vec<String>,
}

fn told(diagnostic: Diagnostic) -> Told {
    let related = diagnostic.related.iter().map(|(origin, words)| format!("{origin} {words}"));
    Told {
        message: diagnostic.message,
        at: diagnostic.origin.map(|o| o.to_string()).unwrap_or_default(),
        more: related.chain(diagnostic.hints).collect(),
    }
}

fn templar(vars: &[(&str, Value)]) -> Templar {
    let vars: Map = vars.iter().map(|(k, v)| (*k, v.clone())).collect();
    Templar::new(Arc::new(Engine::new(Arc::new(NoOutside))), Arc::new(Vars(vars)))
}

/// The scalar of a YAML file that begins at a place; its text as YAML reads it.
fn scalar(source: &Arc<Source>, line: u32, column: u32, text: &str) -> Value {
    Value::Str(Text::template(text, Some(Origin::new(source, line, column))))
}

fn fails(templar: &Templar, value: &Value) -> Told {
    told(templar.render(value).expect_err("an error").into())
}

#[test]
fn the_place_is_the_expression_within_the_scalar() {
    let yaml = "a: \"x {{ one }} {{ tow }}\"\nb: |\n  line\n  {{ one }}\n    {{ two.three }}\nc: >-\n  folded\n  {{ one\n     | nope2 }}\nd: '{{ it''s }} {{ gone }}'\n";
    let source = Source::new("vars.yml", yaml);
    let t = templar(&[("one", 1.into()), ("two", Value::from([("thee", 1)].into_iter().collect::<Map>()))]);
    let first = fails(&t, &scalar(&source, 1, 4, "x {{ one }} {{ tow }}"));
    assert_eq!((first.message.as_str(), first.at.as_str()), ("'tow' is undefined", "vars.yml:1:20"));
    assert_eq!(first.more, ["did you mean `two`?"]);
    let block = fails(&t, &scalar(&source, 2, 4, "line\n{{ one }}\n  {{ two.three }}\n"));
    assert_eq!(block.message, "object of type 'dict' has no attribute 'three'");
    assert!(block.at.starts_with("vars.yml:5:"), "{}", block.at);
    assert_eq!(block.more, ["did you mean `thee`?"]);
    let engine = Engine::new(Arc::new(NoOutside));
    let folded = engine.check(&Text::template("folded {{ one | nope2 }}", Some(Origin::new(&source, 6, 4))));
    let [folded] = <[Diagnostic; 1]>::try_from(folded).expect("one finding");
    let folded = told(folded);
    assert_eq!(folded.message, "No filter named 'nope2'");
    assert!(folded.at.starts_with("vars.yml:"), "{}", folded.at);
}

#[test]
fn the_chain_of_variables_is_told_from_the_inside_out() {
    let source = Source::new("group_vars/all.yml", "url: \"http://{{ host }}\"\nhost: \"{{ nmae }}.org\"\nname: x\n");
    let t = templar(&[
        ("url", scalar(&source, 1, 6, "http://{{ host }}")),
        ("host", scalar(&source, 2, 7, "{{ nmae }}.org")),
        ("name", "x".into()),
    ]);
    let play = Source::new("play.yml", "- debug: msg=\"{{ url }}\"\n");
    let chain = fails(&t, &scalar(&play, 1, 14, "{{ url }}"));
    assert_eq!((chain.message.as_str(), chain.at.as_str()), ("'nmae' is undefined", "group_vars/all.yml:2:11"));
    let wanted = [
        "group_vars/all.yml:2:7 in the value of variable `host`",
        "group_vars/all.yml:1:6 in the value of variable `url`",
        "did you mean `name`?",
    ];
    assert_eq!(chain.more, wanted);
}

#[test]
fn the_place_in_a_template_file_is_its_line_and_column() {
    let t = templar(&[("port", 80.into())]);
    let content =
        "#jinja2: trim_blocks: True\nlisten {{ port }}\n{% for x in [1] %}\n  name {{ prot }}\n{% endfor %}\n";
    let source = Source::new("templates/site.j2", content);
    let text = Text::template(content, Some(Origin::new(&source, 1, 1)));
    let found = told(t.text(&text, TemplateOptions::default()).expect_err("undefined").into());
    assert_eq!((found.message.as_str(), found.at.as_str()), ("'prot' is undefined", "templates/site.j2:4:11"));
    assert_eq!(found.more, ["did you mean `port`?"]);
    let content = "a\n{{ port | defualt(1) }}\n";
    let source = Source::new("b.j2", content);
    let text = Text::template(content, Some(Origin::new(&source, 1, 1)));
    let engine = Engine::new(Arc::new(NoOutside));
    let found = told(engine.check_file(&text).expect("no such filter"));
    assert_eq!((found.message.as_str(), found.at.as_str()), ("No filter named 'defualt'", "b.j2:2:11"));
    assert_eq!(found.more, ["did you mean `default`?"]);
    let content = "a\n{% if port %}\n";
    let source = Source::new("c.j2", content);
    let text = Text::template(content, Some(Origin::new(&source, 1, 1)));
    assert!(told(engine.check_file(&text).expect("an open block")).message.starts_with("Syntax error"));
}

#[test]
fn names_that_do_not_exist_are_told_with_what_is_near() {
    let t = templar(&[("x", 1.into())]);
    for (text, message, hint) in [
        ("{{ x | to_jsn }}", "No filter named 'to_jsn'", "did you mean `to_json`?"),
        ("{{ x | ansible.utils.ipadr }}", "No filter named 'ansible.utils.ipadr'", "did you mean `ipaddr`?"),
        ("{{ x is defned }}", "No test named 'defned'", "did you mean `defined`?"),
        ("{{ lookup('fiel', 'x') }}", "The lookup plugin 'fiel' was not found", "did you mean `file`?"),
        ("{{ lookup(x | string ~ 'env') }}", "The lookup plugin '1env' was not found", "did you mean `env`?"),
        ("{{ [1] | map('uper') }}", "No filter named 'uper'", "did you mean `upper`?"),
        ("{{ [1] | select('od') }}", "No test named 'od'", "did you mean `odd`?"),
        (
            "{{ lookup('file', 'x', rstirp=false) }}",
            "the lookup 'file' has no option 'rstirp'",
            "did you mean `rstrip`?",
        ),
        ("{{ query('items', [1], flat=true) }}", "the lookup 'items' has no option 'flat'", "it takes none"),
        (
            "{{ lookup('env', 'x', **{'defalt': 1}) }}",
            "the lookup 'env' has no option 'defalt'",
            "did you mean `default`?",
        ),
    ] {
        let found = fails(&t, &Value::Str(Text::template(text, None)));
        assert!(found.message.ends_with(message), "{text}: {}", found.message);
        assert_eq!(found.more, [hint], "{text}");
    }
    let source = Source::new("p.yml", "msg: \"{{ lookup('file', 'x', rstirp=false) }}\"\n");
    let text = Text::template("{{ lookup('file', 'x', rstirp=false) }}", Some(Origin::new(&source, 1, 6)));
    let [found] = <[Diagnostic; 1]>::try_from(Engine::new(Arc::new(NoOutside)).check(&text)).expect("one finding");
    assert_eq!(told(found).at, "p.yml:1:30", "before the run, at the option");
}

#[test]
fn a_failing_lookup_may_warn() {
    let t = templar(&[]);
    let render = |text: &str| t.render(&Value::Str(Text::template(text, None)));
    assert_eq!(render("{{ lookup('file', 'nope', errors='warn') }}").expect("nothing"), Value::Null);
    let warnings = t.take_warnings();
    assert!(matches!(warnings.as_slice(), [one] if one.contains("'file'") && one.contains("'nope'")), "{warnings:?}");
    assert_eq!(
        render("{{ query('file', 'nope', errors='ignore') }}").expect("nothing"),
        Value::list(Vec::<Value>::new())
    );
    assert!(t.take_warnings().is_empty());
    assert!(render("{{ lookup('file', 'nope') }}").is_err());
}

#[test]
fn a_value_that_no_key_opens_is_an_error_but_for_those_who_look_at_its_text() {
    let open = templar(&[]);
    let cipher = open.render(&Value::Str(Text::template("{{ 'text' | vault('pw', 'salt') }}", None))).expect("vault");
    let cipher = Value::Str(Text::encrypted(cipher.as_str().expect("text"), None));
    let vars: Map = [("locked", cipher)].into_iter().collect();
    let t = Templar::new(Arc::new(Engine::new(Arc::new(NoOutside))), Arc::new(Vars(vars)));
    let render = |text: &str| t.render(&Value::Str(Text::template(text, None)));
    assert!(render("{{ locked }}").expect_err("locked").message().starts_with("Attempt to use undecryptable"));
    assert_eq!(render("{{ locked | unvault('pw') }}").expect("opened"), Value::from("text"));
    assert_eq!(render("{{ locked is vault_encrypted }}").expect("known"), Value::Bool(true));
}

/// What is said of a template before anything runs.
fn refused(text: &str) -> Told {
    let source = Source::new("vars.yml", format!("a: {text}\n"));
    let engine = Engine::new(Arc::new(NoOutside));
    let found = engine.check(&Text::template(text, Some(Origin::new(&source, 1, 4))));
    told(<[Diagnostic; 1]>::try_from(found).expect(text).into_iter().next().expect(text))
}

#[test]
fn arguments_that_are_not_taken_are_refused_before_anything_runs() {
    for (text, message, column, hint) in [
        (
            "{{ x | default('a', boolaen=true) }}",
            "The filter plugin 'ansible.builtin.default' failed: default() got an unexpected keyword argument 'boolaen'",
            24,
            "did you mean `boolean`?",
        ),
        (
            "{{ x | int(1, 10, 3) }}",
            "The filter plugin 'ansible.builtin.int' failed: int() takes from 1 to 3 positional arguments but 4 were given",
            11,
            "it takes default, base",
        ),
        (
            "{{ x is version('1', stirct=true) }}",
            "The test plugin 'ansible.builtin.version' failed: version() got an unexpected keyword argument 'stirct'",
            25,
            "did you mean `strict`?",
        ),
        (
            "{{ x | map('indent', 2, indentfirst=true) }}",
            "The filter plugin 'ansible.builtin.indent' failed: indent() got an unexpected keyword argument 'indentfirst'",
            28,
            "it takes width, first, blank",
        ),
        ("{{ x | selectattr('a', 'equalto2', 1) }}", "No test named 'equalto2'", 27, "did you mean `equalto`?"),
    ] {
        let said = refused(text);
        assert_eq!(said.message, message);
        assert_eq!((said.at, said.more), (format!("vars.yml:1:{column}"), vec![hint.to_owned()]), "{text}");
    }
}

#[test]
fn attributes_behind_brackets_are_marked_from_their_beginning() {
    let user = Value::from([("name", Value::from("ann"))].into_iter().collect::<Map>());
    let t = templar(&[("users", Value::list([user]))]);
    let source =
        Source::new("vars.yml", "a: \"{{ users[0].nme }}\"\nb: \"{{ users | map(attribute='uid') | join }}\"\n");
    let one = fails(&t, &scalar(&source, 1, 4, "{{ users[0].nme }}"));
    assert_eq!((one.at.as_str(), one.more), ("vars.yml:1:8", vec!["did you mean `name`?".to_owned()]));
    let other = fails(&t, &scalar(&source, 2, 4, "{{ users | map(attribute='uid') | join }}"));
    assert_eq!(other.message, "object of type 'dict' has no attribute 'uid'");
    assert!(other.at.starts_with("vars.yml:2:") && other.at != "vars.yml:2:4", "{}", other.at);
}

#[test]
fn what_is_omitted_where_a_value_is_needed_has_its_place() {
    let t = templar(&[]);
    let source = Source::new("play.yml", "- when: \"{{ omit }}\"\n");
    let when = scalar(&source, 1, 9, "{{ omit }}");
    let said = told(t.condition(&when).expect_err("no truth").into());
    assert_eq!(
        (said.message.as_str(), said.at.as_str()),
        ("A template was resolved to an Omit scalar.", "play.yml:1:9")
    );
}

#[test]
fn blocks_that_stay_open_are_named() {
    let said = refused("{% if x %}a{% for y in z %}b{% endfor %}");
    assert_eq!(said.more, ["`{% if x %}` is not closed by `{% endif %}`"]);
    let said = refused("{% for y in z %}b{% endif %}");
    assert_eq!(said.message, "Syntax error in template: unknown statement endif");
    assert_eq!(said.more, ["the innermost open block is `{% for y in z %}`, which `{% endfor %}` closes"]);
}

#[test]
fn what_is_known_only_when_it_runs_is_refused_then() {
    let t = templar(&[("opts", Value::from([("foo", 1)].into_iter().collect::<Map>())), ("f", "indent".into())]);
    for (text, message) in [
        (
            "{{ 'x' | indent(**opts) }}",
            "The filter plugin 'ansible.builtin.indent' failed: indent() got an unexpected keyword argument 'foo'",
        ),
        ("{{ 'x'.split(foo=1) }}", "Error rendering template: split() got an unexpected keyword argument 'foo'"),
        ("{{ [1].append() }}", "Error rendering template: append() missing 1 required positional argument: 'object'"),
        (
            "{{ joiner(1, 2) }}",
            "Error rendering template: joiner() takes from 0 to 1 positional arguments but 2 were given",
        ),
    ] {
        let source = Source::new("vars.yml", text);
        assert_eq!(fails(&t, &scalar(&source, 1, 1, text)).message, message);
    }
    let text = "{{ ['x'] | map(f, foo=1) }}";
    let message = fails(&t, &scalar(&Source::new("vars.yml", text), 1, 1, text)).message;
    assert!(message.contains("indent() got an unexpected keyword argument 'foo'"), "{message}");
}
