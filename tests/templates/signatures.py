#!/usr/bin/env python3
"""Records what the filters and tests of names.txt take, into signatures.txt.

Run with the Python of an environment as for record.py. A line is a name and its parameters after the input:
`x` has to be given, `x?` may be, those after a `*` go by name alone, `*x` and `**x` take any.
"""

import functools
import inspect
import pathlib
import re

import jinja2
import yaml
from ansible.plugins.loader import filter_loader, init_plugin_loader, test_loader


def unwrapped(function):
    """The function itself."""
    function = inspect.unwrap(function)
    if isinstance(function, functools.partial):
        function = next((a for a in reversed(function.args) if callable(a)), function.func)
    return function


def parameters(function):
    out, star = [], False
    for p in inspect.signature(function).parameters.values():
        if p.kind == p.VAR_POSITIONAL:
            out.append("*" + p.name)
            star = True
        elif p.kind == p.VAR_KEYWORD:
            out.append("**" + p.name)
        else:
            if p.kind == p.KEYWORD_ONLY and not star:
                out.append("*")
                star = True
            out.append(p.name + ("" if p.default is p.empty else "?"))
    return out


def documented(source):
    """Where a plugin checks its arguments by its own documentation."""
    options = yaml.safe_load(re.search(r'DOCUMENTATION\s*=\s*r?"""(.*?)"""', source, re.S).group(1))["options"]
    keys = re.search(r"keys\s*=\s*\[(.*?)\]", source, re.S)
    order = re.findall(r'"(\w+)"', keys.group(1)) if keys else list(options)
    order = [k for k in order if k != "environment"]
    more = [k for k in options if k not in order]
    marked = [k + ("" if options.get(k, {}).get("required") else "?") for k in order[1:]]
    return marked + (["*"] + [k + "?" for k in more] if more else [])


def signature(kind, name):
    loader, own = (filter_loader, "filters") if kind == "filter" else (test_loader, "tests")
    plugin = loader.get(name)
    wrapped = plugin.j2_function if plugin else getattr(jinja2.Environment(), own)[name.rsplit(".", 1)[1]]
    function = unwrapped(wrapped)
    try:
        found = parameters(function)
        path = inspect.getsourcefile(inspect.unwrap(wrapped))
    except (TypeError, ValueError):
        found, path = parameters_of_builtin(function), None
    if path and "collections/ansible/utils" in path and found[0] == "*args":
        return documented(pathlib.Path(path).read_text())
    before = found and found[0].rstrip("?") in ("environment", "env", "eval_ctx", "context")
    return found if found and found[0].startswith("*") else found[2 if before else 1 :]


def parameters_of_builtin(function):
    try:
        return parameters(function)
    except (TypeError, ValueError):
        return ["*iterables", "**options"]


def main():
    init_plugin_loader()
    here = pathlib.Path(__file__).parent
    lines = []
    for line in (here / "names.txt").read_text().splitlines():
        if line.startswith(("filter ", "test ")):
            kind, name = line.split(": ")[0].split(" ", 1)
            lines.append(f"{kind} {name}: {' '.join(signature(kind, name))}".rstrip())
    (here / "signatures.txt").write_text("\n".join(lines) + "\n")


main()
