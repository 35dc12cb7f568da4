#!/usr/bin/env python3
"""Records what ansible-core makes of the templates in *.txt here.

Run with the Python of an environment that has ansible 12 (ansible-core 2.19 with its collections,
netaddr, jmespath, passlib, hashids, jsonpatch, xmltodict and prettytable):  python record.py
A line that starts with `@` sets variables (JSON) for those below; `#` is a comment; a line is a
template, with \\n for a newline. Whole files are in files/, with their variables in vars.json. Results go to *.json, which the unit tests compare with.
"""

import json
import os
import pathlib
import sys
import time

os.environ["TZ"] = "UTC"
time.tzset()

from ansible.parsing.dataloader import DataLoader  # noqa: E402
from ansible.plugins.loader import init_plugin_loader  # noqa: E402
from ansible.template import Templar, trust_as_template  # noqa: E402


def trust(value):
    if isinstance(value, str):
        return trust_as_template(value)
    if isinstance(value, list):
        return [trust(item) for item in value]
    if isinstance(value, dict):
        return {key: trust(item) for key, item in value.items()}
    return value


def result(text, variables):
    templar = Templar(loader=DataLoader(), variables=trust(variables))
    try:
        return {"is": json.dumps(templar.template(trust(text)))}
    except Exception as error:  # noqa: BLE001 - whatever it raises is what is recorded
        return {"error": str(error).splitlines()[0]}


def record(cases):
    variables, out = {}, []
    for line in cases.read_text().splitlines():
        if line.startswith("@"):
            variables = json.loads(line[1:])
            out.append({"vars": variables, "cases": []})
        elif line and not line.startswith("#"):
            text = line.replace("\\n", "\n")
            out[-1]["cases"].append({"template": text, **result(text, variables)})
    cases.with_suffix(".json").write_text(json.dumps(out, indent=1) + "\n")


def record_files(folder):
    """Whole files, as the lookup and the module `template` render them."""
    variables = json.loads((folder / "vars.json").read_text())
    out = {"vars": variables, "cases": []}
    for path in sorted(folder.glob("*.j2")):
        text = "{{ lookup('template', '%s') }}" % path
        out["cases"].append({"file": path.name, **result(text, variables)})
    (folder.parent / "files.json").write_text(json.dumps(out, indent=1) + "\n")


def main():
    init_plugin_loader()
    here = pathlib.Path(__file__).parent
    for cases in sorted(here.glob("*.txt")):
        if len(sys.argv) < 2 or cases.stem in sys.argv[1:]:
            record(cases)
    record_files(here / "files")


main()
