//! Hardware addresses.

use super::query::given;
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::value::{Args, R, Val};

/// The number that a hardware address stands for, in any of the usual spellings.
pub(in crate::template) fn parse(text: &str) -> Option<u64> {
    let parts: Vec<&str> = text.split([':', '-', '.']).collect();
    let width = match parts.len() {
        6 => 2,
        3 => 4,
        2 => 6,
        1 => 12,
        _ => return None,
    };
    let mut number = 0u64;
    for part in &parts {
        let whole = if parts.len() == 1 { part.len() == 12 } else { (1..=width).contains(&part.len()) };
        let digits = part.bytes().all(|b| b.is_ascii_hexdigit());
        if !whole || !digits {
            return None;
        }
        number = (number << (4 * width)) | u64::from_str_radix(part, 16).ok()?;
    }
    Some(number)
}

/// `hwaddr` and `macaddr`.
pub(super) fn hwaddr(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let (text, query) = (ev.text(&input)?, args.str(ev, "query", "")?);
    let Some(number) = parse(&text) else {
        return match query.as_str() {
            "" | "bool" => Ok(Val::Null),
            _ => Err(Error::new(format!("hwaddr: not a hardware address: {text}"))),
        };
    };
    let bare = format!("{number:012x}");
    let cut = |size: usize, with: &str| {
        let parts: Vec<String> =
            bare.as_bytes().chunks(size).map(|c| String::from_utf8_lossy(c).into_owned()).collect();
        parts.join(with)
    };
    let bytes = number.to_be_bytes();
    Ok(match query.as_str() {
        "" => input,
        "bool" => Val::Bool(true),
        "int" => Val::Int(i128::from(number)),
        "bare" => Val::str(bare.to_uppercase()),
        "cisco" => Val::str(cut(4, ".")),
        "linux" => Val::str(cut(2, ":")),
        "eui48" | "win" => Val::str(cut(2, "-").to_uppercase()),
        "pgsql" | "postgresql" | "psql" => Val::str(cut(6, ":")),
        "unix" => Val::str(bytes.iter().skip(2).map(|b| format!("{b:x}")).collect::<Vec<_>>().join(":")),
        other => return Err(Error::new(format!("hwaddr: unknown filter type: {other}"))),
    })
}

/// The address that a host gives itself in a network of version 6.
pub(super) fn slaac(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let mac = args.str(ev, "query", "")?;
    let net = given(ev, &input, None)?.map(|g| g.net).filter(|net| net.six);
    let (Some(net), Some(mac)) = (net, parse(&mac)) else { return Ok(Val::Bool(false)) };
    let (high, low) = (u128::from(mac >> 24), u128::from(mac & 0xff_ffff));
    let id = ((high << 40) | (0xfffe << 24) | low) ^ (2 << 56);
    let first = net.first().checked_add(id).filter(|ip| *ip <= net.full());
    Ok(first.map_or(Val::Bool(false), |ip| Val::str(net.text_of(ip))))
}
