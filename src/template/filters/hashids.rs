//! `hashids_encode` and `hashids_decode`: numbers as short texts, as the hashids libraries make them.

use super::Row;
use crate::template::error::Error;
use crate::template::eval::Eval;
use crate::template::value::{Args, R, Val};

pub(super) const FILTERS: &[Row] = &[
    ("hashids_decode", "salt? alphabet? min_length?", decode),
    ("hashids_encode", "salt? alphabet? min_length?", encode),
];

const ALPHABET: &str = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ1234567890";
const SEPARATORS: &str = "cfhistuCFHISTU";

struct Hashids {
    alphabet: Vec<char>,
    separators: Vec<char>,
    guards: Vec<char>,
    salt: Vec<char>,
    least: usize,
}

/// The remainder as an index; nothing where there is nothing to choose from.
fn at(items: &[char], number: u128) -> Option<char> {
    let index = number.checked_rem(items.len() as u128)?;
    usize::try_from(index).ok().and_then(|i| items.get(i)).copied()
}

/// The salt decides the order.
fn shuffle(items: &mut [char], salt: &[char]) {
    if salt.is_empty() {
        return;
    }
    let (mut index, mut sum) = (0, 0);
    for i in (1..items.len()).rev() {
        index %= salt.len();
        let code = salt.get(index).map_or(0, |c| *c as usize);
        sum += code;
        items.swap(i, (code + index + sum) % i);
        index += 1;
    }
}

impl Hashids {
    fn of(ev: &mut Eval, args: &Args) -> R<Self> {
        let salt: Vec<char> = args.str(ev, "salt", "")?.chars().collect();
        let given = args.str(ev, "alphabet", ALPHABET)?;
        let least = usize::try_from(args.int("min_length", 0)?).unwrap_or(0).min(1 << 16);
        let mut alphabet: Vec<char> = Vec::new();
        for c in given.chars() {
            if !alphabet.contains(&c) {
                alphabet.push(c);
            }
        }
        if alphabet.len() < 16 {
            return Err(Error::new("Alphabet must contain at least 16 unique characters."));
        }
        if alphabet.contains(&' ') {
            return Err(Error::new("Alphabet must not contain spaces."));
        }
        let mut separators: Vec<char> = SEPARATORS.chars().filter(|c| alphabet.contains(c)).collect();
        alphabet.retain(|c| !separators.contains(c));
        shuffle(&mut separators, &salt);
        // Two letters to seven for each separator at the most.
        let wanted = (alphabet.len() * 2).div_ceil(7);
        if separators.is_empty() || alphabet.len() * 2 > separators.len() * 7 {
            let wanted = if wanted == 1 { 2 } else { wanted };
            let more = wanted.saturating_sub(separators.len()).min(alphabet.len());
            separators.extend(alphabet.drain(..more));
        }
        shuffle(&mut alphabet, &salt);
        let guards = alphabet.len().div_ceil(12);
        let guards =
            if alphabet.len() < 3 { separators.drain(..guards).collect() } else { alphabet.drain(..guards).collect() };
        Ok(Self { alphabet, separators, guards, salt, least })
    }

    /// The alphabet for the next number.
    fn next(&self, alphabet: &mut [char], lottery: char) {
        let salt: Vec<char> =
            std::iter::once(lottery).chain(self.salt.iter().copied()).chain(alphabet.iter().copied()).collect();
        shuffle(alphabet, salt.get(..alphabet.len()).unwrap_or(&salt));
    }

    fn encode(&self, numbers: &[u128]) -> String {
        let sum: u128 = numbers.iter().enumerate().map(|(i, n)| n % (i as u128 + 100)).sum();
        let mut alphabet = self.alphabet.clone();
        let Some(lottery) = at(&alphabet, sum) else { return String::new() };
        let mut out = vec![lottery];
        for (i, number) in numbers.iter().enumerate() {
            self.next(&mut alphabet, lottery);
            let digits = digits(*number, &alphabet);
            let first = digits.first().map_or(0, |c| u128::from(u32::from(*c)));
            out.extend(&digits);
            if i + 1 < numbers.len() {
                out.extend(at(&self.separators, number % (first + i as u128)));
            }
        }
        self.lengthen(&mut out, sum, alphabet);
        out.into_iter().collect()
    }

    fn lengthen(&self, out: &mut Vec<char>, sum: u128, mut alphabet: Vec<char>) {
        let code = |out: &[char], i: usize| out.get(i).map_or(0, |c| u128::from(u32::from(*c)));
        if out.len() < self.least {
            let guard = at(&self.guards, sum + code(out, 0));
            out.splice(0..0, guard);
        }
        if out.len() < self.least {
            let guard = at(&self.guards, sum + code(out, 2));
            out.extend(guard);
        }
        while out.len() < self.least {
            let salt = alphabet.clone();
            shuffle(&mut alphabet, &salt);
            let (head, tail) = alphabet.split_at(alphabet.len() / 2);
            let whole = tail.iter().chain(out.iter()).chain(head).copied().collect::<Vec<_>>();
            let extra = whole.len().saturating_sub(self.least) / 2;
            let cut = whole.len() > self.least;
            *out = if cut { whole.into_iter().skip(extra).take(self.least).collect() } else { whole };
        }
    }

    /// The numbers of a text; none where it is not one that these settings give.
    fn decode(&self, text: &str) -> Vec<u128> {
        let parts: Vec<&str> = text.split(|c| self.guards.contains(&c)).collect();
        let body = if (2..=3).contains(&parts.len()) { parts.get(1) } else { parts.first() };
        let mut chars = body.copied().unwrap_or_default().chars();
        let Some(lottery) = chars.next() else { return Vec::new() };
        let mut alphabet = self.alphabet.clone();
        let mut numbers = Vec::new();
        for part in chars.as_str().split(|c| self.separators.contains(&c)) {
            self.next(&mut alphabet, lottery);
            let base = alphabet.len() as u128;
            let number = part.chars().try_fold(0u128, |number, c| {
                let digit = alphabet.iter().position(|a| *a == c)? as u128;
                number.checked_mul(base)?.checked_add(digit)
            });
            let Some(number) = number else { return Vec::new() };
            numbers.push(number);
        }
        if self.encode(&numbers) == text { numbers } else { Vec::new() }
    }
}

fn digits(mut number: u128, alphabet: &[char]) -> Vec<char> {
    let mut out = Vec::new();
    loop {
        out.extend(at(alphabet, number));
        number = number.checked_div(alphabet.len() as u128).unwrap_or(0);
        if number == 0 {
            out.reverse();
            return out;
        }
    }
}

/// What is no whole number from 0 gives nothing.
fn encode(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let hashids = Hashids::of(ev, args)?;
    let items = match &input {
        Val::List(list) => list.all(ev)?,
        other => vec![other.clone()],
    };
    let numbers: Option<Vec<u128>> = items.iter().map(|v| v.as_int().and_then(|i| u128::try_from(i).ok())).collect();
    Ok(Val::str(match numbers {
        Some(numbers) if !numbers.is_empty() => hashids.encode(&numbers),
        _ => String::new(),
    }))
}

fn decode(ev: &mut Eval, input: Val, args: &Args) -> R<Val> {
    let (hashids, text) = (Hashids::of(ev, args)?, ev.text(&input)?);
    let numbers = hashids.decode(&text);
    Ok(Val::list(numbers.into_iter().map(|n| Val::Int(i128::try_from(n).unwrap_or(i128::MAX))).collect()))
}
