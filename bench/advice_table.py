"""The rules of `scorebench advise` as Markdown: docs/advice.md is pasted from it."""

from __future__ import annotations

from scorebench.advice.rules import RULES
from scorebench.advice.sweep_rules import SWEEP_RULES

if __name__ == "__main__":
    print("| rule | from | speaks up at | source |\n| --- | --- | --- | --- |")
    for what, rules in (("a run", RULES), ("a sweep", SWEEP_RULES)):
        for rule in rules:
            print(f"| `{rule.name}` | {what} | {rule.threshold} | {rule.source} |")
