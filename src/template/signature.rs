//! What filters, tests, methods and functions take, and whether a call keeps to it.

use crate::diag::nearest;

/// Parameters by their names, in order, as they are written in the tables: `x` has to be given, `x?` may
/// be, `*x` takes any number of positions, what follows a `*` goes by its name alone, what stands before
/// a `/` by its position alone, and `**` takes any other names.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Signature(&'static str);

/// What a call gives, as far as that is known.
pub(super) struct Given<'a> {
    pub positions: usize,
    pub names: Vec<&'a str>,
    /// Whether more may come that is not known yet (`*list`, `**dict`).
    pub open: bool,
}

/// How a call does not keep to a signature.
pub(super) struct Mismatch {
    pub message: String,
    pub hint: String,
    /// The name that is wrong, when it is one.
    pub name: Option<String>,
}

/// What is said of names that are not taken, where it is not Python that says it.
const OWN_WORDS: &[(&str, &str)] = &[
    ("combine", "'recursive' and 'list_merge' are the only valid keyword arguments"),
    ("lists_difference", "'flatten' is the only valid keyword argument"),
    ("lists_intersect", "'flatten' is the only valid keyword argument"),
    ("lists_symmetric_difference", "'flatten' is the only valid keyword argument"),
    ("lists_union", "'flatten' is the only valid keyword argument"),
];

impl Signature {
    pub const fn new(text: &'static str) -> Self {
        Self(text)
    }

    #[cfg(test)]
    pub const fn text(self) -> &'static str {
        self.0
    }

    fn words(self) -> impl Iterator<Item = &'static str> {
        self.0.split_ascii_whitespace()
    }

    /// The parameters that have positions.
    fn positional(self) -> impl Iterator<Item = &'static str> {
        self.words().take_while(|word| !word.starts_with('*')).filter(|word| *word != "/")
    }

    /// Where a parameter stands among those that have positions.
    pub fn position(self, name: &str) -> Option<usize> {
        self.positional().position(|word| bare(word) == name)
    }

    /// The names that calls may use.
    fn names(self) -> impl Iterator<Item = &'static str> {
        let nameless = self.words().position(|word| word == "/").map_or(0, |at| at + 1);
        self.words().skip(nameless).filter(|word| !word.starts_with('*')).map(bare)
    }

    /// Whether it has a parameter of that name.
    pub fn has(self, name: &str) -> bool {
        self.words().any(|word| bare(word) == name)
    }

    fn any_name(self) -> bool {
        self.words().any(|word| word == "**")
    }

    fn any_number(self) -> bool {
        self.words().any(|word| word.len() > 1 && word.starts_with('*') && word != "**")
    }

    /// Whether `name(…)` may be called so. `before` says how many arguments come before those that are
    /// written: one for what is piped into a filter.
    pub fn check(self, name: &str, before: usize, given: &Given<'_>) -> Result<(), Box<Mismatch>> {
        let names: Vec<&str> = self.names().collect();
        for (at, key) in given.names.iter().enumerate() {
            let known = names.contains(key) || self.any_name();
            let again = given.names.iter().take(at).any(|other| other == key);
            if again || (known && self.position(key).is_some_and(|at| at < given.positions)) {
                return Err(self.wrong(format!("{name}() got multiple values for argument '{key}'"), Some(key)));
            }
            if !known {
                let own = OWN_WORDS.iter().find(|(plugin, _)| *plugin == name).map(|(_, words)| (*words).to_owned());
                let words = own.unwrap_or_else(|| format!("{name}() got an unexpected keyword argument '{key}'"));
                return Err(self.wrong(words, Some(key)));
            }
        }
        self.count(name, before, given)?;
        if given.open {
            return Ok(());
        }
        let is_given = |at: usize, word: &str| at < given.positions || given.names.contains(&word);
        let missing = self.positional().enumerate().filter(|(at, word)| !word.ends_with('?') && !is_given(*at, word));
        let missing: Vec<String> = missing.map(|(_, word)| format!("'{word}'")).collect();
        let Some((last, most)) = missing.split_last() else { return Ok(()) };
        let list = if most.is_empty() { last.clone() } else { format!("{} and {last}", most.join(", ")) };
        let plural = if most.is_empty() { "" } else { "s" };
        let words = format!("{name}() missing {} required positional argument{plural}: {list}", missing.len());
        Err(self.wrong(words, None))
    }

    fn count(self, name: &str, before: usize, given: &Given<'_>) -> Result<(), Box<Mismatch>> {
        let most = self.positional().count();
        if given.positions <= most || self.any_number() {
            return Ok(());
        }
        let least = before + self.positional().filter(|word| !word.ends_with('?')).count();
        let most = before + most;
        let range = if least == most { most.to_string() } else { format!("from {least} to {most}") };
        let plural = if range == "1" { "" } else { "s" };
        let got = before + given.positions;
        let were = if got == 1 { "was" } else { "were" };
        let words = format!("{name}() takes {range} positional argument{plural} but {got} {were} given");
        Err(self.wrong(words, None))
    }

    fn wrong(self, message: String, name: Option<&str>) -> Box<Mismatch> {
        let near = name.filter(|name| !self.has(name)).and_then(|name| nearest(name, self.names()));
        let all: Vec<&str> = self.words().filter(|word| !word.starts_with('*') && *word != "/").map(bare).collect();
        let hint = match near {
            Some(near) => format!("did you mean `{near}`?"),
            None if all.is_empty() && self.any_number() => "it takes any number of arguments".to_owned(),
            None if all.is_empty() => "it takes no arguments".to_owned(),
            None => format!("it takes {}", all.join(", ")),
        };
        Box::new(Mismatch { message, hint, name: name.map(str::to_owned) })
    }
}

fn bare(word: &str) -> &str {
    word.trim_end_matches('?')
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(signature: &'static str, positions: usize, names: &[&str]) -> String {
        let given = Given { positions, names: names.to_vec(), open: false };
        let result = Signature::new(signature).check("f", 1, &given);
        result.map_or_else(|wrong| format!("{}; {}", wrong.message, wrong.hint), |()| String::new())
    }

    #[test]
    fn calls_keep_to_signatures() {
        for (signature, positions, names) in [
            ("", 0, &[][..]),
            ("a b?", 1, &[]),
            ("a b?", 2, &[]),
            ("a b?", 0, &["b", "a"]),
            ("a *more c?", 5, &["c"]),
            ("* c?", 0, &["c"]),
            ("**", 0, &["x", "y"]),
            ("a /", 1, &[]),
        ] {
            assert_eq!(said(signature, positions, names), "", "{signature} {positions} {names:?}");
        }
    }

    #[test]
    fn python_s_words_say_how_they_do_not() {
        for (signature, positions, names, want) in [
            ("", 1, &[][..], "f() takes 1 positional argument but 2 were given; it takes no arguments"),
            ("a? b?", 3, &[], "f() takes from 1 to 3 positional arguments but 4 were given; it takes a, b"),
            ("a", 0, &[], "f() missing 1 required positional argument: 'a'; it takes a"),
            ("a b c?", 0, &["c"], "f() missing 2 required positional arguments: 'a' and 'b'; it takes a, b, c"),
            ("width? first?", 0, &["widht"], "f() got an unexpected keyword argument 'widht'; did you mean `width`?"),
            ("a", 1, &["a"], "f() got multiple values for argument 'a'; it takes a"),
            ("", 0, &["zzz"], "f() got an unexpected keyword argument 'zzz'; it takes no arguments"),
            ("a /", 0, &["a"], "f() got an unexpected keyword argument 'a'; it takes a"),
        ] {
            assert_eq!(said(signature, positions, names), want);
        }
    }

    #[test]
    fn names_have_their_places() {
        let signature = Signature::new("a b? *more c? * d?");
        assert_eq!(
            ["a", "b", "c", "d", "e"].map(|name| signature.position(name)),
            [Some(0), Some(1), None, None, None]
        );
        assert!(signature.has("d") && !signature.has("e"));
    }
}
