//! Each pass on a small play, and what makes a task a barrier.

use super::EdgeKind::{self, Barrier, Data, Notify, Order, RoleDependency};
use crate::compile::tests::{compiled, compiled_with};
use crate::compile::{BarrierKind, ClusterKind, CompiledPlay, barrier, play_barrier};
use crate::template::{NoOutside, Outside};

fn play(tasks: &str) -> CompiledPlay {
    compiled(&format!("- hosts: all\n{tasks}"), &[]).unwrap()
}

/// Edges of a kind: from, to, labels.
fn edges(play: &CompiledPlay, kind: EdgeKind) -> Vec<(usize, usize, String)> {
    let of_kind = play.graph.edges().into_iter().filter(|e| e.kind == kind);
    of_kind.map(|e| (e.from, e.to, e.labels.join(", "))).collect()
}

fn edge(from: usize, to: usize, label: &str) -> (usize, usize, String) {
    (from, to, label.to_owned())
}

#[test]
fn tasks_and_handlers_are_two_rows() {
    let play = play("  tasks: [{ping: }, {ping: }]\n  handlers: [{name: a, ping: }, {name: b, ping: }]\n");
    assert_eq!(edges(&play, Order), [edge(0, 1, ""), edge(2, 3, "")]);
    assert_eq!(play.graph.order().unwrap().len(), 4);
}

#[test]
fn a_result_leads_to_all_that_read_it_in_whatever_keyword() {
    let play = play(
        "  tasks:\n    - {command: a, register: r}\n    - {ping: , when: r.rc == 0}\n    \
         - {command: 'b {{ r.stdout }}'}\n    - {ping: , loop: '{{ r.stdout_lines }}'}\n    \
         - {ping: , environment: {X: '{{ r.rc }}'}}\n    - {ping: , become_user: '{{ r.stdout }}'}\n    \
         - {command: c, changed_when: r.rc == 0, register: own, until: own is success}\n    \
         - {debug: {var: r.stdout}}\n    - {assert: {that: r.rc == 0}}\n    - {ping: , when: other}\n",
    );
    let expected: Vec<_> = (1..9).map(|to| edge(0, to, "r")).collect();
    assert_eq!(edges(&play, Data), expected);
}

#[test]
fn variables_are_followed_to_what_they_read() {
    let text = "- hosts: all\n  vars: {a: '{{ b }}', b: '{{ r.stdout }}'}\n  tasks:\n    \
                - {command: x, register: r}\n    - {debug: {msg: '{{ a }}'}}\n    \
                - {debug: {msg: '{{ c }}'}, vars: {c: '{{ a }}'}}\n    - {ping: , vars: {c: '{{ a }}'}}\n";
    assert_eq!(edges(&compiled(text, &[]).unwrap(), Data), [edge(0, 1, "r"), edge(0, 2, "r")]);
}

#[test]
fn the_last_task_that_surely_sets_a_variable_is_the_one_that_counts() {
    let play = play(
        "  tasks:\n    - {command: a, register: r}\n    - {command: b, register: r}\n    \
         - {set_fact: {r: 1}, when: x}\n    - {ping: , when: r}\n    - block: [{command: c, register: r}]\n      \
         rescue: [{ping: , when: r}]\n",
    );
    // 2 may not set it; when 5 runs, 4 may not have been come to.
    let expected = [edge(1, 3, "r"), edge(1, 5, "r"), edge(2, 3, "r"), edge(2, 5, "r"), edge(4, 5, "r")];
    assert_eq!(edges(&play, Data), expected);
}

#[test]
fn facts_lead_to_who_reads_facts_and_the_unlistable_to_all() {
    let play = play(
        "  tasks:\n    - {setup: }\n    - {debug: {msg: '{{ ansible_facts.kernel }} {{ ansible_user }}'}}\n    \
         - {debug: {msg: '{{ ansible_distribution }}'}}\n    - {debug: {msg: '{{ ansible_host }}'}}\n    \
         - {set_fact: {x: 1}}\n    - {debug: {msg: \"{{ lookup('vars', name) }}\"}}\n",
    );
    let expected = [edge(0, 1, "ansible_facts"), edge(0, 2, "ansible_distribution"), edge(0, 5, "*"), edge(4, 5, "*")];
    assert_eq!(edges(&play, Data), expected);
}

/// A world of one template file.
struct OneFile;

impl Outside for OneFile {
    fn find(&self, kind: &str, name: &str, _roots: &[String]) -> Option<String> {
        (kind == "templates" && name == "a.j2").then(|| name.to_owned())
    }
    fn read_file(&self, _path: &str) -> Result<(Vec<u8>, bool), String> {
        Ok((b"{{ r.stdout }} {{ port }}\n".to_vec(), false))
    }
    fn kind(&self, path: &str) -> Option<&'static str> {
        NoOutside.kind(path)
    }
    fn glob(&self, pattern: &str) -> Vec<String> {
        NoOutside.glob(pattern)
    }
    fn realpath(&self, path: &str) -> String {
        NoOutside.realpath(path)
    }
    fn env(&self, name: &str) -> Option<String> {
        NoOutside.env(name)
    }
    fn run(&self, command: &str) -> Result<(i32, String), String> {
        NoOutside.run(command)
    }
    fn parse_yaml(&self, text: &str) -> Result<crate::model::Value, String> {
        NoOutside.parse_yaml(text)
    }
    fn parse_yaml_all(&self, text: &str) -> Result<Vec<crate::model::Value>, String> {
        NoOutside.parse_yaml_all(text)
    }
    fn now(&self) -> (i64, u32) {
        NoOutside.now()
    }
}

#[test]
fn a_template_file_reads_as_well() {
    let text = "- hosts: all\n  tasks:\n    - {command: a, register: r}\n    - {command: b, register: s}\n    \
                - {template: {src: a.j2, dest: /x}}\n    - {template: {src: gone.j2, dest: /x}}\n";
    let play = compiled_with(text, &[], OneFile).unwrap();
    assert_eq!(edges(&play, Data), [edge(0, 2, "r"), edge(0, 3, "*"), edge(1, 3, "*")]);
}

#[test]
fn handlers_are_reached_by_name_and_topic_and_read_what_tasks_set() {
    let play = play(
        "  tasks:\n    - {command: a, register: r, notify: [one, topic]}\n    - {ping: , notify: one}\n  handlers:\n    \
         - {name: one, command: '{{ r.stdout }}', notify: two}\n    - {name: two, ping: , listen: topic}\n",
    );
    let expected = [edge(0, 2, "one"), edge(0, 3, "topic"), edge(1, 2, "one"), edge(2, 3, "two")];
    assert_eq!(edges(&play, Notify), expected);
    assert_eq!(edges(&play, Data), [edge(0, 2, "r")]);
}

#[test]
fn a_dependency_leads_to_its_role_and_not_to_one_that_was_there_before() {
    let roles = [("web", "[base]", "[{ping: }]"), ("base", "[]", "[{ping: }, {ping: }]")];
    let play = compiled("- hosts: all\n  roles: [web, {role: base, x: 1}]\n", &roles).unwrap();
    assert_eq!(edges(&play, RoleDependency), [edge(1, 2, "base")]);
    assert_eq!(play.graph.before(2, Order), [1]);
}

#[test]
fn a_barrier_stands_between_its_neighbours() {
    let play = play("  tasks: [{ping: }, {ping: , run_once: true}, {ping: }, {ping: }]\n");
    let reason = "runs once for all hosts";
    assert_eq!(edges(&play, Barrier), [edge(0, 1, reason), edge(1, 2, reason)]);
    assert_eq!(play.graph.barrier(1).map(|b| b.kind), Some(BarrierKind::RunOnce));
    assert_eq!(play.graph.barrier(2), None);
}

#[test]
fn a_flush_is_a_barrier_where_something_may_have_notified() {
    let text = "  pre_tasks: [{ping: , notify: h}]\n  tasks: [{ping: }]\n  post_tasks: [{ping: }]\n  \
                handlers: [{name: h, ping: }]\n";
    assert_eq!(edges(&play(text), Barrier), [edge(0, 1, "handlers that were notified run here")]);
}

#[test]
fn each_reason_is_told() {
    let cases = [
        ("{ping: , delegate_to: db1}", BarrierKind::Delegation, "delegated to db1"),
        ("{ping: , delegate_to: '{{ x }}'}", BarrierKind::Delegation, "delegated to {{ x }}"),
        ("{local_action: ping}", BarrierKind::Delegation, "delegated to localhost"),
        ("{ping: , run_once: '{{ x }}'}", BarrierKind::RunOnce, "runs once for all hosts"),
        (
            "{debug: {msg: \"{{ hostvars['a'].x }}\"}}",
            BarrierKind::OtherHosts,
            "reads variables of other hosts (hostvars)",
        ),
        (
            "{ping: , when: \"inventory_hostname in ansible_play_hosts\"}",
            BarrierKind::OtherHosts,
            "reads which hosts are left (ansible_play_hosts)",
        ),
    ];
    for (task, kind, reason) in cases {
        let play = play(&format!("  tasks: [{task}]\n"));
        let found = barrier(&play.tasks[0]).unwrap_or_else(|| panic!("{task}"));
        assert_eq!((found.kind, found.reason.as_str()), (kind, reason), "{task}");
        assert_eq!(play.graph.barrier(0), Some(&found));
    }
    for task in ["{ping: , run_once: false}", "{ping: , when: \"'x' in groups['web']\"}", "{ping: , delegate_to: ''}"] {
        assert_eq!(barrier(&play(&format!("  tasks: [{task}]\n")).tasks[0]), None, "{task}");
    }
    let own = play("  tasks: [{debug: {msg: '{{ hostvars[inventory_hostname].x }}'}}]\n");
    assert_eq!(barrier(&own.tasks[0]), None, "its own variables are no other host's");
    assert_eq!(play_barrier(&own), None);
    let serial = play("  serial: [1, '50%']\n  tasks: []\n");
    assert_eq!(play_barrier(&serial).map(|b| b.reason).as_deref(), Some("hosts in batches (serial: 1, 50%)"));
}

#[test]
fn a_variable_that_reads_other_hosts_makes_a_barrier_of_who_uses_it() {
    let text =
        "- hosts: all\n  vars: {peer: \"{{ hostvars['a'].x }}\"}\n  tasks: [{debug: {msg: '{{ peer }}'}}, {ping: }]\n";
    let play = compiled(text, &[]).unwrap();
    assert_eq!(play.graph.barrier(0).map(|b| b.kind), Some(BarrierKind::OtherHosts));
    assert_eq!(play.graph.barrier(1), None);
}

#[test]
fn clusters_are_nested_as_roles_blocks_and_sections_are() {
    let roles = [("web", "[]", "[{name: Main, block: [{ping: }], rescue: [{ping: }]}]")];
    let play = compiled("- hosts: all\n  roles: [web]\n  tasks: [{ping: }]\n", &roles).unwrap();
    let path = |task: usize| {
        let mut path = Vec::new();
        let mut at = play.tasks[task].cluster;
        while let Some(cluster) = at.map(|at| &play.clusters[at]) {
            path.insert(0, (cluster.kind, cluster.title.as_str()));
            at = cluster.parent;
        }
        path
    };
    assert_eq!(path(0), [(ClusterKind::Role, "web"), (ClusterKind::Block, "Main")]);
    assert_eq!(path(1), [(ClusterKind::Role, "web"), (ClusterKind::Block, "Main"), (ClusterKind::Section, "rescue")]);
    assert_eq!(path(2), []);
}

#[test]
fn what_is_left_of_a_play_has_new_numbers_and_new_edges() {
    let mut play = play(
        "  tasks:\n    - {command: a, register: r}\n    - {ping: , when: off}\n    - {ping: , when: r, notify: h}\n  \
         handlers: [{name: h, ping: }]\n",
    );
    let engine = crate::template::Engine::new(std::sync::Arc::new(NoOutside));
    play.retain(|task| task.id != 1, &engine);
    assert_eq!(edges(&play, Order), [edge(0, 1, "")]);
    assert_eq!(edges(&play, Data), [edge(0, 1, "r")]);
    assert_eq!(edges(&play, Notify), [edge(1, 2, "h")]);
    assert_eq!(play.handlers[0].id, 2);
}
