"""playbook.yml for pyinfra: the same thirty steps in its own terms."""

from pathlib import Path

from pyinfra import host
from pyinfra.facts.files import File
from pyinfra.operations import files, server

here = Path(__file__).resolve().parent
for i in range(1, 6):
    path = f"/opt/small-steps/{i}"
    files.directory(name=f"directory {i}", path=path, mode="755")
    files.put(name=f"copy {i}", src=f"{here}/files/small.txt", dest=f"{path}/small.txt", mode="644")
    files.template(
        name=f"template {i}",
        src=f"{here}/templates/small.conf.j2",
        dest=f"{path}/small.conf",
        mode="640",
        # As Ansible renders.
        jinja_env_kwargs={"trim_blocks": True},
        inventory_hostname=host.name,
        ports=[8080, 8081, 8082],
        workers="4",
    )
    files.line(name=f"line {i}", path=f"{path}/lines", line="^setting =.*", replace=f"setting = {i}")
    # Its facts are its stat.
    if host.get_fact(File, path=f"{path}/small.conf"):
        server.shell(name=f"command {i}", commands=[f"test -s {path}/small.conf"])
