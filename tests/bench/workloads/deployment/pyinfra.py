"""playbook.yml for pyinfra: the same deployment in its own terms."""

from io import StringIO
from pathlib import Path

from pyinfra import host
from pyinfra.operations import apt, files, server, systemd

here = Path(__file__).resolve().parent
settings = {"workers": 4, "log_level": "info", "cache": "/var/cache/bench-app"}
# As Ansible renders.
jinja = {"trim_blocks": True}
own = {"user": "bench-app", "group": "bench-app"}

apt.packages(name="packages", packages=["nginx-light", "rsync", "tree"], no_recommends=False)
server.group(name="the application's group", group="bench-app", system=True)
server.user(
    name="the application's account",
    user="bench-app",
    group="bench-app",
    system=True,
    home="/var/lib/bench-app",
    shell="/usr/sbin/nologin",
    ensure_home=False,
)
for path in ["/var/lib/bench-app", "/var/cache/bench-app", "/var/log/bench-app", "/etc/bench-app"]:
    files.directory(name=path, path=path, mode="750", **own)
files.template(
    name="its settings",
    src=f"{here}/templates/settings.ini.j2",
    dest="/etc/bench-app/settings.ini",
    mode="640",
    jinja_env_kwargs=jinja,
    inventory_hostname=host.name,
    settings=settings,
    **own,
)
files.put(name="its program", src=f"{here}/files/bench-app", dest="/usr/local/bin/bench-app", mode="755")
unit = "/etc/systemd/system/bench-app.service"
files.put(name="its unit", src=f"{here}/files/bench-app.service", dest=unit, mode="644")
files.put(name="rotation", src=f"{here}/files/bench-app.logrotate", dest="/etc/logrotate.d/bench-app", mode="644")
files.line(name="an option", path="/etc/default/bench-app", line="OPTIONS=--quiet")
files.file(name="its mode", path="/etc/default/bench-app", mode="644")
systemd.service(name="the application runs", service="bench-app", enabled=True, daemon_reload=True)
for site in ["alpha", "beta", "gamma"]:
    files.directory(name=f"directory of {site}", path=f"/srv/www/{site}", mode="755")
    page = StringIO(f"<h1>{site} on {host.name}</h1>\n")
    files.put(name=f"page of {site}", src=page, dest=f"/srv/www/{site}/index.html", mode="644")
    files.template(
        name=f"configuration of {site}",
        src=f"{here}/templates/site.conf.j2",
        dest=f"/etc/nginx/sites-available/{site}",
        mode="644",
        port=8080,
        item=site,
    )
    files.link(name=f"{site} is on", path=f"/etc/nginx/sites-enabled/{site}", target=f"../sites-available/{site}")
files.link(name="no default site", path="/etc/nginx/sites-enabled/default", present=False)
server.shell(name="the configuration is valid", commands=["nginx -t -q"])
systemd.service(name="the web server runs", service="nginx", enabled=True)
# All of it is new, so both would be notified.
systemd.service(name="restart the application", service="bench-app", restarted=True)
systemd.service(name="reload the web server", service="nginx", reloaded=True)
