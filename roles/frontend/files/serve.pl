#!/usr/bin/perl
# Answers every request with the greeting of its configuration, which it reads each time.
use strict;
use warnings;
use IO::Socket::INET;
$SIG{TERM} = sub { exit 0 };
my $server = IO::Socket::INET->new(LocalPort => 8080, Listen => 16, ReuseAddr => 1) or die "cannot listen: $!";
while (my $client = $server->accept) {
    while (defined(my $line = <$client>)) { last if $line =~ /^\r?\n$/ }
    my $text = "no configuration\n";
    if (open my $file, '<', '/etc/frontend/site.conf') {
        while (<$file>) { $text = "$1\n" if /^greeting=(.*)/ }
        close $file;
    }
    print $client "HTTP/1.0 200 OK\r\nContent-Type: text/plain\r\n\r\n$text";
    close $client;
}
