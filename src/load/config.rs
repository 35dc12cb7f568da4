//! The configuration: ansible.cfg and `ANSIBLE_*` variables, typed, each value with its origin.
//!
//! Source of names and defaults: `ansible-config list` of ansible-core 2.19.

use std::path::{Path, PathBuf};

use super::Files;
use super::config_file::{self, ConfigFile, Unknown};
use super::config_value::{
    AsValue, Base, DuplicateKeys, FromText, Gathering, HashBehaviour, PatternMismatch, SetBy, Setting, Sources,
};
use super::files::Environment;
use crate::diag::{Checked, Diagnostic, ExitCode};
use crate::inventory::GroupNames;
use crate::model::{Origin, Value};

/// A setting as users see it.
#[derive(Debug, Clone)]
pub struct Shown {
    /// Its name in Ansible (`DEFAULT_FORKS`).
    pub name: &'static str,
    /// What it says.
    pub description: &'static str,
    /// The variables that set it, the first that is there.
    pub variables: &'static [&'static str],
    /// Section and key of the file that set it.
    pub keys: &'static [(&'static str, &'static str)],
    /// Its value.
    pub value: Value,
    /// Who set it.
    pub by: SetBy,
}

/// Declares the settings: documentation, name, type, default, Ansible's name, variables, `section.key`.
macro_rules! settings {
    ($($(#[doc = $doc:literal])* $name:ident: $type:ty = $default:expr, $ansible:literal, [$($env:literal),*], [$($section:literal . $key:literal),*];)*) => {
        /// What ansible.cfg and the environment set.
        #[derive(Debug, Clone)]
        pub struct Config {
            /// The file that was read.
            pub file: Option<PathBuf>,
            $($(#[doc = $doc])* pub $name: Setting<$type>,)*
            unknown: Vec<Unknown>,
            warnings: Vec<Diagnostic>,
        }

        fn build(reader: &mut Reader) -> Config {
            Config {
                file: reader.file.path.clone(),
                $($name: reader.setting($default, &[$($env),*], &[$(($section, $key)),*]),)*
                unknown: Vec::new(),
                warnings: Vec::new(),
            }
        }

        impl Config {
            /// All settings, as data.
            pub fn all(&self) -> Vec<Shown> {
                vec![$(Shown {
                    name: $ansible,
                    description: concat!($($doc),*),
                    variables: &[$($env),*],
                    keys: &[$(($section, $key)),*],
                    value: self.$name.value.to_value(),
                    by: self.$name.by.clone(),
                }),*]
            }
        }

        /// All `(section, key)` that a setting is read from.
        const KEYS: &[(&str, &str)] = &[$($(($section, $key),)*)*];
    };
}

fn sources(list: &str) -> Vec<String> {
    vec![list.to_owned()]
}

fn readers() -> Vec<String> {
    ["host_list", "script", "auto", "yaml", "ini", "toml"].map(str::to_owned).into()
}

fn endings() -> Vec<String> {
    [".pyc", ".pyo", ".swp", ".bak", "~", ".rpm", ".md", ".txt", ".rst", ".orig", ".cfg", ".retry"]
        .map(str::to_owned)
        .into()
}

settings! {
    /// Where hosts come from when `-i` is not given.
    inventory: Vec<String> = sources("/etc/ansible/hosts"), "DEFAULT_HOST_LIST", ["ANSIBLE_INVENTORY"], ["defaults"."inventory"];
    /// Endings of files that an inventory directory's reader passes over.
    inventory_ignore_extensions: Vec<String> = endings(), "INVENTORY_IGNORE_EXTS", ["ANSIBLE_INVENTORY_IGNORE"], ["defaults"."inventory_ignore_extensions", "inventory"."ignore_extensions"];
    /// Names that an inventory directory's reader passes over: regular expressions.
    inventory_ignore_patterns: Vec<String> = Vec::new(), "INVENTORY_IGNORE_PATTERNS", ["ANSIBLE_INVENTORY_IGNORE_REGEX"], ["defaults"."inventory_ignore_patterns", "inventory"."ignore_patterns"];
    /// The readers of inventory sources, in the order in which they are tried.
    inventory_enabled: Vec<String> = readers(), "INVENTORY_ENABLED", ["ANSIBLE_INVENTORY_ENABLED"], ["inventory"."enable_plugins"];
    /// Whether a source that no reader understands is an error.
    inventory_any_unparsed_is_failed: bool = false, "INVENTORY_ANY_UNPARSED_IS_FAILED", ["ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED"], ["inventory"."any_unparsed_is_failed"];
    /// Whether it is an error when no source was understood.
    inventory_unparsed_is_failed: bool = false, "INVENTORY_UNPARSED_IS_FAILED", ["ANSIBLE_INVENTORY_UNPARSED_FAILED"], ["inventory"."unparsed_is_failed"];
    /// Whether that is warned about.
    inventory_unparsed_warning: bool = true, "INVENTORY_UNPARSED_WARNING", ["ANSIBLE_INVENTORY_UNPARSED_WARNING"], ["inventory"."inventory_unparsed_warning"];
    /// Whether `rplay inventory` shows variables where they are defined.
    inventory_export: bool = false, "INVENTORY_EXPORT", ["ANSIBLE_INVENTORY_EXPORT"], ["inventory"."export"];
    /// Whether `constructed` sees `-e`.
    inventory_use_extra_vars: bool = false, "INVENTORY_USE_EXTRA_VARS", ["ANSIBLE_INVENTORY_USE_EXTRA_VARS"], ["inventory_plugins"."use_extra_vars"];
    /// Whether what inventory scripts write on standard error is shown.
    inventory_script_stderr: bool = true, "INVENTORY_PLUGIN_SCRIPT_STDERR", ["ANSIBLE_INVENTORY_PLUGIN_SCRIPT_STDERR"], ["inventory_plugin_script"."always_show_stderr"];
    /// Endings of files that are YAML.
    yaml_extensions: Vec<String> = [".yaml", ".yml", ".json"].map(str::to_owned).into(), "YAML_FILENAME_EXTENSIONS", ["ANSIBLE_YAML_FILENAME_EXT", "ANSIBLE_INVENTORY_PLUGIN_EXTS"], ["defaults"."yaml_valid_extensions", "inventory_plugin_yaml"."yaml_valid_extensions"];
    /// What becomes of group names that are no variable names: never, ignore, always, silently.
    force_valid_group_names: GroupNames = GroupNames::Never, "TRANSFORM_INVALID_GROUP_CHARS", ["ANSIBLE_TRANSFORM_INVALID_GROUP_CHARS"], ["defaults"."force_valid_group_names"];
    /// What the lookup `url` calls itself.
    lookup_url_agent: String = "ansible-httpget".to_owned(), "LOOKUP_URL_AGENT", ["ANSIBLE_LOOKUP_URL_AGENT"], ["url_lookup"."agent"];
    /// The file of certificates that it trusts.
    lookup_url_ca_path: Option<String> = None, "LOOKUP_URL_CA_PATH", ["ANSIBLE_LOOKUP_URL_CA_PATH"], ["url_lookup"."ca_path"];
    /// The ciphers that it uses.
    lookup_url_ciphers: Option<String> = None, "LOOKUP_URL_CIPHERS", ["ANSIBLE_LOOKUP_URL_CIPHERS"], ["url_lookup"."ciphers"];
    /// Which redirections it follows.
    lookup_url_follow_redirects: String = "urllib2".to_owned(), "LOOKUP_URL_FOLLOW_REDIRECTS", ["ANSIBLE_LOOKUP_URL_FOLLOW_REDIRECTS"], ["url_lookup"."follow_redirects"];
    /// Whether caches on the way are passed over.
    lookup_url_force: bool = false, "LOOKUP_URL_FORCE", ["ANSIBLE_LOOKUP_URL_FORCE"], ["url_lookup"."force"];
    /// Whether it sends name and password without being asked.
    lookup_url_force_basic_auth: bool = false, "LOOKUP_URL_FORCE_BASIC_AUTH", ["ANSIBLE_LOOKUP_URL_FORCE_BASIC_AUTH"], ["url_lookup"."force_basic_auth"];
    /// Seconds that it waits for an answer.
    lookup_url_timeout: String = "10".to_owned(), "LOOKUP_URL_TIMEOUT", ["ANSIBLE_LOOKUP_URL_TIMEOUT"], ["url_lookup"."timeout"];
    /// The socket that it asks through.
    lookup_url_unix_socket: Option<String> = None, "LOOKUP_URL_UNIX_SOCKET", ["ANSIBLE_LOOKUP_URL_UNIX_SOCKET"], ["url_lookup"."unix_socket"];
    /// Headers that it does not send where a redirection leads.
    lookup_url_unredir_headers: Option<String> = None, "LOOKUP_URL_UNREDIR_HEADERS", ["ANSIBLE_LOOKUP_URL_UNREDIR_HEADERS"], ["url_lookup"."unredirected_headers"];
    /// Whether Kerberos says who asks.
    lookup_url_use_gssapi: bool = false, "LOOKUP_URL_USE_GSSAPI", ["ANSIBLE_LOOKUP_URL_USE_GSSAPI"], ["url_lookup"."use_gssapi"];
    /// Whether `~/.netrc` is read.
    lookup_url_use_netrc: bool = true, "LOOKUP_URL_USE_NETRC", ["ANSIBLE_LOOKUP_URL_USE_NETRC"], ["url_lookup"."use_netrc"];
    /// What `rplay exec` runs when `-m` is not given.
    module_name: String = "command".to_owned(), "DEFAULT_MODULE_NAME", [], ["defaults"."module_name"];
    /// Its arguments when `-a` is not given.
    module_args: String = String::new(), "DEFAULT_MODULE_ARGS", ["ANSIBLE_MODULE_ARGS"], ["defaults"."module_args"];
    /// The user to log in as.
    remote_user: Option<String> = None, "DEFAULT_REMOTE_USER", ["ANSIBLE_REMOTE_USER"], ["defaults"."remote_user"];
    /// The port to connect to.
    remote_port: Option<u16> = None, "DEFAULT_REMOTE_PORT", ["ANSIBLE_REMOTE_PORT"], ["defaults"."remote_port"];
    /// The private key to log in with.
    private_key_file: Option<PathBuf> = None, "DEFAULT_PRIVATE_KEY_FILE", ["ANSIBLE_PRIVATE_KEY_FILE"], ["defaults"."private_key_file"];
    /// Whether host keys are checked.
    host_key_checking: bool = true, "HOST_KEY_CHECKING", ["ANSIBLE_HOST_KEY_CHECKING", "ANSIBLE_SSH_HOST_KEY_CHECKING"], ["defaults"."host_key_checking", "ssh_connection"."host_key_checking"];
    /// Seconds to wait for a connection.
    timeout: u32 = 10, "DEFAULT_TIMEOUT", ["ANSIBLE_TIMEOUT", "ANSIBLE_SSH_TIMEOUT"], ["defaults"."timeout", "ssh_connection"."timeout"];
    /// How many hosts at once; all of them when it is not set.
    forks: Option<u32> = None, "DEFAULT_FORKS", ["ANSIBLE_FORKS"], ["defaults"."forks"];
    /// The connection: ssh, local, docker.
    transport: String = "ssh".to_owned(), "DEFAULT_TRANSPORT", ["ANSIBLE_TRANSPORT"], ["defaults"."transport"];
    /// Whether to ask for the login password.
    ask_pass: bool = false, "DEFAULT_ASK_PASS", ["ANSIBLE_ASK_PASS"], ["defaults"."ask_pass"];
    /// A file that holds the login password.
    connection_password_file: Option<PathBuf> = None, "CONNECTION_PASSWORD_FILE", ["ANSIBLE_CONNECTION_PASSWORD_FILE"], ["defaults"."connection_password_file"];
    /// Whether tasks run as another user.
    r#become: bool = false, "DEFAULT_BECOME", ["ANSIBLE_BECOME"], ["privilege_escalation"."become"];
    /// How: sudo, su, doas.
    become_method: String = "sudo".to_owned(), "DEFAULT_BECOME_METHOD", ["ANSIBLE_BECOME_METHOD"], ["privilege_escalation"."become_method"];
    /// As whom.
    become_user: String = "root".to_owned(), "DEFAULT_BECOME_USER", ["ANSIBLE_BECOME_USER"], ["privilege_escalation"."become_user"];
    /// The program that does it, when it is not the method's own.
    become_exe: Option<String> = None, "DEFAULT_BECOME_EXE", ["ANSIBLE_BECOME_EXE"], ["privilege_escalation"."become_exe"];
    /// The program's options; the method's own when it is not set.
    become_flags: Option<String> = None, "DEFAULT_BECOME_FLAGS", ["ANSIBLE_BECOME_FLAGS"], ["privilege_escalation"."become_flags"];
    /// Whether a user is become by the one who is that user already.
    become_allow_same_user: bool = false, "BECOME_ALLOW_SAME_USER", ["ANSIBLE_BECOME_ALLOW_SAME_USER"], ["privilege_escalation"."become_allow_same_user"];
    /// Whether to ask for its password.
    become_ask_pass: bool = false, "DEFAULT_BECOME_ASK_PASS", ["ANSIBLE_BECOME_ASK_PASS"], ["privilege_escalation"."become_ask_pass"];
    /// A file that holds its password.
    become_password_file: Option<PathBuf> = None, "BECOME_PASSWORD_FILE", ["ANSIBLE_BECOME_PASSWORD_FILE"], ["defaults"."become_password_file"];
    /// The ssh program.
    ssh_executable: String = "ssh".to_owned(), "SSH_EXECUTABLE", ["ANSIBLE_SSH_EXECUTABLE"], ["ssh_connection"."ssh_executable"];
    /// Arguments of every ssh; the place of ControlMaster and ControlPersist.
    ssh_args: String = "-C -o ControlMaster=auto -o ControlPersist=60s".to_owned(), "SSH_ARGS", ["ANSIBLE_SSH_ARGS"], ["ssh_connection"."ssh_args"];
    /// More arguments of every ssh.
    ssh_common_args: String = String::new(), "SSH_COMMON_ARGS", ["ANSIBLE_SSH_COMMON_ARGS"], ["ssh_connection"."ssh_common_args"];
    /// More arguments of ssh alone.
    ssh_extra_args: String = String::new(), "SSH_EXTRA_ARGS", ["ANSIBLE_SSH_EXTRA_ARGS"], ["ssh_connection"."ssh_extra_args"];
    /// Where sockets of kept connections are.
    control_path_dir: PathBuf = PathBuf::from("~/.ansible/cp"), "SSH_CONTROL_PATH_DIR", ["ANSIBLE_SSH_CONTROL_PATH_DIR"], ["ssh_connection"."control_path_dir"];
    /// The socket of a kept connection; made from host, port and user when it is not set.
    control_path: Option<String> = None, "SSH_CONTROL_PATH", ["ANSIBLE_SSH_CONTROL_PATH"], ["ssh_connection"."control_path"];
    /// How often a connection is tried again.
    ssh_retries: u32 = 0, "SSH_RETRIES", ["ANSIBLE_SSH_RETRIES"], ["connection"."retries", "ssh_connection"."retries"];
    /// How many connections are set up at the same time: rplay's own setting, as all in its section.
    connect_forks: Option<u32> = None, "CONNECT_FORKS", ["RPLAY_CONNECT_FORKS"], ["rplay"."connect_forks"];
    /// Where roles are looked for, after the playbook's own.
    roles_path: Vec<PathBuf> = ["~/.ansible/roles", "/usr/share/ansible/roles", "/etc/ansible/roles"].map(PathBuf::from).into(), "DEFAULT_ROLES_PATH", ["ANSIBLE_ROLES_PATH"], ["defaults"."roles_path"];
    /// Where collections are looked for, after those beside the playbook.
    collections_path: Vec<PathBuf> = ["~/.ansible/collections", "/usr/share/ansible/collections"].map(PathBuf::from).into(), "COLLECTIONS_PATHS", ["ANSIBLE_COLLECTIONS_PATH", "ANSIBLE_COLLECTIONS_PATHS"], ["defaults"."collections_path", "defaults"."collections_paths"];
    /// Whether defaults and vars of roles are seen by their own tasks only.
    private_role_vars: bool = false, "DEFAULT_PRIVATE_ROLE_VARS", ["ANSIBLE_PRIVATE_ROLE_VARS"], ["defaults"."private_role_vars"];
    /// When facts are gathered.
    gathering: Gathering = Gathering::Implicit, "DEFAULT_GATHERING", ["ANSIBLE_GATHERING"], ["defaults"."gathering"];
    /// Whether facts are variables too, not only parts of `ansible_facts`.
    inject_facts: bool = true, "INJECT_FACTS_AS_VARS", ["ANSIBLE_INJECT_FACT_VARS"], ["defaults"."inject_facts_as_vars"];
    /// Where facts are kept between runs; `memory` is nowhere.
    fact_caching: String = "memory".to_owned(), "CACHE_PLUGIN", ["ANSIBLE_CACHE_PLUGIN"], ["defaults"."fact_caching"];
    /// The directory of the fact cache `jsonfile`.
    fact_caching_connection: Option<PathBuf> = None, "CACHE_PLUGIN_CONNECTION", ["ANSIBLE_CACHE_PLUGIN_CONNECTION"], ["defaults"."fact_caching_connection"];
    /// What the names of its files begin with.
    fact_caching_prefix: String = String::new(), "CACHE_PLUGIN_PREFIX", ["ANSIBLE_CACHE_PLUGIN_PREFIX"], ["defaults"."fact_caching_prefix"];
    /// After how many seconds they are out of date; 0 is never.
    fact_caching_timeout: u32 = 86_400, "CACHE_PLUGIN_TIMEOUT", ["ANSIBLE_CACHE_PLUGIN_TIMEOUT"], ["defaults"."fact_caching_timeout"];
    /// A file that holds the vault's password, or prints it.
    vault_password_file: Option<PathBuf> = None, "DEFAULT_VAULT_PASSWORD_FILE", ["ANSIBLE_VAULT_PASSWORD_FILE"], ["defaults"."vault_password_file"];
    /// Whether an encrypted text with a vault id is opened only by passwords of that id.
    vault_id_match: bool = false, "DEFAULT_VAULT_ID_MATCH", ["ANSIBLE_VAULT_ID_MATCH"], ["defaults"."vault_id_match"];
    /// The vault id of passwords that are given without one.
    vault_identity: String = crate::vault::DEFAULT_LABEL.to_owned(), "DEFAULT_VAULT_IDENTITY", ["ANSIBLE_VAULT_IDENTITY"], ["defaults"."vault_identity"];
    /// The vault id to encrypt with, where there are several.
    vault_encrypt_identity: Option<String> = None, "DEFAULT_VAULT_ENCRYPT_IDENTITY", ["ANSIBLE_VAULT_ENCRYPT_IDENTITY"], ["defaults"."vault_encrypt_identity"];
    /// The salt to encrypt with in Ansible's format; random when it is not set.
    vault_encrypt_salt: Option<String> = None, "VAULT_ENCRYPT_SALT", ["ANSIBLE_VAULT_ENCRYPT_SALT"], ["defaults"."vault_encrypt_salt"];
    /// Files of recipients (age), for whom to encrypt where nothing else is said.
    vault_recipients: Vec<PathBuf> = vec![PathBuf::from("vault/recipients")], "VAULT_RECIPIENTS", ["RPLAY_VAULT_RECIPIENTS"], ["rplay"."vault_recipients"];
    /// Files of private keys (age's or ssh's) that are tried.
    vault_identities: Vec<PathBuf> = ["~/.config/rplay/identity", "~/.ssh/id_ed25519", "~/.ssh/id_rsa"].map(PathBuf::from).into(), "VAULT_IDENTITIES", ["RPLAY_VAULT_IDENTITIES"], ["rplay"."vault_identities"];
    /// Vault identities, as `--vault-id` takes them.
    vault_identity_list: Vec<String> = Vec::new(), "DEFAULT_VAULT_IDENTITY_LIST", ["ANSIBLE_VAULT_IDENTITY_LIST"], ["defaults"."vault_identity_list"];
    /// Whether to ask for the vault's password.
    ask_vault_pass: bool = false, "DEFAULT_ASK_VAULT_PASS", ["ANSIBLE_ASK_VAULT_PASS"], ["defaults"."ask_vault_pass"];
    /// What happens to mappings that are defined at several levels.
    hash_behaviour: HashBehaviour = HashBehaviour::Replace, "DEFAULT_HASH_BEHAVIOUR", ["ANSIBLE_HASH_BEHAVIOUR"], ["defaults"."hash_behaviour"];
    /// Whether an undefined variable is an error.
    error_on_undefined_vars: bool = true, "DEFAULT_UNDEFINED_VAR_BEHAVIOR", ["ANSIBLE_ERROR_ON_UNDEFINED_VARS"], ["defaults"."error_on_undefined_vars"];
    /// Jinja2 extensions: refused when set.
    jinja2_extensions: Vec<String> = Vec::new(), "DEFAULT_JINJA2_EXTENSIONS", ["ANSIBLE_JINJA2_EXTENSIONS"], ["defaults"."jinja2_extensions"];
    /// What `ansible_managed` says.
    ansible_managed: String = "Ansible managed".to_owned(), "DEFAULT_MANAGED_STR", [], ["defaults"."ansible_managed"];
    /// Whether a failure on one host ends the play on all.
    any_errors_fatal: bool = false, "ANY_ERRORS_FATAL", ["ANSIBLE_ANY_ERRORS_FATAL"], ["defaults"."any_errors_fatal"];
    /// Whether handlers run on hosts that failed.
    force_handlers: bool = false, "DEFAULT_FORCE_HANDLERS", ["ANSIBLE_FORCE_HANDLERS"], ["defaults"."force_handlers"];
    /// What becomes of a mapping that has a key twice.
    duplicate_dict_key: DuplicateKeys = DuplicateKeys::Warn, "DUPLICATE_YAML_DICT_KEY", ["ANSIBLE_DUPLICATE_YAML_DICT_KEY"], ["defaults"."duplicate_dict_key"];
    /// Whether a notification without its handler is an error.
    error_on_missing_handler: bool = true, "ERROR_ON_MISSING_HANDLER", ["ANSIBLE_ERROR_ON_MISSING_HANDLER"], ["defaults"."error_on_missing_handler"];
    /// Whether all tasks hide what they print.
    no_log: bool = false, "DEFAULT_NO_LOG", ["ANSIBLE_NO_LOG"], ["defaults"."no_log"];
    /// The shell that runs commands on hosts.
    executable: String = "/bin/sh".to_owned(), "DEFAULT_EXECUTABLE", ["ANSIBLE_EXECUTABLE"], ["defaults"."executable"];
    /// Seconds that a task may take; 0 is no limit.
    task_timeout: u32 = 0, "TASK_TIMEOUT", ["ANSIBLE_TASK_TIMEOUT"], ["defaults"."task_timeout"];
    /// Seconds between looks at an asynchronous task.
    poll_interval: u32 = 15, "DEFAULT_POLL_INTERVAL", ["ANSIBLE_POLL_INTERVAL"], ["defaults"."poll_interval"];
    /// The order of tasks over hosts: linear, free, host_pinned.
    strategy: String = "linear".to_owned(), "DEFAULT_STRATEGY", ["ANSIBLE_STRATEGY"], ["defaults"."strategy"];
    /// Tags to run.
    tags_run: Vec<String> = Vec::new(), "TAGS_RUN", ["ANSIBLE_RUN_TAGS"], ["tags"."run"];
    /// Tags to skip.
    tags_skip: Vec<String> = Vec::new(), "TAGS_SKIP", ["ANSIBLE_SKIP_TAGS"], ["tags"."skip"];
    /// Whether differences are always shown.
    diff_always: bool = false, "DIFF_ALWAYS", ["ANSIBLE_DIFF_ALWAYS"], ["diff"."always"];
    /// Lines around a difference.
    diff_context: u32 = 3, "DIFF_CONTEXT", ["ANSIBLE_DIFF_CONTEXT"], ["diff"."context"];
    /// Files above this size are not compared line by line.
    max_diff_size: u32 = 104_448, "MAX_FILE_SIZE_FOR_DIFF", ["ANSIBLE_MAX_DIFF_SIZE"], ["defaults"."max_diff_size"];
    /// What a pattern that matches no host is: a warning, nothing, an error.
    host_pattern_mismatch: PatternMismatch = PatternMismatch::Warning, "HOST_PATTERN_MISMATCH", ["ANSIBLE_HOST_PATTERN_MISMATCH"], ["inventory"."host_pattern_mismatch"];
    /// The modules that gather facts.
    facts_modules: Option<String> = None, "FACTS_MODULES", ["ANSIBLE_FACTS_MODULES"], ["defaults"."facts_modules"];
    /// The order in which variables of groups win.
    precedence: Option<String> = None, "VARIABLE_PRECEDENCE", ["ANSIBLE_PRECEDENCE"], ["defaults"."precedence"];
    /// How results are printed.
    stdout_callback: String = "default".to_owned(), "DEFAULT_STDOUT_CALLBACK", ["ANSIBLE_STDOUT_CALLBACK"], ["defaults"."stdout_callback"];
    /// Whether `stdout_callback` holds for `rplay exec`, too.
    load_callbacks: bool = false, "DEFAULT_LOAD_CALLBACK_PLUGINS", ["ANSIBLE_LOAD_CALLBACK_PLUGINS"], ["defaults"."bin_ansible_callbacks"];
    /// Whether skipped hosts are shown.
    display_skipped_hosts: bool = true, "DISPLAY_SKIPPED_HOSTS", ["ANSIBLE_DISPLAY_SKIPPED_HOSTS"], ["defaults"."display_skipped_hosts"];
    /// Whether hosts where nothing changed are shown.
    display_ok_hosts: bool = true, "DISPLAY_OK_HOSTS", ["ANSIBLE_DISPLAY_OK_HOSTS"], ["defaults"."display_ok_hosts"];
    /// Whether the recap shows what `set_stats` has kept.
    show_custom_stats: bool = false, "SHOW_CUSTOM_STATS", ["ANSIBLE_SHOW_CUSTOM_STATS"], ["defaults"."show_custom_stats"];
    /// No colours.
    nocolor: bool = false, "ANSIBLE_NOCOLOR", ["ANSIBLE_NOCOLOR", "NO_COLOR"], ["defaults"."nocolor"];
    /// Colours also where there is no terminal.
    force_color: bool = false, "ANSIBLE_FORCE_COLOR", ["ANSIBLE_FORCE_COLOR"], ["defaults"."force_color"];
    /// How much is said.
    verbosity: u32 = 0, "DEFAULT_VERBOSITY", ["ANSIBLE_VERBOSITY"], ["defaults"."verbosity"];
    /// A file that gets all that is printed.
    log_path: Option<PathBuf> = None, "DEFAULT_LOG_PATH", ["ANSIBLE_LOG_PATH"], ["defaults"."log_path"];
    /// How much is said there; as much as elsewhere unless it is set.
    log_verbosity: Option<u32> = None, "LOG_VERBOSITY", ["ANSIBLE_LOG_VERBOSITY"], ["defaults"."log_verbosity"];
}

/// Sections whose keys are checked; the others belong to other programs.
const SECTIONS: [&str; 11] = [
    "url_lookup",
    "defaults",
    "privilege_escalation",
    "ssh_connection",
    "connection",
    "inventory",
    "inventory_plugins",
    "inventory_plugin_script",
    "diff",
    "tags",
    "rplay",
];

/// Keys that are accepted, because leaving them out changes nothing that a user sees: what
/// they tune (Python, sftp, cows) does not exist here.
const NO_EFFECT: &[&str] = &[
    "pipelining",
    "retry_files_enabled",
    "retry_files_save_path",
    "interpreter_python",
    "local_tmp",
    "remote_tmp",
    "module_compression",
    "transfer_method",
    "scp_if_ssh",
    "sftp_batch_mode",
    "scp_executable",
    "sftp_executable",
    "scp_extra_args",
    "sftp_extra_args",
    "usetty",
    "nocows",
    "cowpath",
    "cow_selection",
    "cowsay_enabled_stencils",
    "deprecation_warnings",
    "system_warnings",
    "command_warnings",
    "action_warnings",
    "devel_warning",
    "localhost_warning",
    "jinja2_native",
    "internal_poll_interval",
    "keep_remote_files",
    "home",
    "gather_subset",
    "gather_timeout",
    "allow_world_readable_tmpfiles",
    "result_format",
    "callback_result_format",
];

impl Config {
    /// Reads the configuration that holds in an environment.
    ///
    /// # Errors
    /// When the file is malformed, a value is of the wrong type, or asks for what there is not.
    pub fn load(files: &Files, environment: &Environment) -> Checked<Self> {
        let (path, mut warnings) = config_file::find(environment);
        let file = path.map(|path| config_file::read(files, &path)).transpose()?.unwrap_or_default();
        let mut reader = Reader { file, environment, errors: Vec::new() };
        let mut config = build(&mut reader);
        reader.refine(&mut config);
        config.unknown = reader.unknown();
        if let Some(found) = config.refused() {
            reader.errors.push(found);
        }
        warnings.extend(config.notes());
        config.warnings = warnings;
        if reader.errors.is_empty() { Ok(config) } else { Err(reader.errors) }
    }

    /// A setting by its name in Ansible (`DEFAULT_FORKS`), as data, and who set it.
    pub fn named(&self, name: &str) -> Option<(Value, String)> {
        let found = self.all().into_iter().find(|setting| setting.name == name)?;
        Some((found.value, found.by.to_string()))
    }

    /// Keys of known sections that are no setting; they are ignored, as Ansible does.
    pub fn unknown(&self) -> &[Unknown] {
        &self.unknown
    }

    /// What is set and has another effect than in Ansible.
    pub fn warnings(&self) -> &[Diagnostic] {
        &self.warnings
    }

    fn refused(&self) -> Option<Diagnostic> {
        let set = &self.jinja2_extensions;
        (!set.value.is_empty()).then(|| {
            Diagnostic::error(format!("Jinja2 extensions ({}) cannot be loaded", set.value.join(", ")))
                .at(set.origin().cloned())
                .exit(ExitCode::Options)
                .hint("`do`, `break` and `continue` are always there; remove the setting")
        })
    }

    fn notes(&self) -> Vec<Diagnostic> {
        let mut notes = Vec::new();
        let mut note = |message: String, origin: Option<&Origin>| {
            notes.push(Diagnostic::warning(message).at(origin.cloned()));
        };
        if !matches!(self.stdout_callback.value.as_str(), "default" | "ansible.builtin.default" | "oneline" | "minimal")
        {
            let name = &self.stdout_callback.value;
            note(
                format!("the callback `{name}` does not exist here; the default output is used"),
                self.stdout_callback.origin(),
            );
        }
        notes
    }
}

struct Reader<'a> {
    file: ConfigFile,
    environment: &'a Environment,
    errors: Vec<Diagnostic>,
}

impl Reader<'_> {
    /// A setting: the environment wins over the file, the file over the default.
    fn setting<T: FromText>(&mut self, default: T, env: &[&'static str], keys: &[(&str, &str)]) -> Setting<T> {
        let environment = self.environment;
        for name in env {
            let Some(text) = environment.var(name) else { continue };
            let base = Base { environment, dir: &environment.cwd };
            // https://no-color.org: any value but the empty one counts.
            let text = if *name == "NO_COLOR" && !text.is_empty() { "1" } else { text.trim() };
            match T::from_text(text, &base) {
                Ok(value) => return Setting { value, by: SetBy::Environment(name) },
                Err(why) => self.errors.push(
                    Diagnostic::error(format!("the environment variable {name} is `{text}`: {why}"))
                        .exit(ExitCode::Options),
                ),
            }
        }
        for (section, key) in keys {
            let Some(entry) = self.file.entries.get(&((*section).to_owned(), (*key).to_owned())) else { continue };
            let text = unquoted(&entry.value).replace("{{CWD}}", &environment.cwd.display().to_string());
            let dir = self.file.path.as_deref().and_then(Path::parent).unwrap_or(&environment.cwd);
            match T::from_text(&text, &Base { environment, dir }) {
                Ok(value) => return Setting { value, by: SetBy::File(entry.origin.clone()) },
                Err(why) => self.errors.push(
                    Diagnostic::error(format!("`{key}` is `{text}`: {why}"))
                        .at(entry.origin.clone())
                        .exit(ExitCode::Options),
                ),
            }
        }
        Setting { value: default, by: SetBy::Default }
    }

    /// Paths in defaults start from the home directory; inventories are paths or host lists.
    fn refine(&mut self, config: &mut Config) {
        let home = |path: &Path| self.environment.path(&path.display().to_string(), &self.environment.cwd);
        let control = home(&config.control_path_dir.value);
        config.control_path_dir.value = control;
        for paths in [
            &mut config.roles_path,
            &mut config.collections_path,
            &mut config.vault_recipients,
            &mut config.vault_identities,
        ] {
            paths.value = paths.value.iter().map(|path| home(path)).collect();
        }
        let sources: Setting<Sources> =
            self.setting(Sources(config.inventory.value.clone()), &["ANSIBLE_INVENTORY"], &[("defaults", "inventory")]);
        config.inventory.value = sources.value.0;
    }

    fn unknown(&self) -> Vec<Unknown> {
        let known = |section: &str, key: &str| {
            !SECTIONS.contains(&section) || KEYS.contains(&(section, key)) || NO_EFFECT.contains(&key)
        };
        let keys = self.file.order.iter().filter(|(section, key)| !known(section, key));
        keys.filter_map(|id| {
            let origin = self.file.entries.get(id)?.origin.clone();
            Some(Unknown { section: id.0.clone(), key: id.1.clone(), origin })
        })
        .collect()
    }
}

/// A value without quotes around the whole of it, as Ansible takes strings.
fn unquoted(value: &str) -> &str {
    ['"', '\''].into_iter().find_map(|q| value.strip_prefix(q)?.strip_suffix(q)).unwrap_or(value)
}
