//! Any text as a template, as a condition, as a whole file and as Handlebars: a value or an error, no panic.
#![no_main]

use std::sync::Arc;

use libfuzzer_sys::fuzz_target;
use rplay::model::{Text, Value};
use rplay::template::{Engine, NoOutside, Templar, TemplateOptions};
use rplay::vars::Variables;

struct Vars;

impl Variables for Vars {
    fn get(&self, name: &str) -> Option<Value> {
        Some(match name {
            "s" => Value::from("text"),
            "n" => Value::Int(3),
            "xs" => Value::list([1, 2]),
            "d" => Value::from([("a", 1), ("b", 2)].into_iter().collect::<rplay::model::Map>()),
            "t" => Value::Str(Text::template("{{ s }}{{ n }}", None)),
            _ => return None,
        })
    }

    fn names(&self) -> Vec<String> {
        ["s", "n", "xs", "d", "t"].map(str::to_owned).into()
    }
}

fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let templar = Templar::new(Arc::new(Engine::new(Arc::new(NoOutside))), Arc::new(Vars));
    let template = Text::template(text, None);
    drop(templar.render(&Value::Str(template.clone())));
    drop(templar.condition(&Value::Str(template.clone())));
    drop(templar.text(&template, TemplateOptions::default()));
    drop(templar.handlebars(&template));
});
