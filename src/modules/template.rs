//! `template`: a file rendered in the controller, put in place as `copy` does.

use std::path::Path as FsPath;

use super::attributes::{FileAttributes, Mode, octal};
use super::copy::{self, target};
use crate::args;
use crate::model::{Failure, Map, Marks, Text, Value};
use crate::module::{Arguments, Blob, Kind, Local, Module, Path, Prepared, Run};
use crate::sys::Payload;

args! {
    /// Arguments of `template`.
    pub struct Template {
        /// The template: looked for in `templates/` of role and playbook. One that ends in
        /// `.hbs` is rendered with Handlebars, all others with Jinja2's language.
        [required]
        src: String,
        /// Where the result goes.
        [required]
        dest: Path,
        /// Whether the old file is kept under another name.
        backup: bool = false,
        /// Whether a file that is there already is replaced.
        force: bool = true,
        /// Whether a link at `dest` is followed.
        follow: bool = false,
        /// The line end of the result: `\n`, `\r` or `\r\n`.
        newline_sequence: String = "\n".to_owned(),
        /// What starts a statement.
        block_start_string: String = "{%".to_owned(),
        /// What ends a statement.
        block_end_string: String = "%}".to_owned(),
        /// What starts an expression.
        variable_start_string: String = "{{".to_owned(),
        /// What ends an expression.
        variable_end_string: String = "}}".to_owned(),
        /// What starts a comment, `{#` by default.
        comment_start_string: Option<String>,
        /// What ends a comment, `#}` by default.
        comment_end_string: Option<String>,
        /// Whether the line end after a statement is left out.
        trim_blocks: bool = true,
        /// Whether white space before a statement is left out.
        lstrip_blocks: bool = false,
        /// The encoding of the result.
        output_encoding: String = "utf-8".to_owned(),
        /// A command that must succeed before the file is put in place; `%s` is the file.
        validate: Option<String>,
        ; ..attributes: FileAttributes,
    }
}

/// The registry's entry.
pub static MODULE: Module = Module {
    name: "template",
    aliases: &[],
    collection: "ansible.builtin",
    kind: Kind::State,
    doc: "Render a template and put it on hosts.\n\nTemplates know `template_host`, `template_path`, \
          `template_fullpath`, `template_destpath`, `template_uid`, `template_mtime`, `template_run_date` and \
          `ansible_managed`.\n\nA source that ends in `.hbs` is rendered with Handlebars, strictly, with the \
          same variables and the helpers `default VALUE OTHERWISE`, `join LIST SEPARATOR`, `to_json`, `to_yaml`, \
          `indent TEXT WIDTH` and `b64`; in `each`, `@index` and `@key`. Nothing is escaped.",
    args: Template::specs,
    free_form: None,
    any_args: false,
    asks_others: false,
    returns: copy::RETURNS,
    run: Run::Split { prepare, plan: target::plan },
};

/// Those options that say how templates are read.
const OPTIONS: &[&str] = &[
    "block_start_string",
    "block_end_string",
    "variable_start_string",
    "variable_end_string",
    "comment_start_string",
    "comment_end_string",
    "trim_blocks",
    "lstrip_blocks",
];

fn prepare(mut args: Map, local: &dyn Local) -> Result<Prepared, Failure> {
    let template = Template::parse(&args)?;
    let path = local.find("templates", &template.src)?;
    let (source, secret) = copy::read(&path, true, local)?;
    let source = String::from_utf8(source.bytes().to_vec())
        .map_err(|_| Failure::new(format!("Template source files must be utf-8 encoded: {}", path.display())))?;
    let mut options: Map = OPTIONS.iter().filter_map(|name| Some((*name, args.get(name)?.clone()))).collect();
    let source = source.replace("\r\n", "\n").replace('\r', "\n");
    options.insert("newline_sequence", newline(&template.newline_sequence)?);
    let vars = variables(&path, &template, local)?;
    let text = Text::template(source, None);
    let marks = if secret { text.marks().with(Marks::SECRET) } else { text.marks() };
    let rendered = local.render(&path, &text.marked(marks), &options, &vars)?;
    for name in OPTIONS.iter().copied().chain(["src", "newline_sequence", "output_encoding"]) {
        args.remove(name);
    }
    args.insert("src", path.display().to_string());
    args.insert("name", copy::base_name(&path));
    if template.attributes.mode == Some(Mode::Preserve) {
        args.insert("mode", octal(local.mode(&path)?));
    }
    let mut prepared = Prepared { args, blobs: Vec::new() };
    if let Some(reason) = rendered.unknown() {
        prepared.args.insert("unknown", reason.to_string());
        return Ok(prepared);
    }
    if secret || matches!(&rendered, Value::Str(text) if text.is_secret()) {
        prepared.args.insert("secret", true);
    }
    let text = rendered.as_str().map_or_else(|| super::json::dumps(&rendered), str::to_owned);
    let bytes = Payload::new(encode(&text, &template.output_encoding)?);
    prepared.args.extend(copy::describe(&bytes));
    prepared.blobs.push(Blob(bytes));
    Ok(prepared)
}

fn newline(sequence: &str) -> Result<&'static str, Failure> {
    match sequence {
        "\n" | "\\n" => Ok("\n"),
        "\r" | "\\r" => Ok("\r"),
        "\r\n" | "\\r\\n" => Ok("\r\n"),
        _ => Err(Failure::new("newline_sequence needs to be one of: \\n, \\r or \\r\\n")),
    }
}

fn encode(text: &str, encoding: &str) -> Result<Vec<u8>, Failure> {
    let narrow = |limit: u32| {
        text.chars()
            .map(|c| u8::try_from(u32::from(c)).ok().filter(|b| u32::from(*b) < limit))
            .collect::<Option<Vec<u8>>>()
            .ok_or_else(|| Failure::new(format!("the rendered template has characters that {encoding} cannot encode")))
    };
    match encoding.to_lowercase().replace('_', "-").as_str() {
        "" | "utf-8" | "utf8" => Ok(text.as_bytes().to_vec()),
        "utf-8-sig" => Ok([b"\xef\xbb\xbf", text.as_bytes()].concat()),
        "ascii" | "us-ascii" => narrow(128),
        "windows-1252" | "cp1252" => windows(text),
        "latin-1" | "latin1" | "iso-8859-1" | "iso8859-1" => narrow(256),
        "utf-16-le" => Ok(text.encode_utf16().flat_map(u16::to_le_bytes).collect()),
        "utf-16-be" => Ok(text.encode_utf16().flat_map(u16::to_be_bytes).collect()),
        "utf-16" => Ok([0xfeff].into_iter().chain(text.encode_utf16()).flat_map(u16::to_le_bytes).collect()),
        _ => Err(Failure::new(format!(
            "output_encoding `{encoding}` is not supported (utf-8, utf-16, ascii, latin-1 and windows-1252 are)"
        ))),
    }
}

/// The code page 1252: latin-1 with letters and signs where that has control characters.
fn windows(text: &str) -> Result<Vec<u8>, Failure> {
    const SIGNS: &str = "€\u{81}‚ƒ„…†‡ˆ‰Š‹Œ\u{8d}Ž\u{8f}\u{90}‘’“”•–—˜™š›œ\u{9d}žŸ";
    let byte = |c: char| match SIGNS.chars().zip(0x80u8..).find(|(sign, _)| *sign == c) {
        Some((_, byte)) if !c.is_control() => Some(byte),
        _ => u8::try_from(u32::from(c)).ok().filter(|b| !(0x80..0xa0).contains(b)),
    };
    text.chars()
        .map(byte)
        .collect::<Option<Vec<u8>>>()
        .ok_or_else(|| Failure::new("the rendered template has characters that windows-1252 cannot encode"))
}

/// The variables that a template has besides the task's.
fn variables(path: &FsPath, template: &Template, local: &dyn Local) -> Result<Map, Failure> {
    let about = local.about(path)?;
    Ok(Map::from_iter([
        ("ansible_managed", "Ansible managed".to_owned()),
        ("template_host", rustix::system::uname().nodename().to_string_lossy().into_owned()),
        ("template_path", template.src.clone()),
        ("template_fullpath", path.display().to_string()),
        ("template_destpath", template.dest.0.clone()),
        ("template_uid", about.owner),
        ("template_mtime", local.date(about.modified)),
        ("template_run_date", local.date(crate::sys::clock::now())),
    ]))
}

#[cfg(test)]
mod tests {
    use super::encode;

    #[test]
    fn text_is_written_in_the_encoding_that_is_asked_for() {
        let bytes = |text, encoding| encode(text, encoding).expect(encoding);
        assert_eq!(bytes("é€", "windows-1252"), [0xe9, 0x80]);
        assert_eq!(bytes("é", "latin-1"), [0xe9]);
        assert_eq!(bytes("é", ""), "é".as_bytes());
        assert_eq!(bytes("é", "utf-16-le"), [0xe9, 0]);
        for (text, encoding) in [("\u{80}", "windows-1252"), ("ж", "windows-1252"), ("€", "latin-1"), ("é", "ascii")]
        {
            assert!(encode(text, encoding).is_err(), "{text:?} in {encoding}");
        }
        assert!(encode("x", "ebcdic").is_err());
    }
}
