//! Tests of the layer as a whole: what is rplay's own.

use std::sync::Arc;

use super::{Engine, NoOutside, Templar, Truth};
use crate::model::{Map, Marks, Origin, Source, Text, Value};
use crate::vars::{HostVars, Variables};

/// Variables from a map; all hosts of a test share what is in it.
pub(super) struct Vars(pub Map);

impl Variables for Vars {
    fn get(&self, name: &str) -> Option<Value> {
        self.0.get(name).cloned()
    }
    fn names(&self) -> Vec<String> {
        self.0.keys().map(ToString::to_string).collect()
    }
}

/// Every string as the user's own: templated.
pub(super) fn trusted(value: &Value) -> Value {
    value.map_text(&|t| t.clone().marked(Marks::TEMPLATE))
}

fn template(text: &str) -> Value {
    Value::Str(Text::template(text, None))
}

fn map(vars: &[(&str, Value)]) -> Map {
    vars.iter().map(|(k, v)| (*k, v.clone())).collect()
}

fn with(vars: &[(&str, Value)]) -> Templar {
    Templar::new(Arc::new(Engine::new(Arc::new(NoOutside))), Arc::new(Vars(map(vars))))
}

fn unknown() -> Value {
    Value::Unknown("the command of task \"probe\" was not run".into())
}

#[test]
fn what_is_computed_from_the_unknown_is_unknown_and_what_never_reads_it_is_not() {
    let t = with(&[("r", unknown()), ("yes", Value::Bool(true)), ("via", template("{{ r.stdout }}x"))]);
    for text in [
        "{{ r }}",
        "{{ r.stdout | length }}",
        "a{{ via }}",
        "{{ via | default('x') }}",
        "{{ yes and r }}",
        "{% if r %}a{% endif %}",
    ] {
        assert!(matches!(t.render(&template(text)).expect(text), Value::Unknown(_)), "{text}");
    }
    assert_eq!(t.render(&template("{{ yes or r }}")).expect("short"), Value::Bool(true));
    let list = t.render(&Value::list([template("{{ r }}"), template("{{ yes }}")])).expect("list");
    assert!(matches!(list.as_list(), Some([Value::Unknown(_), Value::Bool(true)])), "only the item is unknown");
    assert!(matches!(t.condition(&template("r.rc == 0")).expect("condition"), Truth::Unknown(_)));
    assert_eq!(t.condition(&template("not yes and r.rc == 0")).expect("condition"), Truth::False);
    let error = t.text(&Text::template("{{ r }}", None), super::TemplateOptions::default()).expect_err("unknown");
    assert!(error.unknown().is_some());
}

#[test]
fn what_is_computed_from_a_secret_is_secret() {
    let secret = Value::Str(Text::new("hunter2").marked(Marks::SECRET));
    let creds = Value::from(map(&[("user", "bob".into()), ("pass", secret.clone())]));
    let t = with(&[("pw", secret), ("creds", creds), ("url", template("u:{{ pw }}@h"))]);
    let marked = |text: &str| match t.render(&template(text)).expect(text) {
        Value::Str(t) => t.is_secret(),
        other => panic!("{other:?}"),
    };
    for text in [
        "{{ pw }}",
        "x{{ pw | upper }}",
        "{{ url }}",
        "{{ url | b64encode }}",
        "{{ creds.pass ~ 'x' }}",
        "{{ creds | to_json }}",
    ] {
        assert!(marked(text), "{text}");
    }
    assert!(!marked("{{ creds.user }}"));
    assert!(
        t.text(&Text::template("p={{ url }}\n", None), super::TemplateOptions::default()).expect("text").is_secret()
    );
}

#[test]
fn filters_encrypt_and_decrypt_in_ansibles_format() {
    let t = with(&[]);
    let render = |text: &str| t.render(&template(text));
    // As ansible-core 2.19 gives it.
    let known = "$ANSIBLE_VAULT;1.2;AES256;filter_default\n\
                 37333631366337340a38353737626336313464356536613037383033633465306634353031383563\n\
                 3665626433636536343364643939626338326162613034643666373562313566640a363538656131\n\
                 6239376265626538323031306234323337356334326434386164\n";
    assert_eq!(render("{{ 'text' | vault('pw', 'salt') }}").expect("vault"), Value::from(known));
    assert_eq!(render("{{ 'plain' | unvault('pw') }}").expect("plain"), Value::from("plain"));
    let back = render("{{ 'text' | vault('pw') | unvault('pw') }}").expect("back");
    assert!(matches!(&back, Value::Str(t) if t.is_secret() && t.as_str() == "text"), "{back:?}");
    for wrong in ["{{ 'x' | vault('a') | unvault('b') }}", "{{ 5 | vault('a') }}", "{{ 5 | unvault('a') }}"] {
        assert!(render(wrong).is_err(), "{wrong}");
    }
}

#[test]
fn results_are_data_and_never_templated_again() {
    let t = with(&[
        ("evil", Value::from("{{ 1 + 1 }}")),
        ("copy", template("{{ evil }}")),
        ("glued", template("{{ '{' ~ '{ 1 }' ~ '}' }}")),
    ]);
    assert_eq!(t.render(&template("{{ copy }}")).expect("copy"), Value::from("{{ 1 + 1 }}"));
    assert_eq!(t.render(&template("<{{ glued }}>")).expect("glued"), Value::from("<{{ 1 }}>"));
    assert_eq!(t.render(&Value::from("{{ 1 }}")).expect("data"), Value::from("{{ 1 }}"));
}

#[test]
fn omit_takes_away_entries_and_is_told_at_the_top() {
    let t = with(&[]);
    let value = Value::from(map(&[
        ("a", template("{{ omit }}")),
        ("b", template("{{ nope | default(omit) }}")),
        ("c", 1.into()),
    ]));
    assert_eq!(t.render(&value).expect("map"), Value::from(map(&[("c", 1.into())])));
    assert!(t.render(&template("{{ omit }}")).expect_err("omitted").is_omitted());
}

#[test]
fn a_cycle_is_named_and_no_overflow() {
    let t = with(&[
        ("a", template("{{ b }}")),
        ("b", template("x{{ c.d }}")),
        ("c", Value::from(map(&[("d", template("{{ a }}"))]))),
    ]);
    let error = t.render(&template("{{ a }}")).expect_err("cycle");
    assert!(error.message().contains("`a` → `b`"), "{error}");
    let deep = (0..3000).map(|i| (format!("v{i}"), template(&format!("{{{{ v{} }}}}", i + 1)))).collect::<Map>();
    let t = Templar::new(Arc::new(Engine::new(Arc::new(NoOutside))), Arc::new(Vars(deep)));
    assert!(t.render(&template("{{ v0 }}")).is_err());
    let nested = format!("{{{{ {}1{} }}}}", "(".repeat(2000), ")".repeat(2000));
    assert!(t.render(&template(&nested)).is_err());
}

struct Hosts(Vec<(String, Arc<Vars>)>);

impl HostVars for Hosts {
    fn hosts(&self) -> Vec<String> {
        self.0.iter().map(|(n, _)| n.clone()).collect()
    }
    fn scope(&self, host: &str) -> Option<Arc<dyn Variables>> {
        self.0.iter().find(|(n, _)| n == host).map(|(_, v)| -> Arc<dyn Variables> { Arc::<Vars>::clone(v) })
    }
}

struct WithHosts(Vars, Arc<Hosts>);

impl Variables for WithHosts {
    fn get(&self, name: &str) -> Option<Value> {
        self.0.get(name)
    }
    fn names(&self) -> Vec<String> {
        self.0.names()
    }
    fn hostvars(&self) -> Option<Arc<dyn HostVars>> {
        Some(Arc::<Hosts>::clone(&self.1))
    }
}

#[test]
fn another_hosts_variables_are_evaluated_in_its_scope() {
    let host = |name: &str| {
        let vars = map(&[
            ("me", name.into()),
            ("hello", template("I am {{ me }}")),
            ("peer", template("{{ hostvars['web1'].me }}")),
        ]);
        (name.to_owned(), Arc::new(Vars(vars)))
    };
    let hosts = Arc::new(Hosts(vec![host("web1"), host("web2")]));
    let vars = WithHosts(Vars(map(&[("me", "here".into()), ("item", "web2".into())])), hosts);
    let t = Templar::new(Arc::new(Engine::new(Arc::new(NoOutside))), Arc::new(vars));
    for (text, want) in [
        ("{{ hostvars['web2'].hello }}", "I am web2"),
        ("{{ hostvars.web2['hello'] }}", "I am web2"),
        ("{{ hostvars[item]['peer'] }}", "web1"),
        ("{{ hostvars | list | join(',') }}", "web1,web2"),
        ("{{ hostvars['web3'].me | default('none') }}", "none"),
        ("{{ 'web1' in hostvars }}{{ hostvars['web1'].x is defined }}", "TrueFalse"),
        ("{{ ['web1', 'web2'] | map('extract', hostvars, 'hello') | join('+') }}", "I am web1+I am web2"),
        ("{{ vars['me'] }}{{ vars.me }}", "herehere"),
    ] {
        assert_eq!(t.render(&template(text)).expect(text), Value::from(want), "{text}");
    }
}

#[test]
fn conditions_are_strict_with_a_warning_where_2_18_was_not() {
    let t = with(&[
        ("other", Value::Bool(false)),
        ("flag", template("{{ other }}")),
        ("word", "yes".into()),
        ("empty", Value::list(Vec::<Value>::new())),
    ]);
    for (text, want, warned) in [
        ("flag", Truth::False, false),
        ("not flag", Truth::True, false),
        ("word", Truth::True, true),
        ("empty", Truth::False, true),
        ("{{ word == 'yes' }}", Truth::True, true),
        ("1 == 1", Truth::True, false),
        ("", Truth::True, false),
    ] {
        assert_eq!(t.condition(&template(text)).expect(text), want, "{text}");
        assert_eq!(!t.take_warnings().is_empty(), warned, "{text}");
    }
    assert_eq!(t.condition(&Value::Bool(false)).expect("bool"), Truth::False);
    assert_eq!(t.condition(&template("nope is defined")).expect("defined"), Truth::False);
    assert_eq!(t.condition(&template("nope.x == 1")).expect_err("undefined").undefined_name(), Some("nope"));
}

#[test]
fn what_a_host_returned_is_never_a_condition() {
    let t = with(&[
        ("out", Value::from("1 == 1")),
        ("quote", Value::from("x' == 'x' or '")),
        ("said", Value::from("yes")),
        ("a", template("b")),
        ("n", 3.into()),
        ("own", template("a == 'b'")),
        ("via", template("{{ own }}")),
        ("round", template("{{ round }}")),
    ]);
    for (text, want) in [
        ("{{ own }}", Truth::True),
        ("{{ via }}", Truth::True),
        ("{{ said }}", Truth::True),
        ("{{ n }} > 2", Truth::True),
        ("{{ n }} > 2 and {{ own }} and not {{ said }}", Truth::False),
        ("'{{ a }}' == 'b'", Truth::True),
        ("\"{{ a }}-{{ {'k': {'x': 'y'}}['k'].x }}\" == 'b-y'", Truth::True),
        ("'{{ quote }}' == 'y'", Truth::False),
        ("{% if n > 2 %}true{% endif %}", Truth::True),
    ] {
        assert_eq!(t.condition(&template(text)).expect(text), want, "{text}");
    }
    for text in
        ["{{ out }}", "{{ out }} or n == 3", "'x' in {{ out }}", "{{ '1 == 1' }}", "{% if n %}1 == 1{% endif %}"]
    {
        let error = t.condition(&template(text)).expect_err(text);
        assert!(error.message().contains("untrusted template or expression"), "{text}: {error}");
    }
    assert!(t.condition(&template("{{ round }}")).is_err());
}

#[test]
fn what_is_shown_or_asserted_by_a_template_is_a_name_or_the_users_own() {
    let t = with(&[
        ("out", Value::from("lookup('pipe', 'x')")),
        ("said", Value::from("a.b[0]['c d']")),
        ("own", template("lookup('env', 'HOME')")),
        ("conds", Value::list([template("1 == 1"), template("1 == 2")])),
        ("outs", Value::list([Value::from("1 == 1")])),
    ]);
    let named = |text: &str| t.named(&Text::template(text, None)).map(|t| t.as_str().to_owned());
    for (text, want) in [
        ("lookup('env', 'HOME')", "lookup('env', 'HOME')"),
        ("{{ own }}", "lookup('env', 'HOME')"),
        ("{{ said }}", "a.b[0]['c d']"),
        ("hostvars['{{ 'h-1' }}'].x", "hostvars['h-1'].x"),
    ] {
        assert_eq!(named(text).expect(text), want);
    }
    for text in
        ["{{ out }}", "x{{ '()' }}", "{{ 'a[b]' }}", "{{ \"a['b'].c() \" }}", "{{ 5 }}", "a['{{ \"'] ~ b['\" }}']"]
    {
        assert!(named(text).expect_err(text).message().contains("untrusted"), "{text}");
    }
    assert!(t.named(&Text::new("said")).is_err(), "!unsafe");
    assert_eq!(t.conditions(&template("{{ conds }}")).expect("own").len(), 2);
    assert_eq!(t.conditions(&template("{{ out == 1 }}")).expect("one").len(), 1);
    assert!(t.conditions(&template("{{ outs + [] }}")).is_err());
    assert!(t.conditions(&template("{{ outs }}")).is_err(), "a host's list");
}

#[test]
fn uris_urls_and_urns() {
    let t = with(&[("known", Value::list(["http", "ftp"].map(Value::from)))]);
    for (text, want) in [
        ("'junk' is uri", true),
        ("'junk' is uri(known)", false),
        ("'HTTP://x.tld/y?z' is uri(known)", true),
        ("'a:b@x.tld' is url", false),
        ("'http://a:b@x.tld' is url", true),
        ("'htp://x.tld' is url(known)", false),
        ("'file:///etc/hosts' is url", false),
        ("'urn:isbn:1' is urn", true),
        ("'urn:isbn:1' is url", false),
        ("'ftp://urn:x' is urn", false),
        ("'nan' | float is isnan", true),
    ] {
        let want = if want { Truth::True } else { Truth::False };
        assert_eq!(t.condition(&template(text)).expect(text), want, "{text}");
    }
}

#[test]
fn errors_say_where_in_the_scalar() {
    let source = Source::new(
        "play.yml",
        "- debug:\n    msg: \"hello {{ server_nmae }}\"\n    b: >-\n      a\n      {{ x | uper }}\n",
    );
    let text = Text::template("hello {{ server_nmae }}", Some(Origin::new(&source, 2, 10)));
    let t = with(&[("server_name", "x".into()), ("v", Value::Str(text.clone()))]);
    let error = t.render(&Value::Str(text)).expect_err("undefined");
    assert_eq!(error.message(), "'server_nmae' is undefined");
    assert_eq!(error.origin().map(ToString::to_string).as_deref(), Some("play.yml:2:20"));
    let diagnostic = crate::diag::Diagnostic::from(t.render(&template("{{ v }}")).expect_err("through v"));
    assert_eq!(diagnostic.origin.map(|o| o.to_string()).as_deref(), Some("play.yml:2:20"));
    assert_eq!(diagnostic.related.len(), 1);
    assert_eq!(diagnostic.hints, ["did you mean `server_name`?"]);
    let text = Text::template("a {{ x | uper }}", Some(Origin::new(&source, 3, 8)));
    let found = Engine::new(Arc::new(NoOutside)).check(&text);
    let [one] = found.as_slice() else { panic!("{found:?}") };
    assert_eq!(one.message, "No filter named 'uper'");
    assert_eq!(one.origin.as_ref().map(|o| o.at.line), Some(5));
    assert_eq!(one.hints, ["did you mean `upper`?"]);
}

#[test]
fn whole_files_keep_their_newline_and_follow_their_header() {
    let t = with(&[("xs", Value::list([1, 2])), ("n", template("{{ xs | length }}"))]);
    let render = |text: &str| {
        t.text(&Text::template(text, None), super::TemplateOptions::default()).expect(text).as_str().to_owned()
    };
    assert_eq!(render("a\n{% for x in xs %}\n  {{ x }}\n{% endfor %}\nend {{ n }}\n"), "a\n  1\n  2\nend 2\n");
    assert_eq!(render("#jinja2: trim_blocks:False\n{% if true %}\nx\n{% endif %}\n"), "\nx\n");
    assert_eq!(
        render("#jinja2: variable_start_string: '[%', variable_end_string: '%]'\n[% n %] {{ x }}\n"),
        "2 {{ x }}\n"
    );
    assert_eq!(render("#jinja2: lstrip_blocks: True\n  {% if true %}\nx\n  {% endif %}\n"), "x\n");
    assert_eq!(render("{{ 'a\\nb' }}|{{ '\\\\d' }}\n"), "a\nb|\\d\n");
    assert_eq!(render("a\r\nb\r\n"), "a\nb\n");
    assert_eq!(render("{{ 5 }}"), "5");
    // Blocks take newlines at the end, which come back; a value alone has none.
    assert_eq!(render("{% for x in xs %}{{ x }}{% endfor %}\n"), "12\n");
    assert_eq!(render("{% if false %}{% endif %}\n\n\n"), "\n\n\n");
    assert_eq!(render("{{ 'x\\n' }}\n"), "x\n");
    assert_eq!(render("{{ xs }}\n"), "[1, 2]");
    assert_eq!(render("{{ xs }}\n\n"), "[1, 2]\n\n");
}

struct Files;

impl super::Outside for Files {
    fn read_file(&self, path: &str) -> Result<(Vec<u8>, bool), String> {
        let text: Vec<u8> = match path {
            "/t/part.j2" => "part {{ who }} {{ x | default('-') }}\n".into(),
            "/t/macros.j2" => "{% macro hi(n) %}hi {{ n }}{{ suffix }}{% endmacro %}{% set suffix = '!' %}".into(),
            "/t/base.j2" => "[{% block a %}base{% endblock %}|{% block b %}b{% endblock %}]\n".into(),
            _ => return Err(format!("no {path}")),
        };
        Ok((text, false))
    }
    fn kind(&self, path: &str) -> Option<&'static str> {
        self.read_file(path).ok().map(|_| "file")
    }
    fn find(&self, _: &str, name: &str, _: &[String]) -> Option<String> {
        let path = format!("/t/{name}");
        self.kind(&path).map(|_| path)
    }
    fn glob(&self, _: &str) -> Vec<String> {
        Vec::new()
    }
    fn realpath(&self, path: &str) -> String {
        path.to_owned()
    }
    fn env(&self, name: &str) -> Option<String> {
        (name == "HOME").then(|| "/root".to_owned())
    }
    fn run(&self, command: &str) -> Result<(i32, String), String> {
        Ok((0, format!("ran {command}\n")))
    }
    fn parse_yaml(&self, text: &str) -> Result<Value, String> {
        Ok(Value::from(text))
    }
    fn parse_yaml_all(&self, text: &str) -> Result<Vec<Value>, String> {
        Ok(vec![Value::from(text)])
    }
    fn now(&self) -> (i64, u32) {
        (0, 0)
    }
}

#[test]
fn files_include_import_and_extend_each_other() {
    let vars = Vars(map(&[("who", "me".into())]));
    let t = Templar::new(Arc::new(Engine::new(Arc::new(Files))), Arc::new(vars));
    let options = super::TemplateOptions { search: vec!["/t".into()], ..Default::default() };
    let render = |text: &str| t.text(&Text::template(text, None), options.clone()).map(|t| t.as_str().to_owned());
    assert_eq!(render("{% set x = 1 %}{% include 'part.j2' %}").expect("include"), "part me 1");
    assert_eq!(render("{% include 'part.j2' %}!\n").expect("include"), "part me -!\n");
    assert_eq!(
        render("#jinja2: keep_trailing_newline: True\n{% include 'part.j2' %}!\n").expect("kept"),
        "part me -\n!\n"
    );
    assert_eq!(render("{% import 'macros.j2' as m %}{{ m.hi('x') }}").expect("import"), "hi x!");
    assert_eq!(render("{% from 'macros.j2' import hi as h with context %}{{ h(who) }}").expect("from"), "hi me!");
    let child = "{% extends 'base.j2' %}{% block a %}{{ super() }}+{{ who }}{% endblock %}";
    assert_eq!(render(child).expect("extends"), "[base+me|b]");
    assert!(render("{% include 'nope' %}").expect_err("missing").message().contains("nope"));
    assert_eq!(render("{% include 'nope' ignore missing %}x").expect("ignored"), "x");
    let look = |name: &str, term: &str| t.lookup(name, vec![term.into()], Map::new()).expect(name);
    assert_eq!(look("template", "part.j2"), [Value::from("part me -\n")]);
    assert_eq!(look("file", "part.j2"), [Value::from("part {{ who }} {{ x | default('-') }}")]);
    assert_eq!(look("pipe", "date"), [Value::from("ran date")]);
    assert_eq!(look("env", "HOME"), [Value::from("/root")]);
    assert_eq!(look("first_found", "part.j2"), [Value::from("/t/part.j2")]);
}

#[test]
fn handlebars_is_strict_and_sees_the_same_variables() {
    let t = with(&[("xs", Value::list(["a", "b"])), ("n", template("{{ xs | length }}")), ("none", Value::Null)]);
    let render = |text: &str| t.handlebars(&Text::template(text, None)).map(|t| t.as_str().to_owned());
    assert_eq!(
        render("n={{n}} {{#each xs}}{{@index}}{{this}} {{/each}}{{join xs \"+\"}}").expect("hbs"),
        "n=2 0a 1b a+b"
    );
    assert_eq!(
        render("{{default none \"d\"}} {{b64 \"x\"}} {{to_json xs}} <&>").expect("helpers"),
        "d eA== [\"a\", \"b\"] <&>"
    );
    assert!(render("{{nope}}").is_err());
}

#[test]
fn a_templar_can_be_sent_and_shared() {
    fn shared<T: Send + Sync>() {}
    shared::<Engine>();
    shared::<Templar>();
}
