#!/usr/bin/env python3
"""Records what PyYAML's SafeLoader makes of plain scalars: `record.py > scalars.tsv`.

Run it where PyYAML is installed; the tests read the recorded answers only.
"""
import itertools
import random

import yaml

WORDS = """
0 1 -1 +1 00 01 0644 0777 -0644 +017 08 09 0o17 0O17 0x1F 0X1F -0x1f 0x 0b101 0b 0b_ 0b102 0_ 0_7 0__ 1_000 1__0 _1 1_
12345678901234567890 170141183460469231731687303715884105727 1:30 1:30:15 190:20:30 01:30 0:30 1:60 1:5 1:05 -1:30
+1:30 1:30.5 0:30.5 1:30: 12:30:45.123 1:2_0 59:59 60:00 22:22 1:1:1:1 1.5 -1.5 +1.5 1. .5 -.5 +.5 ._5 .5_0 1_0.5_0 1.e+3 1e3 1e+3
1.0e3 1.0e+3 1.0E-3 1.0e+ 1.2.3 1.2.3.4 1.e .e+1 . .. ... -. 1.x 0.0 -0.0 +0.0 00.5 08.5 .inf -.inf +.inf .Inf .INF .iNF
.nan .NaN .NAN .Nan -.nan +.nan inf nan yes Yes YES yEs no No NO nO y Y n N true True TRUE tRUE false False FALSE on On
ON oN off Off OFF ~ null Null NULL nULL None none << 2001-01-01 2001-1-1 2001-01-1 2001-13-45 0000-01-01
2001-12-14t21:59:43.10-05:00 2001-12-14T21:59:43Z 2001-12-14T21:59:43 2001-12-14T1:59:43.1234567+2
2001-12-14T21:59 2001-1-1T1:59:43 2001-12-14T25:00:00 20010101 a a1 1a -a +a --- 127.0.0.1 10.0.0.0/8 1,000 1;2
v1.0 1-2 1+2 12e03 -2E+05 0e0 0.e0 0x_ 0x_1 0_x1 +0b1 -0b11 +0x0 +0 -0 +00 0:0 1:0 1:00:00 100:00 1:99 9:9.9 ::1 fe80::1
0.1_ 1_.5 1_._5 +12_3 --1 ++1 +-1 1- 1+ 0777_ 0_777 0_8 080 0b1_0 123_456.789_0 5e-3 5.e-3 5.0e-3 .5e-3 .5e3 .5e+3
""".split()


def main():
    random.seed(7)
    letters = "0123456789" * 2 + "_.:-+exbo"
    drawn = ("".join(random.choice(letters) for _ in range(random.randint(1, 7))) for _ in range(1500))
    spaced = ["2001-12-14 21:59:43.10 -5", "2001-12-14 21:59:43", "2001-12-14  1:59:43 Z", "2001-12-14 21:59:43 +05:30",
              "2001-02-30 00:00:00", "1 2", "yes no"]
    seen = set()
    print("# text\ttype\tstr(); recorded from PyYAML", yaml.__version__)
    for text in itertools.chain(WORDS, spaced, drawn):
        if text in seen or text == "---":
            continue
        seen.add(text)
        try:
            events = list(yaml.parse(f"- {text}\n"))
        except yaml.YAMLError:
            continue
        if not isinstance(events[3], yaml.ScalarEvent) or events[3].value != text:
            continue
        try:
            (value,) = yaml.safe_load(f"- {text}\n")
        except Exception:
            print(f"{text}\terror\t-")
            continue
        print(f"{text}\t{type(value).__name__}\t{value}")


main()
