//! Settings of plugins, as their documentation lists them: the variables that set them, the
//! setting of the whole run that is the same, and what they are otherwise.

use crate::model::Value;

/// A plugin's setting.
pub(super) struct Known {
    /// The plugin's type.
    pub kind: &'static str,
    /// The plugin's name.
    pub plugin: &'static str,
    /// The option.
    pub option: &'static str,
    /// Variables that set it, the first wins.
    pub vars: &'static [&'static str],
    /// The setting of the run; empty where there is none.
    pub setting: &'static str,
    default: Default,
}

/// What a setting is when nothing sets it.
#[derive(Clone, Copy)]
enum Default {
    None,
    Str(&'static str),
    Int(i64),
    Bool(bool),
    List(&'static [&'static str]),
}

impl Known {
    /// What it is when nothing sets it.
    pub fn default(&self) -> Value {
        match self.default {
            Default::None => Value::Null,
            Default::Str(text) => Value::from(text),
            Default::Int(number) => Value::from(number),
            Default::Bool(flag) => Value::from(flag),
            Default::List(items) => Value::list(items.iter().copied()),
        }
    }
}

macro_rules! settings {
    ($($kind:literal $plugin:literal { $($option:literal [$($var:literal),*] $setting:literal $default:expr;)* })*) => {
        /// All that are known.
        pub(super) const ALL: &[Known] = &[$($(Known {
            kind: $kind, plugin: $plugin, option: $option, vars: &[$($var),*], setting: $setting, default: $default,
        },)*)*];
    };
}

settings! {
    "connection" "ssh" {
        "remote_user" ["ansible_user", "ansible_ssh_user"] "DEFAULT_REMOTE_USER" Default::None;
        "port" ["ansible_port", "ansible_ssh_port"] "DEFAULT_REMOTE_PORT" Default::None;
        "private_key_file" ["ansible_private_key_file", "ansible_ssh_private_key_file"] "DEFAULT_PRIVATE_KEY_FILE" Default::None;
        "host_key_checking" ["ansible_host_key_checking", "ansible_ssh_host_key_checking"] "HOST_KEY_CHECKING" Default::Bool(true);
        "timeout" ["ansible_ssh_timeout"] "DEFAULT_TIMEOUT" Default::Int(10);
        "ssh_executable" ["ansible_ssh_executable"] "SSH_EXECUTABLE" Default::Str("ssh");
        "ssh_args" ["ansible_ssh_args"] "SSH_ARGS" Default::None;
        "ssh_common_args" ["ansible_ssh_common_args"] "SSH_COMMON_ARGS" Default::Str("");
        "ssh_extra_args" ["ansible_ssh_extra_args"] "SSH_EXTRA_ARGS" Default::Str("");
        "control_path" ["ansible_control_path"] "SSH_CONTROL_PATH" Default::None;
        "control_path_dir" ["ansible_control_path_dir"] "SSH_CONTROL_PATH_DIR" Default::None;
        "reconnection_retries" ["ansible_ssh_retries"] "SSH_RETRIES" Default::Int(0);
    }
    "become" "sudo" {
        "become_user" ["ansible_become_user", "ansible_sudo_user"] "DEFAULT_BECOME_USER" Default::Str("root");
        "become_exe" ["ansible_become_exe", "ansible_sudo_exe"] "DEFAULT_BECOME_EXE" Default::Str("sudo");
        "become_flags" ["ansible_become_flags", "ansible_sudo_flags"] "DEFAULT_BECOME_FLAGS" Default::Str("-H -S -n");
        "sudo_chdir" ["ansible_sudo_chdir"] "" Default::None;
    }
    "become" "su" {
        "become_user" ["ansible_become_user", "ansible_su_user"] "DEFAULT_BECOME_USER" Default::Str("root");
        "become_exe" ["ansible_become_exe", "ansible_su_exe"] "DEFAULT_BECOME_EXE" Default::Str("su");
        "become_flags" ["ansible_become_flags", "ansible_su_flags"] "DEFAULT_BECOME_FLAGS" Default::Str("");
        "prompt_l10n" ["ansible_su_prompt_l10n"] "" Default::List(&[]);
    }
    "shell" "sh" {
        "remote_tmp" ["ansible_remote_tmp"] "" Default::Str("~/.ansible/tmp");
        "async_dir" ["ansible_async_dir"] "" Default::Str("~/.ansible_async");
        "system_tmpdirs" ["ansible_system_tmpdirs"] "" Default::List(&["/var/tmp", "/tmp"]);
        "admin_users" ["ansible_admin_users"] "" Default::List(&["root", "toor"]);
        "common_remote_group" ["ansible_common_remote_group"] "" Default::None;
        "world_readable_temp" ["ansible_shell_allow_world_readable_temp"] "" Default::Bool(false);
    }
    "callback" "default" {
        "display_skipped_hosts" [] "DISPLAY_SKIPPED_HOSTS" Default::Bool(true);
        "display_ok_hosts" [] "DISPLAY_OK_HOSTS" Default::Bool(true);
        "show_custom_stats" [] "SHOW_CUSTOM_STATS" Default::Bool(false);
        "result_format" [] "" Default::Str("json");
    }
    "lookup" "url" {
        "http_agent" ["ansible_lookup_url_agent"] "LOOKUP_URL_AGENT" Default::Str("ansible-httpget");
        "ca_path" ["ansible_lookup_url_ca_path"] "LOOKUP_URL_CA_PATH" Default::None;
        "ciphers" ["ansible_lookup_url_ciphers"] "LOOKUP_URL_CIPHERS" Default::None;
        "follow_redirects" ["ansible_lookup_url_follow_redirects"] "LOOKUP_URL_FOLLOW_REDIRECTS" Default::Str("urllib2");
        "force" ["ansible_lookup_url_force"] "LOOKUP_URL_FORCE" Default::Bool(false);
        "force_basic_auth" ["ansible_lookup_url_force_basic_auth"] "LOOKUP_URL_FORCE_BASIC_AUTH" Default::Bool(false);
        "timeout" ["ansible_lookup_url_timeout"] "LOOKUP_URL_TIMEOUT" Default::Int(10);
        "unix_socket" ["ansible_lookup_url_unix_socket"] "LOOKUP_URL_UNIX_SOCKET" Default::None;
        "unredirected_headers" ["ansible_lookup_url_unredir_headers"] "LOOKUP_URL_UNREDIR_HEADERS" Default::None;
        "use_gssapi" ["ansible_lookup_url_use_gssapi"] "LOOKUP_URL_USE_GSSAPI" Default::Bool(false);
        "use_netrc" ["ansible_lookup_url_use_netrc"] "LOOKUP_URL_USE_NETRC" Default::Bool(true);
    }
    "lookup" "config" {
        "on_missing" [] "" Default::Str("error");
        "plugin_type" [] "" Default::None;
        "plugin_name" [] "" Default::None;
        "show_origin" [] "" Default::Bool(false);
    }
}
