//! The door from templates to the world.

use crate::model::Value;

/// Whether a server's redirections are followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Redirects {
    /// Wherever they lead.
    #[default]
    All,
    /// Not at all.
    None,
}

/// What is asked of a server.
#[derive(Debug, Clone, Default)]
pub struct Fetch {
    /// Where.
    pub url: String,
    /// Names and values of headers.
    pub headers: Vec<(String, String)>,
    /// The name that the client gives itself.
    pub agent: String,
    /// Seconds without an answer after which it is given up.
    pub timeout: f64,
    /// Who asks.
    pub user: Option<String>,
    /// With what password.
    pub password: Option<String>,
    /// A file of certificates to trust.
    pub ca_path: Option<String>,
    /// The socket to ask through.
    pub unix_socket: Option<String>,
    /// Names of headers that are not sent where a redirection leads.
    pub once: Vec<String>,
    /// Whether name and password are sent without being asked for.
    pub basic: bool,
    /// The ciphers to use; the client's own when empty.
    pub ciphers: String,
    /// Whether redirections are followed.
    pub redirects: Redirects,
    /// Whether the environment's proxies are used.
    pub proxy: bool,
    /// Whether the server's certificate is checked.
    pub verify: bool,
    /// Whether `~/.netrc` is read.
    pub netrc: bool,
    /// Whether Kerberos says who asks.
    pub gssapi: bool,
}

/// A file, directory or link below a directory.
#[derive(Debug, Clone, Default)]
pub struct Entry {
    /// Its path below the directory.
    pub path: String,
    /// `file`, `directory` or `link`; empty for what is neither.
    pub state: &'static str,
    /// Where a link leads.
    pub target: Option<String>,
    /// The bits of its mode.
    pub mode: u32,
    /// Its size in bytes.
    pub size: u64,
    /// Number and name of its owner.
    pub owner: (u32, Option<String>),
    /// Number and name of its group.
    pub group: (u32, Option<String>),
    /// Seconds since 1970 of its last change.
    pub mtime: f64,
    /// Seconds since 1970 of the last change of what is told here.
    pub ctime: f64,
}

/// The only door from templates to the world.
pub trait Outside: Send + Sync {
    /// A file's content, and whether it was encrypted: then it is secret.
    ///
    /// # Errors
    /// When it cannot be read or decrypted; the words say why.
    fn read_file(&self, path: &str) -> Result<(Vec<u8>, bool), String>;
    /// Whether a file is encrypted, with whatever key.
    ///
    /// # Errors
    /// When it cannot be read; the words say why.
    fn is_encrypted(&self, path: &str) -> Result<bool, String> {
        self.read_file(path).map(|(_, secret)| secret)
    }
    /// A text that was encrypted by itself (`!vault`).
    ///
    /// # Errors
    /// When no key opens it; the words say why.
    fn decrypt(&self, _text: &str) -> Result<String, String> {
        Err("there is no vault here".into())
    }
    /// Takes note of a text that must not be shown, wherever it turns up.
    fn note_secret(&self, _text: &str) {}
    /// What is at a path: `file`, `directory`, or `None`; links are followed.
    fn kind(&self, path: &str) -> Option<&'static str>;
    /// A path whose `~` or `~user` at the beginning is a home directory. Without users there is but one.
    fn expand_user(&self, path: &str) -> String {
        match (path.strip_prefix('~'), self.env("HOME")) {
            (Some(rest), Some(home)) if rest.is_empty() || rest.starts_with('/') => home + rest,
            _ => path.to_owned(),
        }
    }
    /// Whether a path is a symbolic link.
    fn is_link(&self, _path: &str) -> bool {
        false
    }
    /// Whether another file system begins at a path.
    fn is_mount(&self, _path: &str) -> bool {
        false
    }
    /// The path of a file that a role or playbook brings: `kind` is `files`, `templates`, `vars` or empty,
    /// `roots` are the directories to look in, the nearest first (each with and without `kind`).
    fn find(&self, kind: &str, name: &str, roots: &[String]) -> Option<String>;
    /// Files that match a shell pattern, sorted.
    fn glob(&self, pattern: &str) -> Vec<String>;
    /// All that is below a directory, sorted; links are not followed.
    fn tree(&self, _directory: &str) -> Vec<Entry> {
        Vec::new()
    }
    /// An absolute path without links and dots.
    fn realpath(&self, path: &str) -> String;
    /// An environment variable.
    fn env(&self, name: &str) -> Option<String>;
    /// Runs a shell command: exit status and standard output.
    ///
    /// # Errors
    /// When it cannot be started.
    fn run(&self, command: &str) -> Result<(i32, String), String>;
    /// Reads and rewrites a file that only its owner may read; who else does so at the same time waits.
    /// `change` is given its text, and gives a new one or nothing. Directories are made.
    ///
    /// # Errors
    /// When it cannot be read or written; the words say why.
    fn update_private(
        &self,
        path: &str,
        _change: &mut dyn FnMut(Option<&str>) -> Option<String>,
    ) -> Result<(), String> {
        Err(format!("{path} cannot be written here"))
    }
    /// What a server answers.
    ///
    /// # Errors
    /// When it does not, or says that it has nothing; the words say why.
    fn fetch(&self, fetch: &Fetch) -> Result<Vec<u8>, String> {
        Err(format!("{} cannot be reached here", fetch.url))
    }
    /// A setting by its name in Ansible (`DEFAULT_FORKS`), and who set it; nothing where there is none.
    fn setting(&self, _name: &str) -> Option<(Value, String)> {
        None
    }
    /// Reads a YAML document.
    ///
    /// # Errors
    /// When it is malformed.
    fn parse_yaml(&self, text: &str) -> Result<Value, String>;
    /// Reads all YAML documents of a stream.
    ///
    /// # Errors
    /// When one is malformed.
    fn parse_yaml_all(&self, text: &str) -> Result<Vec<Value>, String>;
    /// The time: seconds since 1970 and nanoseconds.
    fn now(&self) -> (i64, u32);
}

/// No world at all: nothing exists, nothing runs.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoOutside;

impl Outside for NoOutside {
    fn read_file(&self, path: &str) -> Result<(Vec<u8>, bool), String> {
        Err(format!("could not find {path}"))
    }
    fn kind(&self, _path: &str) -> Option<&'static str> {
        None
    }
    fn find(&self, _kind: &str, _name: &str, _roots: &[String]) -> Option<String> {
        None
    }
    fn glob(&self, _pattern: &str) -> Vec<String> {
        Vec::new()
    }
    fn realpath(&self, path: &str) -> String {
        path.to_owned()
    }
    fn env(&self, _name: &str) -> Option<String> {
        None
    }
    fn run(&self, _command: &str) -> Result<(i32, String), String> {
        Err("no commands here".into())
    }
    fn parse_yaml(&self, _text: &str) -> Result<Value, String> {
        Err("no YAML here".into())
    }
    fn parse_yaml_all(&self, _text: &str) -> Result<Vec<Value>, String> {
        Err("no YAML here".into())
    }
    fn now(&self) -> (i64, u32) {
        (0, 0)
    }
}
