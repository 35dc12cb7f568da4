//! Which distribution a host runs: name, family, versions, and what `lsb_release` would say.

use crate::model::{Map, Value};
use crate::sys::Probe;

/// Distributions by family, by Ansible's names.
const FAMILIES: &[(&str, &[&str])] = &[
    (
        "RedHat",
        &[
            "RedHat",
            "RHEL",
            "Fedora",
            "CentOS",
            "Scientific",
            "SLC",
            "Ascendos",
            "CloudLinux",
            "PSBM",
            "OracleLinux",
            "OVS",
            "OEL",
            "Amazon",
            "Amzn",
            "Virtuozzo",
            "XenServer",
            "Alibaba",
            "EulerOS",
            "openEuler",
            "AlmaLinux",
            "Rocky",
            "TencentOS",
            "EuroLinux",
            "Kylin Linux Advanced Server",
            "MIRACLE",
        ],
    ),
    (
        "Debian",
        &[
            "Debian",
            "Ubuntu",
            "Raspbian",
            "Neon",
            "KDE neon",
            "Linux Mint",
            "SteamOS",
            "Devuan",
            "Kali",
            "Cumulus Linux",
            "Pop!_OS",
            "Parrot",
            "Pardus GNU/Linux",
            "Uos",
            "Deepin",
            "OSMC",
            "Linuxmint",
        ],
    ),
    (
        "Suse",
        &[
            "SuSE",
            "SLES",
            "SLED",
            "SLES_SAP",
            "openSUSE",
            "openSUSE Tumbleweed",
            "openSUSE Leap",
            "SUSE_LINUX",
            "openSUSE MicroOS",
            "ALP-Dolomite",
            "SL-Micro",
        ],
    ),
    ("Archlinux", &["Archlinux", "Antergos", "Manjaro"]),
    ("Mandrake", &["Mandrake", "Mandriva"]),
    ("Slackware", &["Slackware"]),
    ("Alpine", &["Alpine"]),
    ("Gentoo", &["Gentoo", "Funtoo"]),
    ("Flatcar", &["Flatcar"]),
    ("Altlinux", &["Altlinux"]),
];

fn family(distribution: &str) -> &str {
    FAMILIES.iter().find(|(_, members)| members.contains(&distribution)).map_or(distribution, |(name, _)| name)
}

/// What a host's files say of its distribution.
#[derive(Default)]
struct Release {
    name: String,
    version: Option<String>,
    codename: Option<String>,
    minor: Option<String>,
    path: &'static str,
    variety: &'static str,
}

pub(super) fn distribution(host: &Probe<'_>) -> Map {
    let os = host.text("/etc/os-release").or_else(|| host.text("/usr/lib/os-release")).map(|t| assignments(&t));
    let os = os.unwrap_or_default();
    let file = |path: &str| host.text(path).map(|t| t.trim().to_owned());
    let release = release(&os, &file);
    let version = release.version.unwrap_or_else(|| "NA".to_owned());
    let mut facts = Map::new();
    facts.insert("os_family", family(&release.name));
    facts.insert("distribution", release.name);
    facts.insert("distribution_major_version", version.split('.').next().unwrap_or_default());
    if let Some(minor) = release.minor {
        facts.insert("distribution_minor_version", minor);
    }
    facts.insert("distribution_version", version);
    facts.insert("distribution_release", release.codename.unwrap_or_else(|| "NA".to_owned()));
    if !release.path.is_empty() {
        facts.insert("distribution_file_path", release.path);
        facts.insert("distribution_file_variety", release.variety);
        facts.insert("distribution_file_parsed", true);
    }
    facts
}

/// `NAME=value` lines with shell quotes.
fn assignments(text: &str) -> Vec<(String, String)> {
    let pairs = text.lines().map(str::trim).filter(|l| !l.starts_with('#')).filter_map(|l| l.split_once('='));
    pairs.map(|(name, value)| (name.to_owned(), value.trim_matches(['"', '\'']).to_owned())).collect()
}

fn get<'a>(pairs: &'a [(String, String)], name: &str) -> Option<&'a str> {
    pairs.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str()).filter(|v| !v.is_empty())
}

fn release(os: &[(String, String)], file: &dyn Fn(&str) -> Option<String>) -> Release {
    let id = get(os, "ID").unwrap_or_default();
    let like = get(os, "ID_LIKE").unwrap_or_default();
    let is = |word: &str| id == word || like.split_whitespace().any(|l| l == word);
    if is("debian") || is("ubuntu") {
        debian(os, file)
    } else if is("fedora") || is("rhel") || file("/etc/redhat-release").is_some() {
        redhat(os, file)
    } else if is("suse") || id.starts_with("sles") || id.starts_with("opensuse") {
        suse(os)
    } else {
        other(os, file)
    }
}

fn debian(os: &[(String, String)], file: &dyn Fn(&str) -> Option<String>) -> Release {
    let id = get(os, "ID").unwrap_or_default();
    let name = match id {
        "debian" => "Debian",
        "ubuntu" => "Ubuntu",
        "raspbian" => "Raspbian",
        "linuxmint" => "Linux Mint",
        "kali" => "Kali",
        "devuan" => "Devuan",
        "pop" => "Pop!_OS",
        "neon" => "KDE neon",
        "parrot" => "Parrot",
        _ => get(os, "NAME").unwrap_or("Debian"),
    };
    let codename = get(os, "VERSION_CODENAME").map(str::to_owned).or_else(|| {
        let (_, tail) = get(os, "VERSION")?.split_once('(')?;
        tail.split_once(')').map(|(name, _)| name.to_owned())
    });
    let mut version = get(os, "VERSION_ID").map(str::to_owned);
    let mut minor = None;
    // os-release of Debian has no point release; debian_version has.
    let exact = file("/etc/debian_version").filter(|v| v.starts_with(|c: char| c.is_ascii_digit()));
    if let Some(exact) = exact.filter(|_| id == "debian") {
        minor = exact.split('.').nth(1).map(str::to_owned);
        version = Some(exact);
    }
    let version = version.or_else(|| (id == "debian").then(|| file("/etc/debian_version")).flatten());
    Release { name: name.to_owned(), version, codename, minor, path: "/etc/os-release", variety: "Debian" }
}

fn redhat(os: &[(String, String)], file: &dyn Fn(&str) -> Option<String>) -> Release {
    let name = match get(os, "ID").unwrap_or_default() {
        "rhel" => "RedHat",
        "centos" => "CentOS",
        "fedora" => "Fedora",
        "rocky" => "Rocky",
        "almalinux" => "AlmaLinux",
        "ol" => "OracleLinux",
        "amzn" => "Amazon",
        "scientific" => "Scientific",
        "cloudlinux" => "CloudLinux",
        "eurolinux" => "EuroLinux",
        "virtuozzo" => "Virtuozzo",
        "openEuler" => "openEuler",
        _ => get(os, "NAME").unwrap_or("RedHat"),
    };
    let text = file("/etc/redhat-release").unwrap_or_default();
    // The file has the point release (7.9.2009) where os-release has only 7.
    let exact = text.split_whitespace().find(|w| w.starts_with(|c: char| c.is_ascii_digit())).map(str::to_owned);
    let codename = text.split_once('(').and_then(|(_, t)| t.split_once(')')).map(|(name, _)| name.to_owned());
    let (path, variety) = match name {
        "Amazon" => ("/etc/os-release", "Amazon"),
        "CentOS" => ("/etc/centos-release", "CentOS"),
        _ => ("/etc/redhat-release", "RedHat"),
    };
    let version = exact.or_else(|| get(os, "VERSION_ID").map(str::to_owned));
    let minor = version.as_ref().filter(|_| name == "Amazon").map(|v| v.split('.').nth(1).unwrap_or("NA").to_owned());
    Release { name: name.to_owned(), version, codename, minor, path, variety }
}

fn suse(os: &[(String, String)]) -> Release {
    let name = match get(os, "ID").unwrap_or_default() {
        "sles" | "sles_sap" => get(os, "NAME").unwrap_or("SLES"),
        "sled" => "SLED",
        "opensuse-leap" => "openSUSE Leap",
        "opensuse-tumbleweed" => "openSUSE Tumbleweed",
        _ => get(os, "NAME").unwrap_or("openSUSE"),
    };
    let version = get(os, "VERSION_ID").map(str::to_owned);
    let codename = version.as_ref().and_then(|v| v.split('.').nth(1).map(str::to_owned));
    Release { name: name.to_owned(), version, codename, minor: None, path: "/etc/os-release", variety: "SUSE" }
}

fn other(os: &[(String, String)], file: &dyn Fn(&str) -> Option<String>) -> Release {
    let version = get(os, "VERSION_ID").map(str::to_owned);
    let plain = |name: &str, version, path, variety| Release {
        name: name.to_owned(),
        version,
        path,
        variety,
        ..Release::default()
    };
    match get(os, "ID").unwrap_or_default() {
        "alpine" => plain("Alpine", file("/etc/alpine-release").or(version), "/etc/alpine-release", "Alpine"),
        "arch" | "archarm" => plain("Archlinux", Some("rolling".to_owned()), "/etc/arch-release", "Archlinux"),
        "manjaro" => plain("Manjaro", version, "/etc/os-release", "Manjaro"),
        "gentoo" => {
            let exact = file("/etc/gentoo-release").and_then(|t| t.split_whitespace().last().map(str::to_owned));
            plain("Gentoo", exact.or(version), "/etc/gentoo-release", "Gentoo")
        }
        "slackware" => plain("Slackware", version, "/etc/slackware-version", "Slackware"),
        "flatcar" => plain("Flatcar", version, "/etc/os-release", "Flatcar"),
        "clear-linux-os" => plain("Clear Linux OS", version, "/etc/os-release", "ClearLinux"),
        "altlinux" => plain("Altlinux", version, "/etc/altlinux-release", "Altlinux"),
        _ => Release {
            codename: get(os, "VERSION_CODENAME").map(str::to_owned),
            ..plain(get(os, "NAME").unwrap_or("Linux"), version, "/etc/os-release", "NA")
        },
    }
}

/// What `lsb_release` would print, from the files that it reads.
pub(super) fn lsb(host: &Probe<'_>) -> Map {
    let file = host.text("/etc/lsb-release").map(|t| assignments(&t)).unwrap_or_default();
    let os = host.text("/etc/os-release").map(|t| assignments(&t)).unwrap_or_default();
    let pick = |lsb: &str, name: &str| get(&file, lsb).or_else(|| get(&os, name)).map(str::to_owned);
    let id = get(&file, "DISTRIB_ID").map(str::to_owned).or_else(|| {
        let id = get(&os, "ID")?;
        let mut chars = id.chars();
        chars.next().map(|first| first.to_uppercase().chain(chars).collect())
    });
    let release = pick("DISTRIB_RELEASE", "VERSION_ID");
    let mut facts = Map::new();
    let fields = [
        ("id", id),
        ("description", pick("DISTRIB_DESCRIPTION", "PRETTY_NAME")),
        ("codename", pick("DISTRIB_CODENAME", "VERSION_CODENAME")),
        ("major_release", release.as_ref().and_then(|r| r.split('.').next().map(str::to_owned))),
        ("release", release),
    ];
    for (name, value) in fields {
        if let Some(value) = value {
            facts.insert(name, Value::from(value));
        }
    }
    facts
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(os: &str, files: &[(&str, &str)]) -> (String, Option<String>, Option<String>, &'static str) {
        let files: Vec<(String, String)> = files.iter().map(|(a, b)| ((*a).to_owned(), (*b).to_owned())).collect();
        let r = release(&assignments(os), &|path| files.iter().find(|f| f.0 == path).map(|f| f.1.clone()));
        let family = FAMILIES.iter().find(|(_, m)| m.contains(&r.name.as_str())).map_or("other", |f| f.0);
        (r.name, r.version, r.codename, family)
    }

    fn expect(
        name: &str,
        version: &str,
        codename: &str,
        family: &'static str,
    ) -> (String, Option<String>, Option<String>, &'static str) {
        let some = |t: &str| (!t.is_empty()).then(|| t.to_owned());
        (name.to_owned(), some(version), some(codename), family)
    }

    #[test]
    fn distributions_have_ansibles_names() {
        let debian = "ID=debian\nVERSION_ID=\"12\"\nVERSION=\"12 (bookworm)\"";
        assert_eq!(of(debian, &[("/etc/debian_version", "12.11")]), expect("Debian", "12.11", "bookworm", "Debian"));
        let ubuntu = "ID=ubuntu\nID_LIKE=debian\nVERSION_ID=\"22.04\"\nVERSION_CODENAME=jammy";
        assert_eq!(
            of(ubuntu, &[("/etc/debian_version", "bookworm/sid")]),
            expect("Ubuntu", "22.04", "jammy", "Debian")
        );
        let rocky = "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\nVERSION_ID=\"9.3\"";
        let file = ("/etc/redhat-release", "Rocky Linux release 9.3 (Blue Onyx)");
        assert_eq!(of(rocky, &[file]), expect("Rocky", "9.3", "Blue Onyx", "RedHat"));
        assert_eq!(
            of("ID=alpine\nVERSION_ID=3.19.1", &[("/etc/alpine-release", "3.19.1")]),
            expect("Alpine", "3.19.1", "", "Alpine")
        );
        assert_eq!(of("ID=arch\nNAME=Arch", &[]), expect("Archlinux", "rolling", "", "Archlinux"));
        let leap = "ID=\"opensuse-leap\"\nID_LIKE=\"suse opensuse\"\nVERSION_ID=\"15.5\"";
        assert_eq!(of(leap, &[]), expect("openSUSE Leap", "15.5", "5", "Suse"));
    }
}
