"""The README's pictures, each from a real run: `make pictures`. Knows which there are."""

from __future__ import annotations

from bench import picture_report, picture_tab


def main() -> None:
    """Take all of them anew."""
    for take in (picture_report.take, picture_tab.take):
        print(take())


if __name__ == "__main__":
    main()
