//! The levels of Ansible's variable precedence.
//!
//! Source: "Understanding variable precedence" in Ansible's documentation, 1 to 22; and what
//! Ansible sets above all of these: magic variables and the loop's variables.

/// Where a variable stands in the order of precedence; a higher level wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// 1: what options like `-u` set.
    CommandLine,
    /// 2: a role's `defaults/main.yml`.
    RoleDefaults,
    /// 3: groups in the inventory.
    InventoryGroup,
    /// 4: `group_vars/all` beside the inventory.
    InventoryAllFile,
    /// 5: `group_vars/all` beside the playbook.
    PlaybookAllFile,
    /// 6: `group_vars/GROUP` beside the inventory.
    InventoryGroupFile,
    /// 7: `group_vars/GROUP` beside the playbook.
    PlaybookGroupFile,
    /// 8: hosts in the inventory.
    InventoryHost,
    /// 9: `host_vars/HOST` beside the inventory.
    InventoryHostFile,
    /// 10: `host_vars/HOST` beside the playbook.
    PlaybookHostFile,
    /// 11: facts of the host.
    Facts,
    /// 12: a play's `vars`.
    Play,
    /// 13: a play's `vars_prompt`.
    PlayPrompt,
    /// 14: a play's `vars_files`.
    PlayFiles,
    /// 15: a role's `vars/main.yml`.
    Role,
    /// 16: a block's `vars`.
    Block,
    /// 17: a task's `vars`.
    Task,
    /// 18: `include_vars`.
    IncludeVars,
    /// 19: `set_fact` and `register`.
    Registered,
    /// 20: a role's parameters.
    RoleParams,
    /// 21: an include's `vars`.
    IncludeParams,
    /// 22: `-e`.
    Extra,
    /// Magic variables: `inventory_hostname`, `groups`, …
    Magic,
    /// `item` and its like.
    Loop,
}

impl Level {
    /// In words, for `rplay vars` and for messages.
    pub const fn describe(self) -> &'static str {
        match self {
            Self::CommandLine => "command-line option",
            Self::RoleDefaults => "role defaults",
            Self::InventoryGroup => "inventory group",
            Self::InventoryAllFile => "group_vars/all beside the inventory",
            Self::PlaybookAllFile => "group_vars/all beside the playbook",
            Self::InventoryGroupFile => "group_vars beside the inventory",
            Self::PlaybookGroupFile => "group_vars beside the playbook",
            Self::InventoryHost => "inventory host",
            Self::InventoryHostFile => "host_vars beside the inventory",
            Self::PlaybookHostFile => "host_vars beside the playbook",
            Self::Facts => "facts",
            Self::Play => "play vars",
            Self::PlayPrompt => "play vars_prompt",
            Self::PlayFiles => "play vars_files",
            Self::Role => "role vars",
            Self::Block => "block vars",
            Self::Task => "task vars",
            Self::IncludeVars => "include_vars",
            Self::Registered => "set_fact or register",
            Self::RoleParams => "role parameters",
            Self::IncludeParams => "include parameters",
            Self::Extra => "extra vars (-e)",
            Self::Magic => "magic variable",
            Self::Loop => "loop variable",
        }
    }
}
