# The floor of playbook.yml: the same deployment as a script. Run with the host's name as $1.
# shellcheck shell=sh
set -e
umask 022
export DEBIAN_FRONTEND=noninteractive
apt-get install -y -q nginx-light rsync tree >/dev/null 2>&1 </dev/null
groupadd --system bench-app
useradd --system --gid bench-app --home-dir /var/lib/bench-app --shell /usr/sbin/nologin --no-create-home bench-app
for dir in /var/lib/bench-app /var/cache/bench-app /var/log/bench-app /etc/bench-app; do
    install -d -o bench-app -g bench-app -m 0750 $dir
done
cat >/etc/bench-app/settings.ini <<END
[app]
host = $1
workers = 4
log_level = info
cache = /var/cache/bench-app
END
chown bench-app:bench-app /etc/bench-app/settings.ini
chmod 0640 /etc/bench-app/settings.ini
cat >/usr/local/bin/bench-app <<'END'
#!/bin/sh
# An application that does nothing, for as long as it is let.
exec sleep infinity
END
chmod 0755 /usr/local/bin/bench-app
cat >/etc/systemd/system/bench-app.service <<'END'
[Unit]
Description=An application that does nothing

[Service]
User=bench-app
EnvironmentFile=-/etc/default/bench-app
ExecStart=/usr/local/bin/bench-app

[Install]
WantedBy=multi-user.target
END
cat >/etc/logrotate.d/bench-app <<'END'
/var/log/bench-app/*.log {
    weekly
    rotate 4
    missingok
}
END
echo OPTIONS=--quiet >/etc/default/bench-app
systemctl daemon-reload
systemctl enable --now --quiet bench-app
for site in alpha beta gamma; do
    mkdir -p /srv/www/$site
    echo "<h1>$site on $1</h1>" >/srv/www/$site/index.html
    cat >/etc/nginx/sites-available/$site <<END
server {
    listen 8080;
    server_name $site.example;
    root /srv/www/$site;
}
END
    ln -s ../sites-available/$site /etc/nginx/sites-enabled/$site
done
rm -f /etc/nginx/sites-enabled/default
nginx -t -q
systemctl enable --now --quiet nginx
systemctl restart bench-app
systemctl reload nginx
echo "done"
