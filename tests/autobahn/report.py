# The suite's index.json as a page that is kept: `report.py INDEX SUITE`. Exit 1 where a case failed.
from __future__ import print_function

import json
import sys

GROUPS = {
    "1": "Framing", "2": "Pings and pongs", "3": "Reserved bits", "4": "Opcodes", "5": "Fragmentation",
    "6": "UTF-8", "7": "Closing", "9": "Limits and speed", "10": "Automatic fragmentation",
}
# As the suite ranks them, the best first.
WORDS = ["OK", "NON-STRICT", "INFORMATIONAL", "UNIMPLEMENTED", "UNCLEAN", "WRONG CODE", "FAILED"]
BAD = {"UNCLEAN", "WRONG CODE", "FAILED"}

cases = json.load(open(sys.argv[1]))["partyline"]
found, failed = {}, []
for case, verdict in cases.items():
    words = {verdict["behavior"], verdict["behaviorClose"]}
    worst = max(words, key=lambda word: WORDS.index(word) if word in WORDS else len(WORDS))
    found.setdefault(case.split(".")[0], []).append(worst)
    if worst in BAD or worst not in WORDS:
        failed.append("%s (%s)" % (case, worst))

print("# Autobahn's server suite over the relay's upgrade and WebSocket\n")
print("Written by `make autobahn` with %s: %d cases, %d failed. Cases 12 and 13 are not run: they are\n"
      "permessage-deflate, which the relay does not implement and never agrees to.\n" % (sys.argv[2], len(cases), len(failed)))
print("| group | cases | verdicts, behaviour and close together |")
print("| --- | --- | --- |")
for group in sorted(found, key=int):
    words = found[group]
    told = ", ".join("%d %s" % (words.count(word), word) for word in WORDS if word in words)
    print("| %s %s | %d | %s |" % (group, GROUPS.get(group, ""), len(words), told))
if failed:
    print("\nFailed: " + ", ".join(sorted(failed)))
sys.exit(1 if failed else 0)
