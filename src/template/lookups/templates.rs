//! `template`: a file rendered in the middle of an expression.

use std::sync::Arc;

use super::files::{need, read_file, roots};
use super::terms;
use crate::model::{Origin, Source, Text};
use crate::template::error::Error;
use crate::template::eval::{Eval, Frame};
use crate::template::file::{TemplateOptions, with_newlines_of};
use crate::template::value::{Args, R, Val};

/// `convert_data` and `jinja2_native` have no effect any more, as in ansible-core: a value that stands
/// alone in a file keeps its type.
pub(super) const OPTIONS: &[&str] = &[
    "convert_data",
    "jinja2_native",
    "template_vars",
    "trim_blocks",
    "lstrip_blocks",
    "variable_start_string",
    "variable_end_string",
    "comment_start_string",
    "comment_end_string",
];

pub(super) fn template(ev: &mut Eval, args: &Args) -> R<Vec<Val>> {
    let mut out = Vec::new();
    for name in terms(ev, args)? {
        let path = need(ev, "templates", &name)?;
        out.push(one(ev, args, &name, path)?);
    }
    Ok(out)
}

fn one(ev: &mut Eval, args: &Args, name: &str, path: String) -> R<Val> {
    let (content, secret) = read_file(ev, &path)?;
    let content = content.replace("\r\n", "\n");
    let mut options = options(ev, args)?;
    let dir = path.rsplit_once('/').map_or(".", |(dir, _)| dir).to_owned();
    options.search.push(dir);
    options.search.extend(roots(ev)?.iter().flat_map(|r| [format!("{r}/templates"), r.clone()]));
    let body = options.header(&content)?.to_owned();
    let make = if secret { Source::secret } else { Source::new };
    let shown = path.clone();
    let source = make(path, content);
    let text = Text::template(body, Some(Origin::new(&source, 1, 1)));
    let files = Arc::new(options.files()?);
    let compiled = files.compile(&ev.engine, &text).map_err(|e| e.located(&text))?;
    let outer = std::mem::replace(&mut ev.files, files);
    let frame = own_variables(ev, args, name, &shown);
    let result = frame.and_then(|frame| {
        ev.frames.push(frame);
        let result = ev.nested(|ev| ev.run(&text, &compiled)).and_then(Val::defined);
        ev.frames.pop();
        result
    });
    ev.files = outer;
    Ok(match result? {
        Val::Str(t) => Val::Str(Text::new(with_newlines_of(&text, t.as_str().to_owned(), "\n")).marked(t.marks())),
        other => other,
    })
}

fn options(ev: &mut Eval, args: &Args) -> R<TemplateOptions> {
    let mut options = TemplateOptions::default();
    for (key, value) in &args.kw {
        match &**key {
            "trim_blocks" => options.trim_blocks = ev.truth(value)?,
            "lstrip_blocks" => options.lstrip_blocks = ev.truth(value)?,
            "variable_start_string" => options.variable.0 = ev.text(value)?,
            "variable_end_string" => options.variable.1 = ev.text(value)?,
            "comment_start_string" => options.comment.0 = ev.text(value)?,
            "comment_end_string" => options.comment.1 = ev.text(value)?,
            _ => {}
        }
    }
    Ok(options)
}

/// The variables that a template has besides the task's.
fn own_variables(ev: &mut Eval, args: &Args, name: &str, path: &str) -> R<Arc<Frame>> {
    let frame = Arc::new(Frame::default());
    frame.set(&"template_path".into(), Val::str(name));
    frame.set(&"template_fullpath".into(), Val::str(path));
    let scope = Arc::clone(&ev.scope);
    if scope.find(ev, "ansible_managed")?.is_none() {
        frame.set(&"ansible_managed".into(), Val::str("Ansible managed"));
    }
    match args.named("template_vars") {
        None | Some(Val::Null) => {}
        Some(Val::Map(map)) => {
            for (key, value) in map.all(ev)? {
                frame.set(&key.to_string().into(), value);
            }
        }
        Some(other) => return Err(Error::new(format!("template_vars must be a dict, not {}", other.type_name()))),
    }
    Ok(frame)
}
