//! `to_prettytable`: rows of dicts as a table of text.

use std::collections::HashMap;

use unicode_width::UnicodeWidthStr;

use super::Row;
use crate::model::Key;
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::value::{Args, R, Val};

pub(super) const FILTERS: &[Row] =
    &[("to_prettytable", "*columns column_order? header_names? column_alignments?", to_prettytable)];

#[derive(Clone, Copy, PartialEq, Eq)]
enum Align {
    Left,
    Center,
    Right,
}

fn given<'a>(args: &'a Args, name: &str) -> Option<&'a Val> {
    args.get(name).filter(|value| !matches!(value, Val::Null))
}

fn names(ev: &mut Eval, value: &Val, what: &str) -> R<Vec<String>> {
    let Val::List(list) = value else {
        let kind = if let Val::Str(_) = value { "string" } else { value.type_name() };
        return Err(Error::new(format!("Expected a list of {what}, got a {kind}")));
    };
    list.all(ev)?.iter().map(|name| ev.text(name)).collect()
}

fn rows(ev: &mut Eval, input: &Val) -> R<Vec<std::sync::Arc<crate::template::value::Dict>>> {
    let Val::List(list) = input else {
        let kind = if let Val::Str(_) = input { "string" } else { input.type_name() };
        return Err(Error::new(format!("Expected a list of dictionaries, got a {kind}")));
    };
    let row = |item: Val| match item {
        Val::Map(map) => Ok(map),
        other => {
            let kind = if let Val::Str(_) = other { "string" } else { other.type_name() };
            Err(Error::new(format!("Expected all items in the list to be dictionaries, got a {kind}")))
        }
    };
    list.all(ev)?.into_iter().map(row).collect()
}

fn to_prettytable(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let rows = rows(ev, &input)?;
    let columns = match given(args, "column_order") {
        Some(_) if !args.pos.is_empty() => {
            let words = "Cannot use both positional arguments and the 'column_order' keyword argument";
            return Err(Error::new(words));
        }
        Some(order) => names(ev, order, "column names")?,
        None if !args.pos.is_empty() => names(ev, &Val::list(args.pos.clone()), "column names")?,
        None => rows.first().map_or_else(Vec::new, |row| row.keys().iter().map(ToString::to_string).collect()),
    };
    let headers = given(args, "header_names").map(|names_| names(ev, names_, "header names")).transpose()?;
    let headers = headers.unwrap_or_else(|| columns.clone());
    if headers.len() != columns.len() && !rows.is_empty() {
        let (got, want) = (columns.len(), headers.len());
        return Err(Error::new(format!("Row has incorrect number of values, (actual) {got}!={want} (expected)")));
    }
    let aligned = alignments(ev, given(args, "column_alignments"))?;
    let aligns: Vec<Align> = headers.iter().map(|h| aligned.get(h).copied().unwrap_or(Align::Center)).collect();
    let mut cells = vec![headers];
    for row in rows {
        let mut line = Vec::new();
        for column in &columns {
            let value = row.get(ev, &Key::from(column.as_str()))?;
            line.push(value.map_or(Ok(String::new()), |value| ev.text(&value))?);
        }
        cells.push(line);
    }
    Ok(Val::str(drawn(&cells, &aligns)))
}

fn alignments(ev: &mut Eval, value: Option<&Val>) -> R<HashMap<String, Align>> {
    let Some(value) = value else { return Ok(HashMap::new()) };
    let Val::Map(map) = value else {
        let kind = if let Val::Str(_) = value { "string" } else { value.type_name() };
        return Err(Error::new(format!("Expected a dictionary for column_alignments, got a {kind}")));
    };
    let mut out = HashMap::new();
    for (name, value) in map.all(ev)? {
        let text = ev.text(&value)?;
        let align = match text.to_lowercase().as_str() {
            "left" | "l" => Align::Left,
            "center" | "c" => Align::Center,
            "right" | "r" => Align::Right,
            _ => {
                return Err(Error::new(format!(
                    "Invalid alignment '{text}' in 'column_alignments'. Valid alignments are: c, center, l, left, r, right"
                )));
            }
        };
        out.insert(name.to_string(), align);
    }
    Ok(out)
}

/// The table; the first row is its head. A cell may have several lines.
fn drawn(cells: &[Vec<String>], aligns: &[Align]) -> String {
    let width = |column: usize| {
        let texts = cells.iter().filter_map(|row| row.get(column));
        texts.flat_map(|text| text.split('\n')).map(UnicodeWidthStr::width).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..aligns.len()).map(width).collect();
    let rule = widths.iter().fold("+".to_owned(), |rule, width| rule + &"-".repeat(width + 2) + "+");
    let rule = if widths.is_empty() { "++".to_owned() } else { rule };
    let mut out = vec![rule.clone()];
    for (number, row) in cells.iter().enumerate() {
        let lines: Vec<Vec<&str>> = row.iter().map(|text| text.split('\n').collect()).collect();
        for at in 0..lines.iter().map(Vec::len).max().unwrap_or(0) {
            let mut line = "|".to_owned();
            for ((texts, width), align) in lines.iter().zip(&widths).zip(aligns) {
                let text = texts.get(at).copied().unwrap_or_default();
                line.push_str(&format!(" {} |", justified(text, *width, *align)));
            }
            out.push(line);
        }
        if number == 0 && !widths.is_empty() {
            out.push(rule.clone());
        }
    }
    out.push(rule);
    out.join("\n")
}

fn justified(text: &str, width: usize, align: Align) -> String {
    let own = text.width();
    let missing = width.saturating_sub(own);
    let before = match align {
        Align::Left => 0,
        Align::Right => missing,
        // An odd blank goes to the right of a text of odd length, else to its left.
        Align::Center => missing / 2 + (missing % 2) * usize::from(own.is_multiple_of(2)),
    };
    format!("{}{text}{}", " ".repeat(before), " ".repeat(missing - before))
}
