//! Formats, keys, values in YAML files, masking.

use proptest::prelude::*;

use super::*;
use crate::model::{Source, Text, Value};

const IDENTITY: &str = "AGE-SECRET-KEY-1MAF9HRH3VWETGPH2DMM67WDF43AGHVWNAHSHSZN8KHULUDFA2M4STY47CP";
const PUBLIC: &str = "age1f08s02y2p0kwensmg08xyagvgqndf7s28a7d509xeud255k2eqss9jp3l4";

fn secret(label: &str, password: &str) -> Secret {
    Secret { label: label.to_owned(), name: format!("that of {label}"), password: Password::new(password) }
}

fn nobody() -> Ask {
    Arc::new(|_| None)
}

fn key() -> Keyring {
    Keyring::default().with_identities(identities(IDENTITY.as_bytes(), "key", &nobody()).unwrap())
}

fn ansible(plain: &[u8], label: &str, password: &str) -> Vec<u8> {
    encrypt(plain, To::Ansible { password: &Password::new(password), label, salt: None }).unwrap()
}

fn age(plain: &[u8]) -> Vec<u8> {
    let recipients = recipients(&Source::new("r", PUBLIC)).unwrap();
    encrypt(plain, To::Recipients(&recipients)).unwrap()
}

fn problem(keyring: &Keyring, bytes: &[u8]) -> Problem {
    match keyring.open(bytes) {
        Ok(opened) => panic!("opened: {:?}", String::from_utf8_lossy(&opened.plain)),
        Err(problem) => problem,
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    #[test]
    fn what_is_encrypted_comes_back(plain in prop::collection::vec(any::<u8>(), 0..300), password in "[^\\s]{1,20}") {
        let bytes = ansible(&plain, "prod", &password);
        prop_assert!(bytes.is_ascii() && bytes.ends_with(b"\n") && detect(&bytes) == Some(Format::Ansible));
        let keyring = Keyring::new(vec![secret("prod", &password)]);
        prop_assert_eq!(&**keyring.open(&bytes).unwrap().plain, &plain[..]);
        let bytes = age(&plain);
        prop_assert!(bytes.is_ascii() && bytes.ends_with(b"\n") && detect(&bytes) == Some(Format::Age));
        prop_assert_eq!(&**key().open(&bytes).unwrap().plain, &plain[..]);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    /// What the fuzz targets do at length (see `fuzz/`).
    #[test]
    fn no_bytes_are_too_strange(bytes in prop::collection::vec(any::<u8>(), 0..200), at in 0usize..2000) {
        let ring = key();
        for head in [&b"$ANSIBLE_VAULT;1.2;AES256;x\n"[..], b"age-encryption.org/v1\n", b"-----BEGIN AGE ENCRYPTED FILE-----\n"] {
            let text = [head, &bytes].concat();
            prop_assert!(ring.open(&text).is_err());
            let _ = stanzas(&text);
            let _ = label(&text);
        }
        // A whole text with a stretch of it replaced.
        let mut text = age(b"plain");
        let from = at % text.len();
        let upto = (from + bytes.len()).min(text.len());
        let same = text[from..upto] == bytes[..upto - from];
        text.splice(from..upto, bytes.iter().copied());
        if let Ok(opened) = ring.open(&text) {
            prop_assert!(same || &**opened.plain == b"plain");
        }
    }

    #[test]
    fn no_yaml_is_too_strange(text in "(a: !vault [|>]-?[0-9]?\n|  *[a-z$]+\n|- |[\\[{]|!vault |\n){0,12}") {
        let source = Source::new("x", text);
        if let Ok(values) = find_inline(&source) {
            let plain: Vec<Option<String>> = values.iter().map(|v| Some(v.text.clone())).collect();
            let _ = show_inline(&source, &values, &plain);
            let put: Vec<Put<'_>> = values.iter().map(Put::Original).collect();
            prop_assert_eq!(with_inline(&source, &values, &put).lines().count(), source.text.lines().count());
        }
    }
}

#[test]
fn any_change_or_cut_is_noticed() {
    let ring = Keyring::new(vec![secret("default", "pw")]);
    let whole = ansible(b"some text that is secret", "default", "pw");
    // Deriving keys is slow; the salt, which decides them, stands at the start.
    for at in (whole.len() - 150..whole.len() - 1).step_by(7) {
        let mut changed = whole.clone();
        changed[at] = if changed[at] == b'3' { b'4' } else { b'3' };
        assert!(ring.open(&changed).is_err(), "changed at {at}");
        assert!(ring.open(&whole[..at]).is_err(), "cut at {at}");
    }
    let ring = key();
    let whole = age(b"some text that is secret");
    for at in 0..whole.len() - 1 {
        let mut changed = whole.clone();
        changed[at] = if changed[at] == b'A' { b'B' } else { b'A' };
        assert!(ring.open(&changed).is_err(), "changed at {at}");
        assert!(ring.open(&whole[..at]).is_err(), "cut at {at}");
    }
    let cut = problem(&ring, &whole[..whole.len() - 40]);
    assert!(matches!(cut, Problem::Damaged(_)), "{cut}");
}

#[test]
fn problems_say_what_was_wanted_and_what_was_tried() {
    let prod = ansible(b"x", "prod", "one");
    let words = problem(&Keyring::default(), &prod).to_string();
    assert!(words.contains("the vault id `prod`") && words.contains("no vault secrets found"), "{words}");
    let ring = Keyring::new(vec![secret("dev", "two")]);
    let words = problem(&ring, &prod).to_string();
    assert!(words.contains("`prod`") && words.contains("that of dev"), "{words}");
    // A password of another label is tried, unless labels have to match.
    let other = || vec![secret("dev", "one")];
    assert!(Keyring::new(other()).open(&prod).is_ok());
    assert!(matches!(problem(&Keyring::new(other()).matching_labels(true), &prod), Problem::NoSecret(_)));
    let words = problem(&ring, &age(b"x")).to_string();
    assert!(words.contains("the owner of a key (X25519)"), "{words}");
    for (text, part) in [
        ("$ANSIBLE_VAULT;1.3;AES256\n00\n", "1.3"),
        ("$ANSIBLE_VAULT;1.0;AES\n00\n", "1.0;AES"),
        ("$ANSIBLE_VAULT;1.1;AES256\nzz\n", "Non-hexadecimal digit found"),
        ("$ANSIBLE_VAULT;1.1;AES256\n666\n", "Odd-length string"),
        ("$ANSIBLE_VAULT;1.1;AES256\n3661\n", "not all there"),
        ("age-encryption.org/v1\n-> X25519 a\n", "no end"),
    ] {
        let words = problem(&ring, text.as_bytes()).to_string();
        assert!(words.contains(part), "{words}");
    }
}

#[test]
fn the_work_that_a_password_asks_for_is_limited() {
    let header = |work: &str| {
        let body = "A".repeat(43);
        format!("age-encryption.org/v1\n-> scrypt AAAAAAAAAAAAAAAAAAAAAA {work}\n{body}\n--- {body}\n0123456789abcdef")
    };
    let ring = Keyring::new(vec![secret("default", "pw")]);
    assert_eq!(problem(&ring, header("21").as_bytes()), Problem::Work(21, 20));
    assert_eq!(problem(&ring, header("63").as_bytes()), Problem::Work(63, 20));
    for odd in ["0", "010", "-1", "300", "x"] {
        assert!(matches!(problem(&ring, header(odd).as_bytes()), Problem::Damaged(_)), "{odd}");
    }
    assert!(matches!(problem(&ring, header("4").as_bytes()), Problem::WrongSecret { .. }));
}

#[test]
fn keys_are_derived_once_for_each_salt() {
    let password = Password::new("pw");
    let make = |plain: &[u8]| {
        encrypt(plain, To::Ansible { password: &password, label: "default", salt: Some(b"the same salt") }).unwrap()
    };
    let ring = Keyring::new(vec![secret("default", "pw")]);
    for text in ["a", "b", "c"] {
        assert_eq!(&**ring.open(&make(text.as_bytes())).unwrap().plain, text.as_bytes());
        assert_eq!(&**ring.open(&make(text.as_bytes())).unwrap().plain, text.as_bytes());
    }
    assert_eq!(ring.derivations(), 1);
    ring.open(&ansible(b"d", "default", "pw")).unwrap();
    assert_eq!(ring.derivations(), 2);
}

#[test]
fn recipients_and_identities_that_are_none_are_told_with_their_place() {
    let source = Source::new("team", format!("# the team\n{PUBLIC}\nage1nothing\nssh-ed25519 AAAA x\n{IDENTITY}\n"));
    let found = recipients(&source).unwrap_err();
    let lines: Vec<u32> = found.iter().map(|f| f.origin.as_ref().unwrap().at.line).collect();
    assert_eq!(lines, [3, 4, 5]);
    assert!(found[2].message.contains("private key") && !found[2].message.contains("AGE-SECRET"));
    assert!(found.iter().all(|f| f.origin.as_ref().unwrap().source.line(5).is_none()), "a private key would be shown");
    for text in ["", "nothing\n", "AGE-PLUGIN-X-1\n", "-----BEGIN OPENSSH PRIVATE KEY-----\nx\n"] {
        let found = identities(text.as_bytes(), "key", &nobody()).unwrap_err();
        assert!(found.message.contains("key is no identity"), "{}", found.message);
    }
}

const YAML: &str = "# first\nplain: 1\nsecret: !vault |\n          CIPHER-ONE\n          more\n\nlist:\n  - !vault |\n    CIPHER-TWO\n  - name: !vault |\n      CIPHER-THREE\nlast: x\n";

#[test]
fn values_are_shown_in_the_clear_and_put_back_as_they_stood() {
    let source = Source::new("x.yml", YAML);
    let values = find_inline(&source).unwrap();
    assert_eq!(values.iter().map(|v| v.path.as_str()).collect::<Vec<_>>(), ["0/secret", "0/list/0", "0/list/1/name"]);
    // The second begins with blanks of its own.
    let plain = vec![Some("one\n  two".to_owned()), Some("  three\n".to_owned()), Some("four".to_owned())];
    let shown = show_inline(&source, &values, &plain);
    let expected = "# first\nplain: 1\nsecret: !vault |-\n  one\n    two\n\nlist:\n  - !vault |2\n      three\n  - name: !vault |-\n      four\nlast: x\n";
    assert_eq!(shown, expected);
    let edited = Source::new("x.yml", shown.as_str());
    let again = find_inline(&edited).unwrap();
    assert_eq!(again.iter().map(|v| v.text.as_str()).collect::<Vec<_>>(), ["one\n  two", "  three\n", "four"]);
    let taken = take_inline(&values, &plain, &again);
    assert_eq!(taken, [Edited::Same(0), Edited::Same(1), Edited::Same(2)]);
    let put: Vec<Put<'_>> = values.iter().map(Put::Original).collect();
    assert_eq!(with_inline(&edited, &again, &put), YAML);
    // One value changed, one renamed, one new.
    let text = shown.replace("four", "five").replace("secret:", "renamed:") + "new: !vault |\n  six\n";
    let edited = Source::new("x.yml", text);
    let again = find_inline(&edited).unwrap();
    let taken = take_inline(&values, &plain, &again);
    let new = |text: &str, at| Edited::New(text.to_owned(), at);
    assert_eq!(taken, [Edited::Same(0), Edited::Same(1), new("five", Some(2)), new("six\n", None)]);
    let put = [Put::Original(&values[0]), Put::Original(&values[1]), Put::Cipher("X\nY\n".to_owned()), Put::Leave];
    let written = with_inline(&edited, &again, &put);
    assert!(written.contains("renamed: !vault |\n          CIPHER-ONE\n          more\n\nlist:"), "{written}");
    assert!(written.contains("  - name: !vault |\n              X\n              Y\nlast: x\n"), "{written}");
}

#[test]
fn masking_covers_overlaps_lines_and_other_spellings() {
    let secrets = Secrets::default();
    assert!(secrets.is_empty());
    secrets.note("short");
    assert_eq!(secrets.text("short"), "short");
    for text in ["hunter2hunter2", "ter2hunXYZ", "first line\nsecond line", "with \"quotes\"\tand 'more'"] {
        secrets.note(text);
    }
    for (text, expected) in [
        ("a hunter2hunXYZ b hunter2hunter2", "a hunter2hunXYZ b ********"),
        ("a hunter2hunter2hunXYZ b", "a ******** b"),
        ("x: first line\ny: second line", "x: ********\ny: ********"),
        ("{\"a\": \"with \\\"quotes\\\"\\tand 'more'\"}", "{\"a\": \"********\"}"),
    ] {
        let expected = expected.replace("hunter2hunXYZ", "hun********");
        assert_eq!(secrets.text(text), expected, "{text}");
    }
    secrets
        .note_content(b"# hunting season\npin: 87654321\nname = 'gold mine',\nurl: http://{{ user }}@gold.example/x\n");
    let mask = secrets.mask();
    let value = Value::list([
        Value::from(87_654_321),
        Value::from("a gold mine"),
        Value::from(5),
        Value::Str(Text::new("abc")).secret(),
        Value::from("hunting season"),
        Value::from("http://me@gold.example/x"),
    ]);
    let shown = crate::model::Value::list([
        Value::from("********"),
        Value::from("a ********"),
        Value::from(5),
        Value::from("********"),
        Value::from("hunting season"),
        Value::from("********me********"),
    ]);
    assert_eq!(mask.value(&value), shown);
    let marked = mask.mark(&Value::list(["my hunter2hunter2", "nothing"]));
    let marks: Vec<bool> =
        marked.as_list().unwrap().iter().map(|v| matches!(v, Value::Str(t) if t.is_secret())).collect();
    assert_eq!(marks, [true, false]);
}
